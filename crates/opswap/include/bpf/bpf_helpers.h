/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What programs expect of libbpf's bpf_helpers.h, written anew: sections, definitions of maps, attributes, the helpers and bpf_printk. Used where
 * libbpf's own is not installed.
 */
#ifndef __BPF_HELPERS__
#define __BPF_HELPERS__

#include "bpf_helper_defs.h"

/* ---- Where things go. ---- */

#ifndef SEC
#define SEC(name) __attribute__((section(name), used))
#endif
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif
#define __hidden __attribute__((visibility("hidden")))
#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))

/* ---- Maps: a structure whose members are pointers to arrays of so many, or to a type. ---- */

#define __uint(name, value) int (*name)[value]
#define __type(name, type) typeof(type) *name
#define __array(name, type) typeof(type) *name[]
#define __ulong(name, value) enum { OPSWAP_CAT(opswap_ulong_, __COUNTER__) = (value) } name

enum libbpf_pin_type {
	LIBBPF_PIN_NONE,
	LIBBPF_PIN_BY_NAME,
};

enum libbpf_tristate {
	TRI_NO,
	TRI_YES,
	TRI_MODULE,
};

/* ---- Tags in BTF. ---- */

#define __kptr_untrusted __attribute__((btf_type_tag("kptr_untrusted")))
#define __kptr __attribute__((btf_type_tag("kptr")))
#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#define __uptr __attribute__((btf_type_tag("uptr")))
#define __arg_ctx __attribute__((btf_decl_tag("arg:ctx")))
#define __arg_nonnull __attribute__((btf_decl_tag("arg:nonnull")))
#define __arg_nullable __attribute__((btf_decl_tag("arg:nullable")))
#define __arg_trusted __attribute__((btf_decl_tag("arg:trusted")))
#define __arg_untrusted __attribute__((btf_decl_tag("arg:untrusted")))
#define __arg_arena __attribute__((btf_decl_tag("arg:arena")))

/* ---- C. ---- */

#ifndef NULL
#define NULL ((void *)0)
#endif
#ifndef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
#ifndef container_of
#define container_of(pointer, type, member) ((type *)((void *)(pointer) - offsetof(type, member)))
#endif
#ifndef KERNEL_VERSION
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))
#endif
#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif
#ifndef barrier_var
#define barrier_var(var) asm volatile("" : "+r"(var))
#endif

/* Whether the kernel has a function or variable that is declared __ksym __weak. */
#define bpf_ksym_exists(symbol) (!!(symbol))

/* ---- Macros of macros: how many arguments, and one macro for each number. ---- */

#define OPSWAP_CAT_(a, b) a##b
#define OPSWAP_CAT(a, b) OPSWAP_CAT_(a, b)
#define OPSWAP_13TH(_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, n, ...) n
#define OPSWAP_COUNT(...) OPSWAP_13TH(_, ##__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

/* ---- Printing. ---- */

/* A list of arguments as the array of 64-bit numbers that some helpers take. */
#define OPSWAP_SLOTS0()
#define OPSWAP_SLOTS1(a) (unsigned long long)(a)
#define OPSWAP_SLOTS2(a, ...) (unsigned long long)(a), OPSWAP_SLOTS1(__VA_ARGS__)
#define OPSWAP_SLOTS3(a, ...) (unsigned long long)(a), OPSWAP_SLOTS2(__VA_ARGS__)
#define OPSWAP_SLOTS4(a, ...) (unsigned long long)(a), OPSWAP_SLOTS3(__VA_ARGS__)
#define OPSWAP_SLOTS5(a, ...) (unsigned long long)(a), OPSWAP_SLOTS4(__VA_ARGS__)
#define OPSWAP_SLOTS6(a, ...) (unsigned long long)(a), OPSWAP_SLOTS5(__VA_ARGS__)
#define OPSWAP_SLOTS7(a, ...) (unsigned long long)(a), OPSWAP_SLOTS6(__VA_ARGS__)
#define OPSWAP_SLOTS8(a, ...) (unsigned long long)(a), OPSWAP_SLOTS7(__VA_ARGS__)
#define OPSWAP_SLOTS9(a, ...) (unsigned long long)(a), OPSWAP_SLOTS8(__VA_ARGS__)
#define OPSWAP_SLOTS10(a, ...) (unsigned long long)(a), OPSWAP_SLOTS9(__VA_ARGS__)
#define OPSWAP_SLOTS11(a, ...) (unsigned long long)(a), OPSWAP_SLOTS10(__VA_ARGS__)
#define OPSWAP_SLOTS12(a, ...) (unsigned long long)(a), OPSWAP_SLOTS11(__VA_ARGS__)
#define OPSWAP_SLOTS(...) OPSWAP_CAT(OPSWAP_SLOTS, OPSWAP_COUNT(__VA_ARGS__))(__VA_ARGS__)

#define BPF_SEQ_PRINTF(seq, format, args...)                                                       \
	({                                                                                         \
		static const char format_[] = format;                                              \
		unsigned long long slots_[] = { OPSWAP_SLOTS(args) };                              \
		bpf_seq_printf(seq, format_, sizeof(format_), slots_, sizeof(slots_));             \
	})
#define BPF_SNPRINTF(out, size, format, args...)                                                   \
	({                                                                                         \
		static const char format_[] = format;                                              \
		unsigned long long slots_[] = { OPSWAP_SLOTS(args) };                              \
		bpf_snprintf(out, size, format_, slots_, sizeof(slots_));                          \
	})

/* Up to three arguments go in registers, which every kernel has; more in an array (Linux 5.16). */
#define OPSWAP_PRINT_FEW(format, args...)                                                          \
	({                                                                                         \
		static const char format_[] = format;                                              \
		bpf_trace_printk(format_, sizeof(format_), ##args);                                \
	})
#define OPSWAP_PRINT_MANY(format, args...)                                                         \
	({                                                                                         \
		static const char format_[] = format;                                              \
		unsigned long long slots_[] = { OPSWAP_SLOTS(args) };                              \
		bpf_trace_vprintk(format_, sizeof(format_), slots_, sizeof(slots_));               \
	})
#define OPSWAP_PRINT0 OPSWAP_PRINT_FEW
#define OPSWAP_PRINT1 OPSWAP_PRINT_FEW
#define OPSWAP_PRINT2 OPSWAP_PRINT_FEW
#define OPSWAP_PRINT3 OPSWAP_PRINT_FEW
#define OPSWAP_PRINT4 OPSWAP_PRINT_MANY
#define OPSWAP_PRINT5 OPSWAP_PRINT_MANY
#define OPSWAP_PRINT6 OPSWAP_PRINT_MANY
#define OPSWAP_PRINT7 OPSWAP_PRINT_MANY
#define OPSWAP_PRINT8 OPSWAP_PRINT_MANY
#define OPSWAP_PRINT9 OPSWAP_PRINT_MANY
#define OPSWAP_PRINT10 OPSWAP_PRINT_MANY
#define OPSWAP_PRINT11 OPSWAP_PRINT_MANY
#define OPSWAP_PRINT12 OPSWAP_PRINT_MANY
#define bpf_printk(format, args...) OPSWAP_CAT(OPSWAP_PRINT, OPSWAP_COUNT(args))(format, ##args)

/* ---- Loops that the verifier follows by an iterator (Linux 6.4). ---- */

struct bpf_iter_num;
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __weak __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __weak __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __weak __ksym;

#define OPSWAP_ITERATE(kind, it, value, args...)                                                   \
	for (struct bpf_iter_##kind it __attribute__((aligned(8), cleanup(bpf_iter_##kind##_destroy))), \
	     *OPSWAP_CAT(it, _started) __attribute__((unused)) = (bpf_iter_##kind##_new(&it, ##args), (void *)bpf_iter_##kind##_destroy, (void *)0); \
	     value;)
#ifndef bpf_for_each
#define bpf_for_each(kind, current, args...)                                                       \
	OPSWAP_ITERATE(kind, OPSWAP_CAT(it_, __LINE__), ((current) = bpf_iter_##kind##_next(&OPSWAP_CAT(it_, __LINE__))), args)
#endif
#ifndef bpf_for
#define bpf_for(i, start, end)                                                                     \
	OPSWAP_ITERATE(num, OPSWAP_CAT(it_, __LINE__), ({                                          \
		int *next_ = bpf_iter_num_next(&OPSWAP_CAT(it_, __LINE__));                        \
		next_ && ((i) = *next_, (i) >= (start) && (i) < (end));                            \
	}), (start), (end))
#endif
#ifndef bpf_repeat
#define bpf_repeat(n)                                                                              \
	OPSWAP_ITERATE(num, OPSWAP_CAT(it_, __LINE__), bpf_iter_num_next(&OPSWAP_CAT(it_, __LINE__)), 0, (n))
#endif

#endif
