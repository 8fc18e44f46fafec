// Programs whose relocations are resolved against the types of another "kernel": this file compiled with -DTARGET.
// `prepare.sh` compiles both; `cases.expected` says what libbpf 1.5 (Linux 6.12) did with each instruction.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#ifdef TARGET
// ---- the kernel's types ----
struct moved { s64 pad; u8 b; u64 c; int a; };
struct inner { int gone_before; int x, y[8]; };
struct nested { long pad; union { struct { int first; struct inner in; }; u64 other; }; struct inner many[4]; };
struct flex_tail { int n; struct inner tail[]; };
struct short_array { int pad; int a[2]; };
struct bits { u64 pad : 5; u64 a : 7; int s : 9; u8 whole; u32 plain; u16 small : 3; };
struct crossing { u64 pad : 40; u64 wide : 60; } __attribute__((packed));
struct narrow { u8 pad : 6, b : 5; } __attribute__((packed));
struct not_last { int a[0]; int n; };
struct m_char { char c; };
struct sizes { u64 grew; u8 shrank; s64 sgrew; void *p; u32 arr[2]; u16 same; struct { u64 v; } s; };
struct kinds { void *was_int; float was_int2; int was_ptr; struct inner was_union; enum { KA } was_named_enum;
	       enum other_enum { OE } was_my_enum; const volatile u32 qualified; double f; int fn_ptr; u32 dims[3][2]; };
struct flavoured { int pad, a; };
struct twice___one { int a; };
struct twice___two { int pad; int a; };
struct agree___one { int a; };
struct agree___two { int a; long more; };
struct fwd_only;
struct pointer_holder { struct fwd_only *p; struct inner *q; };
union u_type { int a; long b; };
typedef struct { int v; } anon_typedef;
typedef u32 int_typedef;
typedef int (*fn_typedef)(int, struct inner *);
typedef int (*fn2_typedef)(int, long *, int);
enum values { V_A = 5, V_NEG = -7, V_NEW = 1, V_C___old = 9 };
enum big { B_HUGE = 0x123456789abcdefULL, B_MINUS = 1 };
enum uns { U_TOP = 0xfffffff0u, U_ONE = 1 };
enum grew { G_A = 0x100000000ULL };
struct m_same { int a; struct inner *p; u8 c[4]; enum values e; };
struct m_more { int extra; int b; int a; };
struct m_less { int a; };
struct m_sign { unsigned a; };
struct m_array { int a[3]; };
struct m_deep { struct { int x; } in; };
struct m_fwd { struct fwd_only *p; };
union m_kind { int a; };
struct m_enum { enum values e; };
typedef int (*m_fn)(int a, struct inner *b);
typedef int (*m_fn_bad)(int a, int b);

struct moved v1; struct nested v2; struct flex_tail *v3; struct short_array v4; struct bits v5; struct sizes v6;
struct kinds v7; struct flavoured v8; struct twice___one v9; struct twice___two v10; struct agree___one v11;
struct agree___two v12; struct pointer_holder v13; union u_type v14; anon_typedef v15; int_typedef v16; fn_typedef v17;
fn2_typedef v18; enum values v19; enum big v20; enum uns v21; enum grew v22; struct m_same v23; struct m_more v24;
struct m_less v25; struct m_sign v26; struct m_array v27; struct m_deep v28; struct m_fwd v29; union m_kind v30;
struct m_enum v31; struct crossing v34; struct narrow v35; struct not_last v36; struct m_char v37; m_fn v32; m_fn_bad v33;
#else
// ---- the program's types ----
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct moved { int a; u8 b; u64 c; int absent; };
struct inner { int x, y[8]; int z; };
struct nested { union { u64 other; struct { int first; struct inner in; }; }; struct inner many[4]; };
struct flex_tail { int n; struct inner tail[0]; };
struct short_array { int a[4]; };
struct bits { u32 a : 3; int s : 20; u32 whole : 8; u32 plain; u16 small; };
struct crossing { u64 wide : 10; };
struct narrow { u8 b : 2; };
struct not_last { int n; int a[0]; };
// The kernel is compiled with -funsigned-char.
struct m_char { char c; };
struct sizes { u32 grew; u32 shrank; int sgrew; char *p; u64 arr[2]; u16 same; struct { u32 v; } s; };
struct kinds { int was_int; int was_int2; void *was_ptr; union { int a; } was_union; enum { LA } was_named_enum;
	       enum my_enum { ME } was_my_enum; u32 qualified; float f; int (*fn_ptr)(void); u32 dims[1][2]; };
struct flavoured___old { int a; };
struct twice { int a; };
struct agree { int a; };
struct fwd_only { int x; };
struct pointer_holder { struct fwd_only *p; struct inner *q; };
struct absent_type { int a; };
union u_type { int a; };
typedef struct { int v; } anon_typedef;
typedef u64 int_typedef;
typedef int (*fn_typedef)(int, struct inner *);
typedef int (*fn2_typedef)(int, long *);
enum values { V_A = 1, V_GONE = 2, V_NEG = 3, V_C = 4 };
enum big { B_HUGE = 0x1ULL, B_MINUS = -1LL };
enum uns { U_TOP = 3, U_ONE = 4 };
enum grew { G_A = 1 };
enum values___other { V_A___x = 77 };
struct m_same { int a; struct inner *p; u8 c[4]; enum values e; };
struct m_more { int a; int b; };
struct m_less { int a, b; };
struct m_sign { int a; };
struct m_array { int a[2]; };
struct m_deep { struct { int x; } in; };
struct m_fwd { struct fwd_only *p; };
struct m_kind { int a; };
struct m_enum { enum values___other e; };
typedef int (*m_fn)(int a, struct inner *b);
typedef int (*m_fn_bad)(int a, struct inner *b);
#pragma clang attribute pop

#define SEC(name) __attribute__((section(name), used))
// `enum bpf_field_info_kind` and its sisters, by number.
#define OFFSET(f) __builtin_preserve_field_info(f, 0)
#define SIZE(f) __builtin_preserve_field_info(f, 1)
#define EXISTS(f) __builtin_preserve_field_info(f, 2)
#define SIGNED(f) __builtin_preserve_field_info(f, 3)
#define LSHIFT(f) __builtin_preserve_field_info(f, 4)
#define RSHIFT(f) __builtin_preserve_field_info(f, 5)
#define ID_LOCAL(t) __builtin_btf_type_id(*(typeof(t) *)0, 0)
#define ID_TARGET(t) __builtin_btf_type_id(*(typeof(t) *)0, 1)
#define TYPE_EXISTS(t) __builtin_preserve_type_info(*(typeof(t) *)0, 0)
#define TYPE_SIZE(t) __builtin_preserve_type_info(*(typeof(t) *)0, 1)
#if __clang_major__ >= 15
#define TYPE_MATCHES(t) __builtin_preserve_type_info(*(typeof(t) *)0, 2)
#else
#define TYPE_MATCHES(t) 0
#endif
#define ENUM_EXISTS(t, v) __builtin_preserve_enum_value(*(typeof(t) *)v, 0)
#define ENUM_VALUE(t, v) __builtin_preserve_enum_value(*(typeof(t) *)v, 1)

volatile u64 out;
#define PUT(value) out = (value)
// clang knows the sign of integers and enumerations only.
#define PLACE(f) PUT(OFFSET(f)); PUT(SIZE(f)); PUT(EXISTS(f))
#define FIELD(f) PLACE(f); PUT(SIGNED(f))
#define BITS(f) FIELD(f); PUT(LSHIFT(f)); PUT(RSHIFT(f))
#define TYPE(t) PUT(TYPE_EXISTS(t)); PUT(TYPE_SIZE(t)); PUT(TYPE_MATCHES(t)); PUT(ID_LOCAL(t)); PUT(ID_TARGET(t))

SEC("socket/fields") int fields(void *ctx)
{
	struct moved *m = ctx; struct nested *n = ctx; struct short_array *s = ctx; struct flex_tail *f = ctx;
	FIELD(m->a); FIELD(m->b); FIELD(m->c); FIELD(m->absent);
	FIELD(n->first); FIELD(n->in.x); PLACE(n->in.y[3]); FIELD(n->in.z); FIELD(n->other); PLACE(n->many[2].y[1]);
	PLACE(s->a[1]); FIELD(m[2].a); FIELD(f->tail[3].x);
	return 0;
}

SEC("socket/elements") int elements(void *ctx)
{
	struct short_array *s = ctx; struct flex_tail *f = ctx; struct nested *n = ctx; struct kinds *k = ctx;
	PUT(OFFSET(s->a[3])); PUT(SIZE(s->a[3])); PUT(EXISTS(s->a[3])); PUT(EXISTS(s->a[1]));
	PUT(OFFSET(f->tail[5])); PUT(SIZE(f->tail[5])); PUT(EXISTS(n->many[3]));
	PUT(OFFSET(k->dims[0][1])); PUT(EXISTS(k->dims));
	struct not_last *l = ctx;
	PUT(EXISTS(l->a[0])); PUT(EXISTS(l->a[1])); PUT(EXISTS(l->a));
	return 0;
}

SEC("socket/bits") int bits(void *ctx)
{
	struct bits *b = ctx;
	BITS(b->a); BITS(b->s); BITS(b->whole); BITS(b->plain); BITS(b->small);
	struct narrow *n = ctx;
	BITS(n->b);
	return 0;
}

SEC("socket/too_wide") int too_wide(void *ctx)
{
	struct crossing *b = ctx;
	PUT(LSHIFT(b->wide));
	return 0;
}

SEC("socket/loads") int loads(struct sizes *s)
{
	PUT(s->grew); PUT(s->shrank); PUT(s->sgrew); PUT((u64)s->p); PUT(s->arr[1]); PUT(s->same); PUT(s->s.v);
	return 0;
}

SEC("socket/stores") int stores(struct sizes *s)
{
	s->grew = out; s->shrank = 3; s->p = 0; s->same = out; s->arr[0] = out;
	return 0;
}

SEC("socket/kinds") int kinds(struct kinds *k)
{
	FIELD(k->was_int); FIELD(k->was_int2); PLACE(k->was_ptr); PLACE(k->was_union); FIELD(k->was_named_enum);
	FIELD(k->was_my_enum); FIELD(k->qualified); PLACE(k->f); PLACE(k->fn_ptr); PLACE(k->dims);
	return 0;
}

SEC("socket/flavours") int flavours(void *ctx)
{
	struct flavoured___old *f = ctx; struct agree *a = ctx; struct absent_type *x = ctx; struct pointer_holder *p = ctx;
	FIELD(f->a); FIELD(a->a); FIELD(x->a); PLACE(p->p); PLACE(p->q);
	PUT(f->a); PUT(x->a);
	return 0;
}

SEC("socket/ambiguous") int ambiguous(struct twice *t)
{
	PUT(OFFSET(t->a));
	return 0;
}

SEC("socket/ambiguous_exists") int ambiguous_exists(struct twice *t)
{
	PUT(EXISTS(t->a));
	return 0;
}

SEC("socket/ambiguous_size") int ambiguous_size(struct agree *t)
{
	PUT(TYPE_SIZE(struct agree));
	return 0;
}

SEC("socket/types") int types(void *ctx)
{
	TYPE(struct moved); TYPE(struct absent_type); TYPE(union u_type); TYPE(anon_typedef); TYPE(int_typedef);
	TYPE(fn_typedef); TYPE(fn2_typedef); TYPE(enum values); TYPE(enum grew); TYPE(struct fwd_only);
	return 0;
}

SEC("socket/matches") int matches(void *ctx)
{
	PUT(TYPE_MATCHES(struct m_same)); PUT(TYPE_MATCHES(struct m_more)); PUT(TYPE_MATCHES(struct m_less));
	PUT(TYPE_MATCHES(struct m_sign)); PUT(TYPE_MATCHES(struct m_array)); PUT(TYPE_MATCHES(struct m_deep));
	PUT(TYPE_MATCHES(struct m_fwd)); PUT(TYPE_MATCHES(struct m_kind)); PUT(TYPE_MATCHES(struct m_enum));
	PUT(TYPE_MATCHES(struct m_char)); PUT(TYPE_MATCHES(m_fn)); PUT(TYPE_MATCHES(m_fn_bad)); PUT(TYPE_MATCHES(enum big)); PUT(TYPE_MATCHES(enum uns));
	return 0;
}

SEC("socket/enums") int enums(void *ctx)
{
#define VALUE(t, v) PUT(ENUM_EXISTS(t, v)); PUT(ENUM_VALUE(t, v))
	VALUE(enum values, V_A); VALUE(enum values, V_GONE); VALUE(enum values, V_NEG); VALUE(enum values, V_C);
	VALUE(enum big, B_HUGE); VALUE(enum big, B_MINUS); VALUE(enum uns, U_TOP); VALUE(enum uns, U_ONE);
	VALUE(enum grew, G_A); VALUE(enum values___other, V_A___x);
	return 0;
}

char _license[] SEC("license") = "GPL";
#endif
