/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What programs expect of libbpf's bpf_core_read.h, written anew: what the loader finds out of the kernel's types (CO-RE). The numbers are those
 * of clang's builtins and of enum bpf_core_relo_kind of include/uapi/linux/bpf.h.
 */
#ifndef __BPF_CORE_READ_H__
#define __BPF_CORE_READ_H__

#include "bpf_helpers.h"

enum bpf_field_info_kind {
	BPF_FIELD_BYTE_OFFSET,
	BPF_FIELD_BYTE_SIZE,
	BPF_FIELD_EXISTS,
	BPF_FIELD_SIGNED,
	BPF_FIELD_LSHIFT_U64,
	BPF_FIELD_RSHIFT_U64,
};

enum bpf_type_id_kind {
	BPF_TYPE_ID_LOCAL,
	BPF_TYPE_ID_TARGET,
};

enum bpf_type_info_kind {
	BPF_TYPE_EXISTS,
	BPF_TYPE_SIZE,
	BPF_TYPE_MATCHES,
};

enum bpf_enum_value_kind {
	BPF_ENUMVAL_EXISTS,
	BPF_ENUMVAL_VALUE,
};

/* ---- Is it there, how large is it, where is it? A field is `pointer->field`, or a type and a field. ---- */

#define OPSWAP_FIELD1(field) field
#define OPSWAP_FIELD2(type, field) ((typeof(type) *)0)->field
#define OPSWAP_FIELD(args...) OPSWAP_CAT(OPSWAP_FIELD, OPSWAP_COUNT(args))(args)

#define bpf_core_field_exists(field...) __builtin_preserve_field_info(OPSWAP_FIELD(field), BPF_FIELD_EXISTS)
#define bpf_core_field_size(field...) __builtin_preserve_field_info(OPSWAP_FIELD(field), BPF_FIELD_BYTE_SIZE)
#define bpf_core_field_offset(field...) __builtin_preserve_field_info(OPSWAP_FIELD(field), BPF_FIELD_BYTE_OFFSET)

#define bpf_core_type_id_local(type) __builtin_btf_type_id(*(typeof(type) *)0, BPF_TYPE_ID_LOCAL)
#define bpf_core_type_id_kernel(type) __builtin_btf_type_id(*(typeof(type) *)0, BPF_TYPE_ID_TARGET)
#define bpf_core_type_exists(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_EXISTS)
#define bpf_core_type_size(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_SIZE)
#define bpf_core_type_matches(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_MATCHES)
#define bpf_core_enum_value_exists(type, value) \
	__builtin_preserve_enum_value(*(typeof(type) *)value, BPF_ENUMVAL_EXISTS)
#define bpf_core_enum_value(type, value) \
	__builtin_preserve_enum_value(*(typeof(type) *)value, BPF_ENUMVAL_VALUE)

/* ---- Bit fields: word and shifts are asked of the loader, since they differ from kernel to kernel. ---- */

#define OPSWAP_BITS(object, field, load)                                                           \
	({                                                                                         \
		const void *word_ = (const void *)(object) + __builtin_preserve_field_info((object)->field, BPF_FIELD_BYTE_OFFSET); \
		unsigned long long bits_ = 0;                                                      \
		load(__builtin_preserve_field_info((object)->field, BPF_FIELD_BYTE_SIZE));         \
		bits_ <<= __builtin_preserve_field_info((object)->field, BPF_FIELD_LSHIFT_U64);    \
		if (__builtin_preserve_field_info((object)->field, BPF_FIELD_SIGNED))              \
			bits_ = (long long)bits_ >> __builtin_preserve_field_info((object)->field, BPF_FIELD_RSHIFT_U64); \
		else                                                                               \
			bits_ >>= __builtin_preserve_field_info((object)->field, BPF_FIELD_RSHIFT_U64); \
		bits_;                                                                             \
	})
#define OPSWAP_LOAD(size)                                                                          \
	switch (size) {                                                                            \
	case 1: bits_ = *(const unsigned char *)word_; break;                                      \
	case 2: bits_ = *(const unsigned short *)word_; break;                                     \
	case 4: bits_ = *(const unsigned int *)word_; break;                                       \
	case 8: bits_ = *(const unsigned long long *)word_; break;                                 \
	}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OPSWAP_PROBE(size) bpf_probe_read_kernel(&bits_, size, word_)
#else
#define OPSWAP_PROBE(size) bpf_probe_read_kernel((void *)&bits_ + 8 - (size), size, word_)
#endif

/* Through a pointer that the verifier knows, and through any. */
#define BPF_CORE_READ_BITFIELD(object, field) OPSWAP_BITS(object, field, OPSWAP_LOAD)
#define BPF_CORE_READ_BITFIELD_PROBED(object, field) OPSWAP_BITS(object, field, OPSWAP_PROBE)

/* ---- Reading through any pointer, hop by hop: BPF_CORE_READ(sk, sk_socket, file, f_flags). ---- */

#define bpf_core_read(to, size, from) bpf_probe_read_kernel(to, size, (const void *)__builtin_preserve_access_index(from))
#define bpf_core_read_user(to, size, from) bpf_probe_read_user(to, size, (const void *)__builtin_preserve_access_index(from))
#define bpf_core_read_str(to, size, from) bpf_probe_read_kernel_str(to, size, (const void *)__builtin_preserve_access_index(from))
#define bpf_core_read_user_str(to, size, from) bpf_probe_read_user_str(to, size, (const void *)__builtin_preserve_access_index(from))

extern void *bpf_rdonly_cast(const void *object, unsigned int type) __ksym __weak;
#define bpf_core_cast(pointer, type) ((typeof(type) *)bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(type)))

/* The expression `from->a->b`, of any length. */
#define OPSWAP_PATH1(from, a) (from)->a
#define OPSWAP_PATH2(from, a, b) (from)->a->b
#define OPSWAP_PATH3(from, a, b, c) (from)->a->b->c
#define OPSWAP_PATH4(from, a, b, c, d) (from)->a->b->c->d
#define OPSWAP_PATH5(from, a, b, c, d, e) (from)->a->b->c->d->e
#define OPSWAP_PATH6(from, a, b, c, d, e, f) (from)->a->b->c->d->e->f
#define OPSWAP_PATH7(from, a, b, c, d, e, f, g) (from)->a->b->c->d->e->f->g
#define OPSWAP_PATH8(from, a, b, c, d, e, f, g, h) (from)->a->b->c->d->e->f->g->h
#define OPSWAP_PATH9(from, a, b, c, d, e, f, g, h, i) (from)->a->b->c->d->e->f->g->h->i
#define OPSWAP_PATH(from, path...) OPSWAP_CAT(OPSWAP_PATH, OPSWAP_COUNT(path))(from, path)

/* All hops but the last read a pointer; the last reads into `to`. */
#define OPSWAP_HOP(type, pointer, field, plain) plain(&hop_, sizeof(hop_), &((typeof(type))(pointer))->field)
#define OPSWAP_LAST(type, pointer, field, last, to) last(to, sizeof(*(to)), &((typeof(type))(pointer))->field)
#define OPSWAP_READ1(plain, last, to, from, a) OPSWAP_LAST(from, from, a, last, to)
#define OPSWAP_READ2(plain, last, to, from, a, b) \
	({ const void *hop_; OPSWAP_HOP(from, from, a, plain); OPSWAP_LAST((from)->a, hop_, b, last, to); })
#define OPSWAP_READ3(plain, last, to, from, a, b, c) \
	({ const void *hop_; OPSWAP_HOP(from, from, a, plain); OPSWAP_HOP((from)->a, hop_, b, plain); OPSWAP_LAST((from)->a->b, hop_, c, last, to); })
#define OPSWAP_READ4(plain, last, to, from, a, b, c, d) \
	({ const void *hop_; OPSWAP_HOP(from, from, a, plain); OPSWAP_HOP((from)->a, hop_, b, plain); OPSWAP_HOP((from)->a->b, hop_, c, plain); OPSWAP_LAST((from)->a->b->c, hop_, d, last, to); })
#define OPSWAP_READ5(plain, last, to, from, a, b, c, d, e) \
	({ const void *hop_; OPSWAP_HOP(from, from, a, plain); OPSWAP_HOP((from)->a, hop_, b, plain); OPSWAP_HOP((from)->a->b, hop_, c, plain); OPSWAP_HOP((from)->a->b->c, hop_, d, plain); OPSWAP_LAST((from)->a->b->c->d, hop_, e, last, to); })
#define OPSWAP_READ6(plain, last, to, from, a, b, c, d, e, f) \
	({ const void *hop_; OPSWAP_HOP(from, from, a, plain); OPSWAP_HOP((from)->a, hop_, b, plain); OPSWAP_HOP((from)->a->b, hop_, c, plain); OPSWAP_HOP((from)->a->b->c, hop_, d, plain); OPSWAP_HOP((from)->a->b->c->d, hop_, e, plain); OPSWAP_LAST((from)->a->b->c->d->e, hop_, f, last, to); })
#define OPSWAP_READ7(plain, last, to, from, a, b, c, d, e, f, g) \
	({ const void *hop_; OPSWAP_HOP(from, from, a, plain); OPSWAP_HOP((from)->a, hop_, b, plain); OPSWAP_HOP((from)->a->b, hop_, c, plain); OPSWAP_HOP((from)->a->b->c, hop_, d, plain); OPSWAP_HOP((from)->a->b->c->d, hop_, e, plain); OPSWAP_HOP((from)->a->b->c->d->e, hop_, f, plain); OPSWAP_LAST((from)->a->b->c->d->e->f, hop_, g, last, to); })
#define OPSWAP_READ8(plain, last, to, from, a, b, c, d, e, f, g, h) \
	({ const void *hop_; OPSWAP_HOP(from, from, a, plain); OPSWAP_HOP((from)->a, hop_, b, plain); OPSWAP_HOP((from)->a->b, hop_, c, plain); OPSWAP_HOP((from)->a->b->c, hop_, d, plain); OPSWAP_HOP((from)->a->b->c->d, hop_, e, plain); OPSWAP_HOP((from)->a->b->c->d->e, hop_, f, plain); OPSWAP_HOP((from)->a->b->c->d->e->f, hop_, g, plain); OPSWAP_LAST((from)->a->b->c->d->e->f->g, hop_, h, last, to); })
#define OPSWAP_READ9(plain, last, to, from, a, b, c, d, e, f, g, h, i) \
	({ const void *hop_; OPSWAP_HOP(from, from, a, plain); OPSWAP_HOP((from)->a, hop_, b, plain); OPSWAP_HOP((from)->a->b, hop_, c, plain); OPSWAP_HOP((from)->a->b->c, hop_, d, plain); OPSWAP_HOP((from)->a->b->c->d, hop_, e, plain); OPSWAP_HOP((from)->a->b->c->d->e, hop_, f, plain); OPSWAP_HOP((from)->a->b->c->d->e->f, hop_, g, plain); OPSWAP_HOP((from)->a->b->c->d->e->f->g, hop_, h, plain); OPSWAP_LAST((from)->a->b->c->d->e->f->g->h, hop_, i, last, to); })
#define OPSWAP_READ(plain, last, to, from, path...) OPSWAP_CAT(OPSWAP_READ, OPSWAP_COUNT(path))(plain, last, to, from, path)
#define OPSWAP_VALUE(plain, from, path...)                                                         \
	({                                                                                         \
		typeof(OPSWAP_PATH(from, path)) value_;                                            \
		OPSWAP_READ(plain, plain, &value_, from, path);                                    \
		value_;                                                                            \
	})

#define BPF_CORE_READ_INTO(to, from, path...) OPSWAP_READ(bpf_core_read, bpf_core_read, to, from, path)
#define BPF_CORE_READ_USER_INTO(to, from, path...) OPSWAP_READ(bpf_core_read_user, bpf_core_read_user, to, from, path)
#define BPF_CORE_READ_STR_INTO(to, from, path...) OPSWAP_READ(bpf_core_read, bpf_core_read_str, to, from, path)
#define BPF_PROBE_READ_INTO(to, from, path...) OPSWAP_READ(bpf_probe_read_kernel, bpf_probe_read_kernel, to, from, path)
#define BPF_PROBE_READ_STR_INTO(to, from, path...) OPSWAP_READ(bpf_probe_read_kernel, bpf_probe_read_kernel_str, to, from, path)
#define BPF_CORE_READ(from, path...) OPSWAP_VALUE(bpf_core_read, from, path)
#define BPF_CORE_READ_USER(from, path...) OPSWAP_VALUE(bpf_core_read_user, from, path)
#define BPF_PROBE_READ(from, path...) OPSWAP_VALUE(bpf_probe_read_kernel, from, path)

#endif
