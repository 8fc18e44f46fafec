/* Sub-programs, maps, data, a kernel function, and relocations by type that find nothing. */
#include "ops.h"
struct tcp_congestion_ops { u32 (*ssthresh)(struct sock *sk); char name[16]; };
struct missing_type { int field; } __core;
extern u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;
extern int no_such_function(int x) __ksym __weak;
struct { __uint(type, 1); __type(key, u32); __type(value, u64); __uint(max_entries, 8); } map SEC(".maps");
u32 counter = 4;
const volatile u32 limit = 9;
static __noinline u32 inner(u32 x) { return x + counter; }
static __noinline u32 outer(u32 x) { return inner(x) * 2 + inner(x + 1); }
SEC("struct_ops") u32 ssthresh(u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];
	u32 key = limit;
	u64 *found = bpf_map_lookup_elem(&map, &key);
	u32 result = outer(tcp_reno_undo_cwnd(sk)) + (found ? *found : 0);
	if (no_such_function)
		result += no_such_function(1);
	if (__builtin_preserve_field_info(((struct missing_type *)0)->field, 2))
		result += ((struct missing_type *)sk)->field;
	return result;
}
SEC(".struct_ops.link") struct tcp_congestion_ops all = { .ssthresh = (void *)ssthresh, .name = "all" };
