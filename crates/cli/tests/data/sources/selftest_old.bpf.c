// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The shape of the kernel's own tests up to Linux 6.9: headers for programs, and a cut-down socket in bpf_tcp_helpers.h. */
#include <errno.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include <linux/stddef.h>
#include <linux/tcp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_tcp_helpers.h"

char _license[] SEC("license") = "GPL";

extern unsigned long CONFIG_HZ __kconfig;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

struct mine {
	__u32 began;
	__u32 min_rtt_us;
};

SEC("struct_ops/old_init")
void BPF_PROG(old_init, struct sock *sk)
{
	struct mine *ca = inet_csk_ca(sk);

	ca->began = tcp_jiffies32;
	ca->min_rtt_us = 0;
}

void BPF_STRUCT_OPS(old_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_is_cwnd_limited(sk))
		return;
	if (tcp_in_slow_start(tp)) {
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	tcp_cong_avoid_ai(tp, tp->snd_cwnd, acked);
}

__u32 BPF_STRUCT_OPS(old_ssthresh, struct sock *sk)
{
	return max(tcp_sk(sk)->snd_cwnd >> 1U, 2U);
}

void BPF_STRUCT_OPS(old_set_state, struct sock *sk, __u8 new_state)
{
	struct mine *ca = inet_csk_ca(sk);

	if (new_state == TCP_CA_Loss && before(ca->began, tcp_jiffies32 - (__u32)CONFIG_HZ))
		ca->began = tcp_jiffies32;
}

void BPF_STRUCT_OPS(old_acked, struct sock *sk, const struct ack_sample *sample)
{
	struct mine *ca = inet_csk_ca(sk);

	if (sample->rtt_us > 0)
		ca->min_rtt_us = min_not_zero(ca->min_rtt_us, (__u32)sample->rtt_us);
}

__u32 BPF_STRUCT_OPS(old_undo, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC(".struct_ops")
struct tcp_congestion_ops old_style = {
	.init = (void *)old_init,
	.cong_avoid = (void *)old_cong_avoid,
	.ssthresh = (void *)old_ssthresh,
	.set_state = (void *)old_set_state,
	.pkts_acked = (void *)old_acked,
	.undo_cwnd = (void *)old_undo,
	.name = "bpf_old_style",
};
