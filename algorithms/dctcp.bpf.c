// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * DCTCP, RFC 8257: the window shrinks in proportion to the share of packets that the path marked.
 *
 * Both ends must run it: the receiver reports each change of CE at once (section 3.2), the sender estimates the share
 * (section 3.3). Without ECN it must not run at all (section 3.5): then the socket is given Reno, or, where the kernel
 * does not allow that, this program behaves as Reno does.
 */
#include "opswap_tcp.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* alpha, the estimated share of marked packets, in 1024ths. It starts at one: careful until something is known. */
#define ALPHA_ONE 1024
#define ALPHA_BITS 10
/* g = 1/16: the weight of the last window in alpha. */
#define G_BITS 4

/* Lives in icsk_ca_priv. */
struct dctcp {
	/* The sender's half. */
	u32 alpha;
	u32 window_end;		/* sequence number at which this window of observation ends */
	u32 delivered;		/* tcp_sock.delivered and delivered_ce when it began */
	u32 delivered_ce;
	u32 cwnd_before;	/* window before the last reduction */
	/* The receiver's half. */
	u32 reported_upto;	/* rcv_nxt when the last packet had come */
	u32 ce;			/* whether that packet had CE */
	u32 without_ecn;	/* neither half: behave as Reno does */
};
_Static_assert(sizeof(struct dctcp) <= ICSK_CA_PRIV_SIZE, "must fit into icsk_ca_priv");

inline_always void begin_window(const struct tcp_sock *tp, struct dctcp *ca)
{
	ca->window_end = tp->snd_nxt;
	ca->delivered = tp->delivered;
	ca->delivered_ce = tp->delivered_ce;
}

OPS1(void, dctcp_init, struct sock *, sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct dctcp *ca = private_of(sk);

	ca->without_ecn = 0;
	if (!(tp->ecn_flags & TCP_ECN_OK)) {
		char reno[] = "reno";

		/* If this works the socket is Reno's from here on, and so are the bytes of `ca`. */
		if (bpf_setsockopt(sk, SOL_TCP, TCP_CONGESTION, reno, sizeof(reno)) == 0)
			return;
		ca->without_ecn = 1;
	}
	ca->alpha = ALPHA_ONE;
	ca->cwnd_before = 0;
	ca->reported_upto = tp->rcv_nxt;
	ca->ce = 0;
	begin_window(tp, ca);
}

/* Once a window: alpha = (1 - g) alpha + g M / N (section 3.3, steps 3 to 7). */
OPS2(void, dctcp_in_ack_event, struct sock *, sk, u32, flags)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct dctcp *ca = private_of(sk);
	u32 alpha, delivered, marked;

	if (is_after(ca->window_end, tp->snd_una))
		return;
	delivered = tp->delivered - ca->delivered;
	marked = tp->delivered_ce - ca->delivered_ce;
	alpha = ca->alpha;
	/* A small alpha, whose sixteenth is nothing in 1024ths, goes to zero at once. */
	alpha -= alpha >> G_BITS ? alpha >> G_BITS : alpha;
	if (marked)
		alpha += (marked << (ALPHA_BITS - G_BITS)) / max_u32(delivered, 1);
	ca->alpha = min_u32(alpha, ALPHA_ONE);
	begin_window(tp, ca);
}

/* The network marked: W = W (1 - alpha / 2) (section 3.3). */
OPS1(u32, dctcp_ssthresh, struct sock *, sk)
{
	struct dctcp *ca = private_of(sk);
	u32 cwnd = tcp_sk(sk)->snd_cwnd;
	u32 cut = ca->without_ecn ? cwnd - cwnd / 2 : (u32)(((u64)cwnd * ca->alpha) >> (ALPHA_BITS + 1));

	ca->cwnd_before = cwnd;
	return max_u32(cwnd - cut, 2);
}

/* A loss is answered as Reno does (section 3.4), in place of the proportional cut. */
inline_always void halve(struct tcp_sock *tp, struct dctcp *ca)
{
	ca->cwnd_before = tp->snd_cwnd;
	tp->snd_ssthresh = max_u32(tp->snd_cwnd / 2, 2);
}

OPS2(void, dctcp_set_state, struct sock *, sk, u8, new_state)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)sk;

	if (new_state == TCP_CA_RECOVERY && read_bits(icsk, icsk_ca_state) != TCP_CA_RECOVERY)
		halve(tcp_sk(sk), private_of(sk));
}

inline_always void echo_ce(struct tcp_sock *tp, u32 ce)
{
	if (ce)
		tp->ecn_flags |= TCP_ECN_DEMAND_CWR;
	else
		tp->ecn_flags &= ~TCP_ECN_DEMAND_CWR;
}

/*
 * The receiver, for each packet (section 3.2, figure 1): when CE changes, what was not acknowledged yet is, with the
 * old state, and the packet that changed it is acknowledged at once with the new one.
 */
inline_always void packet_came(struct sock *sk, u32 ce)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)sk;
	struct tcp_sock *tp = tcp_sk(sk);
	struct dctcp *ca = private_of(sk);

	if (ca->ce != ce) {
		if (icsk->icsk_ack.pending & ICSK_ACK_TIMER) {
			echo_ce(tp, ca->ce);
			bpf_tcp_send_ack(tp, ca->reported_upto);
		}
		icsk->icsk_ack.pending |= ICSK_ACK_NOW;
	}
	ca->reported_upto = tp->rcv_nxt;
	ca->ce = ce;
	echo_ce(tp, ce);
}

OPS2(void, dctcp_cwnd_event, struct sock *, sk, enum tcp_ca_event, event)
{
	struct dctcp *ca = private_of(sk);

	switch (event) {
	case CA_EVENT_ECN_NO_CE:
	case CA_EVENT_ECN_IS_CE:
		if (!ca->without_ecn)
			packet_came(sk, event == CA_EVENT_ECN_IS_CE);
		break;
	case CA_EVENT_LOSS:
		halve(tcp_sk(sk), ca);
		break;
	default:
		break;
	}
}

/* Growth is Reno's (section 3.3). */
OPS3(void, dctcp_cong_avoid, struct sock *, sk, u32, ack, u32, acked)
{
	tcp_reno_cong_avoid(sk, ack, acked);
}

OPS1(u32, dctcp_undo_cwnd, struct sock *, sk)
{
	struct dctcp *ca = private_of(sk);

	return max_u32(tcp_sk(sk)->snd_cwnd, ca->cwnd_before);
}

OPS_TABLE struct tcp_congestion_ops dctcp = {
	.init = (void *)dctcp_init,
	.in_ack_event = (void *)dctcp_in_ack_event,
	.cwnd_event = (void *)dctcp_cwnd_event,
	.ssthresh = (void *)dctcp_ssthresh,
	.cong_avoid = (void *)dctcp_cong_avoid,
	.set_state = (void *)dctcp_set_state,
	.undo_cwnd = (void *)dctcp_undo_cwnd,
	.flags = TCP_CONG_NEEDS_ECN,
	.name = "bpf_dctcp",
};
