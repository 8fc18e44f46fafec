// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The shape of a small project that relies on libbpf's headers and a vmlinux.h which it does not bring, by way of a header of its own. */
#include "libbpf_common.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

const volatile __u32 least = 2;
__u64 losses;

SEC("struct_ops/lib_ssthresh")
__u32 BPF_PROG(lib_ssthresh, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	__u32 key = BPF_CORE_READ_BITFIELD(tp, is_cwnd_limited);
	__u64 *count = bpf_map_lookup_elem(&counts, &key);
	__u32 half = tp->snd_cwnd / 2;

	if (count)
		__sync_fetch_and_add(count, 1);
	losses++;
	if (bpf_core_field_exists(tp->snd_cwnd_cnt) && bpf_core_type_exists(struct tcp_sock))
		bpf_printk("half %u", half);
	return half > least ? half : least;
}

SEC("struct_ops/lib_cong_avoid")
void BPF_PROG(lib_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	tcp_reno_cong_avoid(sk, ack, acked);
}

SEC("struct_ops/lib_undo")
__u32 BPF_PROG(lib_undo, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC(".struct_ops.link")
struct tcp_congestion_ops lib = {
	.ssthresh = (void *)lib_ssthresh,
	.cong_avoid = (void *)lib_cong_avoid,
	.undo_cwnd = (void *)lib_undo,
	.name = "bpf_lib_style",
};
