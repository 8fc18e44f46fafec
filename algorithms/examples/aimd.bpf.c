// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Additive increase, multiplicative decrease: the least that a congestion control does, with every member that the kernel calls. Change what you
 * like; the members marked "required" must stay.
 *
 * A program sees the socket as `sk`, or as `struct tcp_sock` by tcp_sk(sk). It may write snd_cwnd, snd_cwnd_cnt, snd_cwnd_stamp, snd_ssthresh,
 * app_limited, ecn_flags, sk_pacing_rate, sk_pacing_status, icsk_ack.pending, and its own 104 bytes. Windows are counted in packets.
 */
#include "opswap_tcp.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Packets that the window grows by in a round trip. */
#define INCREASE 1
/* What is left of the window after a loss, in percent. */
#define KEEP_PERCENT 50

/* What this socket's congestion control remembers; zero when it begins. */
struct my_aimd_state {
	u32 cwnd_before;	/* window before the last loss */
	u32 min_rtt_us;		/* shortest round trip; 0: not measured */
	u32 timeouts;
};
_Static_assert(sizeof(struct my_aimd_state) <= ICSK_CA_PRIV_SIZE, "must fit into icsk_ca_priv");

/* The connection is established, or an open socket changes to this algorithm. */
OPS1(void, my_aimd_init, struct sock *, sk)
{
	struct my_aimd_state *ca = private_of(sk);

	__builtin_memset(ca, 0, sizeof(*ca));
}

/* Required. Packets were lost: gives the new threshold, to which the kernel brings the window down while it recovers. */
OPS1(u32, my_aimd_ssthresh, struct sock *, sk)
{
	struct my_aimd_state *ca = private_of(sk);
	u32 cwnd = tcp_sk(sk)->snd_cwnd;

	ca->cwnd_before = cwnd;
	return max_u32(cwnd * KEEP_PERCENT / 100, 2);
}

/* Required, unless there is a cong_control. `acked` packets were acknowledged, and nothing is wrong: the window may grow. */
OPS3(void, my_aimd_cong_avoid, struct sock *, sk, u32, ack, u32, acked)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!is_cwnd_limited(tp))
		return;
	if (in_slow_start(tp)) {
		/* A packet for each acknowledged one, up to the threshold; gives those that are left. */
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	/* One packet for so many acknowledged ones: INCREASE in a window, which is a round trip. */
	tcp_cong_avoid_ai(tp, max_u32(tp->snd_cwnd / INCREASE, 1), acked);
}

/* Required. The loss was none, packets only came in another order: gives the window to go back to. */
OPS1(u32, my_aimd_undo_cwnd, struct sock *, sk)
{
	struct my_aimd_state *ca = private_of(sk);

	return max_u32(tcp_sk(sk)->snd_cwnd, ca->cwnd_before);
}

/* TCP's recovery enters a state: TCP_CA_OPEN, _DISORDER, _CWR, _RECOVERY, or _LOSS after a timeout. */
OPS2(void, my_aimd_set_state, struct sock *, sk, u8, new_state)
{
	struct my_aimd_state *ca = private_of(sk);

	if (new_state == TCP_CA_LOSS)
		ca->timeouts++;
}

/* Something else happened: CA_EVENT_TX_START, _CWND_RESTART, _COMPLETE_CWR, _LOSS, _ECN_NO_CE, _ECN_IS_CE. */
OPS2(void, my_aimd_cwnd_event, struct sock *, sk, enum tcp_ca_event, event)
{
}

/* Each ACK, before the window is looked at. `flags` are CA_ACK_*; CA_ACK_ECE: the path marked packets. */
OPS2(void, my_aimd_in_ack_event, struct sock *, sk, u32, flags)
{
}

/* Packets were acknowledged: how many, and how long the round trip was (negative: not known). */
OPS2(void, my_aimd_pkts_acked, struct sock *, sk, const struct ack_sample *, sample)
{
	struct my_aimd_state *ca = private_of(sk);

	if (sample->rtt_us > 0 && (!ca->min_rtt_us || (u32)sample->rtt_us < ca->min_rtt_us))
		ca->min_rtt_us = sample->rtt_us;
}

/* The least packets of a burst; 2 is what the kernel takes without this member. */
OPS1(u32, my_aimd_min_tso_segs, struct sock *, sk)
{
	return 2;
}

/* So many windows fit into the send buffer; 2 is what the kernel takes without this member. */
OPS1(u32, my_aimd_sndbuf_expand, struct sock *, sk)
{
	return 2;
}

/* The socket closes or changes to another algorithm; its 104 bytes go by themselves. */
OPS1(void, my_aimd_release, struct sock *, sk)
{
}

/*
 * The table. Some members are not in it: with `cong_control`, called for each ACK with a delivery rate, `cong_avoid` is not called (bbr has one);
 * `get_info` cannot be written in BPF; `owner`, `list` and `key` are the kernel's own.
 */
OPS_TABLE struct tcp_congestion_ops my_aimd_ops = {
	.init = (void *)my_aimd_init,
	.ssthresh = (void *)my_aimd_ssthresh,
	.cong_avoid = (void *)my_aimd_cong_avoid,
	.undo_cwnd = (void *)my_aimd_undo_cwnd,
	.set_state = (void *)my_aimd_set_state,
	.cwnd_event = (void *)my_aimd_cwnd_event,
	.in_ack_event = (void *)my_aimd_in_ack_event,
	.pkts_acked = (void *)my_aimd_pkts_acked,
	.min_tso_segs = (void *)my_aimd_min_tso_segs,
	.sndbuf_expand = (void *)my_aimd_sndbuf_expand,
	.release = (void *)my_aimd_release,
	/* TCP_CONG_NON_RESTRICTED: users without rights and other network namespaces may choose it. */
	.flags = TCP_CONG_NON_RESTRICTED,
	.name = "my_aimd",
};
