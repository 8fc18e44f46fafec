// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The shape of the kernel's own tests since Linux 6.10: vmlinux.h by way of bpf_tracing_net.h, and the kernel's functions. */
#include "bpf_tracing_net.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_kfuncs.h"
#include "bpf_misc.h"

char _license[] SEC("license") = "GPL";

#define max(a, b) ((a) > (b) ? (a) : (b))

extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

SEC("struct_ops")
void BPF_PROG(new_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	if (tcp_is_cwnd_limited(sk))
		tcp_reno_cong_avoid(sk, ack, acked);
}

SEC("struct_ops")
__u32 BPF_PROG(new_ssthresh, struct sock *sk)
{
	__u64 *seen = inet_csk_ca(sk);

	*seen += tcp_in_slow_start(tcp_sk(sk));
	return max(tcp_sk(sk)->snd_cwnd >> 1U, 2U);
}

SEC("struct_ops")
void BPF_PROG(new_event, struct sock *sk, enum tcp_ca_event event)
{
	if (event == CA_EVENT_LOSS)
		bpf_printk("%u %u %u", tcp_sk(sk)->snd_cwnd, tcp_sk(sk)->snd_ssthresh, tcp_jiffies32);
}

SEC("struct_ops")
__u32 BPF_PROG(new_undo, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC(".struct_ops.link")
struct tcp_congestion_ops new_style = {
	.cong_avoid = (void *)new_cong_avoid,
	.ssthresh = (void *)new_ssthresh,
	.cwnd_event = (void *)new_event,
	.undo_cwnd = (void *)new_undo,
	.name = "bpf_new_style",
};
