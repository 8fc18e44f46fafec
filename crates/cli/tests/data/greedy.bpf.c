// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reno that takes more than it should; what of is chosen when it is compiled. From the root of the repository, for KIND one of ARRAYS, KEYS, ENDLESS, PRINTS and BRANCHES:
 *   clang-19 -DKIND -g -O2 -target bpf -mcpu=v3 -fdebug-compilation-dir=. -c crates/cli/tests/data/greedy.bpf.c -o crates/cli/tests/data/KIND.bpf.o
 *   llvm-strip-19 -g crates/cli/tests/data/KIND.bpf.o      (with the file's name in lower case)
 */
#include "../../../../algorithms/opswap_tcp.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const trace_printk)(const char *text, u32 size, ...) = (void *)6;

/* A map as libbpf has it declared: the numbers are lengths of arrays. */
#define MAP(name, kind, entries, key_type, value_type) \
	struct { int (*type)[kind]; int (*max_entries)[entries]; key_type *key; value_type *value; } name SEC(".maps")
#define HASH 1
#define ARRAY 2

#ifdef ARRAYS
/* Two gigabytes, declared. */
MAP(m0, ARRAY, 1 << 25, u32, u64);
MAP(m1, ARRAY, 1 << 25, u32, u64);
MAP(m2, ARRAY, 1 << 25, u32, u64);
MAP(m3, ARRAY, 1 << 25, u32, u64);
MAP(m4, ARRAY, 1 << 25, u32, u64);
MAP(m5, ARRAY, 1 << 25, u32, u64);
MAP(m6, ARRAY, 1 << 25, u32, u64);
MAP(m7, ARRAY, 1 << 25, u32, u64);

inline_always void count(void *map)
{
	u32 key = 7;
	u64 *value = map_lookup(map, &key);

	if (value)
		++*value;
}

inline_always void greedy(u32 ack)
{
	count(&m0);
	count(&m1);
	count(&m2);
	count(&m3);
	count(&m4);
	count(&m5);
	count(&m6);
	count(&m7);
}
#endif

#ifdef KEYS
/* Four megabytes in each key, about as much as a key may have. */
struct large {
	u64 number;
	char rest[(4 << 20) - 128];
};

MAP(seen, HASH, 1 << 27, struct large, u64);
MAP(scratch, ARRAY, 1, u32, struct large);
u64 number;

inline_always void greedy(u32 ack)
{
	u32 first = 0;
	u64 one = 1;
	struct large *key = map_lookup(&scratch, &first);

	if (!key)
		return;
	key->number = number++;
	map_update(&seen, key, &one, 0);
}
#endif

#ifdef ENDLESS
/* The verifier looks at each function once; together they would turn 3,000 to the power of six times. */
u64 sum;

#define LEVEL(name, inner)                                   \
	__attribute__((noinline)) int name(int x)            \
	{                                                    \
		int n = 0;                                   \
                                                             \
		for (int i = 0; i < 3000; i++) {             \
			n += inner;                          \
			sum += n;                            \
		}                                            \
		return n;                                    \
	}
LEVEL(level0, i ^ x)
LEVEL(level1, level0(x + i))
LEVEL(level2, level1(x + i))
LEVEL(level3, level2(x + i))
LEVEL(level4, level3(x + i))
LEVEL(level5, level4(x + i))

inline_always void greedy(u32 ack)
{
	sum += level5(ack);
}
#endif

#ifdef PRINTS
inline_always void greedy(u32 ack)
{
	static const char text[] = "ack %u\n";
	static const char unsupported[] = "name %s\n";

	trace_printk(text, sizeof(text), ack);
	trace_printk(unsupported, sizeof(unsupported), 0);
}
#endif

#ifdef BRANCHES
static u32 (*const get_random)(void) = (void *)7;

/* Thousands of branches that wait to be looked at, each with a whole stack of pointers that must be remembered. */
inline_always void greedy(u32 ack)
{
	volatile u64 one = 1, two = 2;
	volatile u64 *volatile stack[55];
	u64 sum = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < 55; i++)
		stack[i] = i % 3 ? &one : &two;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 8000; i++)
		if (get_random() & 1)
			stack[i % 2 + 3] = &one;
#pragma clang loop unroll(full)
	for (int i = 0; i < 55; i++)
		sum += *stack[i];
	one = sum;
}
#endif

OPS1(u32, greedy_ssthresh, struct sock *, sk)
{
	return max_u32(tcp_sk(sk)->snd_cwnd / 2, 2);
}

OPS3(void, greedy_cong_avoid, struct sock *, sk, u32, ack, u32, acked)
{
	greedy(ack);
	tcp_reno_cong_avoid(sk, ack, acked);
}

OPS1(u32, greedy_undo_cwnd, struct sock *, sk)
{
	return tcp_reno_undo_cwnd(sk);
}

OPS_TABLE struct tcp_congestion_ops greedy_ops = {
	.ssthresh = (void *)greedy_ssthresh,
	.cong_avoid = (void *)greedy_cong_avoid,
	.undo_cwnd = (void *)greedy_undo_cwnd,
	.name = "greedy",
};
