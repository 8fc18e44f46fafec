// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The shape of a larger project: its own vmlinux.h, found by -I, and libbpf's headers without their folder. */
#include "vmlinux.h"
#include "bpf_helpers.h"
#include "bpf_tracing.h"

#ifndef OF_THE_PROJECT
#error "another vmlinux.h than the project's"
#endif

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/own_ssthresh")
__u32 BPF_PROG(own_ssthresh, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	return tp->snd_cwnd > 2 * HALF_AT_LEAST ? tp->snd_cwnd / 2 : HALF_AT_LEAST;
}

SEC("struct_ops/own_cong_avoid")
void BPF_PROG(own_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	tp->snd_cwnd_cnt += acked;
	if (tp->snd_cwnd_cnt >= tp->snd_cwnd) {
		tp->snd_cwnd_cnt = 0;
		tp->snd_cwnd++;
	}
}

SEC("struct_ops/own_undo")
__u32 BPF_PROG(own_undo, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops own = {
	.ssthresh = (void *)own_ssthresh,
	.cong_avoid = (void *)own_cong_avoid,
	.undo_cwnd = (void *)own_undo,
	.name = "bpf_own_style",
};
