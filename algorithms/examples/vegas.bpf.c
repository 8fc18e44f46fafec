// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A congestion control by delay, after the idea of Vegas (Brakmo and Peterson, "TCP Vegas: End to End Congestion Avoidance on a Global Internet",
 * 1995): the difference between the round trip and the shortest one tells how many packets stand in the queue, and the window is moved by one
 * packet a round trip to keep a few there.
 */
#include "opswap_tcp.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Fewer packets in the queue than this: the window grows; more than that: it shrinks. */
#define QUEUE_MIN 2
#define QUEUE_MAX 4
/* Slow start ends when so many packets stand in the queue. */
#define QUEUE_SLOW_START 1

/* Lives in icsk_ca_priv; zero when it begins. */
struct my_vegas_state {
	u32 base_rtt_us;	/* shortest round trip of the connection; 0: not measured */
	u32 round_rtt_us;	/* shortest of this round trip; 0: not measured */
	u32 round_end;		/* sequence number at which this round trip ends */
	u32 samples;		/* of this round trip */
	u32 cwnd_before;	/* window before the last loss */
};
_Static_assert(sizeof(struct my_vegas_state) <= ICSK_CA_PRIV_SIZE, "must fit into icsk_ca_priv");

inline_always void begin_round(const struct tcp_sock *tp, struct my_vegas_state *ca)
{
	ca->round_end = tp->snd_nxt;
	ca->round_rtt_us = 0;
	ca->samples = 0;
}

/* The connection is established, or an open socket changes to this algorithm. */
OPS1(void, my_vegas_init, struct sock *, sk)
{
	struct my_vegas_state *ca = private_of(sk);

	__builtin_memset(ca, 0, sizeof(*ca));
	begin_round(tcp_sk(sk), ca);
}

/* Packets were acknowledged: how many, and how long the round trip was (negative: not known). */
OPS2(void, my_vegas_pkts_acked, struct sock *, sk, const struct ack_sample *, sample)
{
	struct my_vegas_state *ca = private_of(sk);
	u32 rtt_us = sample->rtt_us;

	if (sample->rtt_us <= 0)
		return;
	if (!ca->base_rtt_us || rtt_us < ca->base_rtt_us)
		ca->base_rtt_us = rtt_us;
	if (!ca->round_rtt_us || rtt_us < ca->round_rtt_us)
		ca->round_rtt_us = rtt_us;
	ca->samples++;
}

/* How many packets of the window stand in the queue: those that do not fit into the shortest round trip. */
inline_always u32 queued(const struct my_vegas_state *ca, u32 cwnd)
{
	return (u64)cwnd * (ca->round_rtt_us - ca->base_rtt_us) / max_u32(ca->round_rtt_us, 1);
}

/* Required, unless there is a cong_control. `acked` packets were acknowledged, and nothing is wrong. */
OPS3(void, my_vegas_cong_avoid, struct sock *, sk, u32, ack, u32, acked)
{
	struct my_vegas_state *ca = private_of(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 cwnd = tp->snd_cwnd, queue;

	if (!is_after(ack, ca->round_end)) {
		/* Within a round trip the window grows in slow start alone. */
		if (in_slow_start(tp) && is_cwnd_limited(tp))
			tcp_slow_start(tp, acked);
		return;
	}
	/* With few samples, delayed ACKs could be all that was seen: go as Reno does. */
	if (ca->samples < 3) {
		begin_round(tp, ca);
		tcp_reno_cong_avoid(sk, ack, acked);
		return;
	}
	queue = queued(ca, cwnd);
	if (in_slow_start(tp)) {
		if (queue > QUEUE_SLOW_START) {
			/* The link is full: to what fits, and one packet a round trip from here on. */
			cwnd = max_u32(cwnd - min_u32(queue, cwnd), 2);
			tp->snd_ssthresh = cwnd;
		} else if (is_cwnd_limited(tp)) {
			cwnd += acked;
		}
	} else if (queue > QUEUE_MAX) {
		/* The threshold goes along: a window below it would be in slow start again. */
		cwnd--;
		tp->snd_ssthresh = min_u32(tp->snd_ssthresh, cwnd);
	} else if (queue < QUEUE_MIN && is_cwnd_limited(tp)) {
		cwnd++;
	}
	tp->snd_cwnd = min_u32(max_u32(cwnd, 2), tp->snd_cwnd_clamp);
	begin_round(tp, ca);
}

/* Required. Packets were lost: gives the new threshold, to which the kernel brings the window down while it recovers. */
OPS1(u32, my_vegas_ssthresh, struct sock *, sk)
{
	struct my_vegas_state *ca = private_of(sk);
	u32 cwnd = tcp_sk(sk)->snd_cwnd;

	ca->cwnd_before = cwnd;
	return max_u32(cwnd / 2, 2);
}

/* Required. The loss was none, packets only came in another order: gives the window to go back to. */
OPS1(u32, my_vegas_undo_cwnd, struct sock *, sk)
{
	struct my_vegas_state *ca = private_of(sk);

	return max_u32(tcp_sk(sk)->snd_cwnd, ca->cwnd_before);
}

/* TCP's recovery enters a TCP_CA_* state: what was measured before it says little. */
OPS2(void, my_vegas_set_state, struct sock *, sk, u8, new_state)
{
	if (new_state != TCP_CA_OPEN)
		begin_round(tcp_sk(sk), private_of(sk));
}

/* After a pause the path may be another. */
OPS2(void, my_vegas_cwnd_event, struct sock *, sk, enum tcp_ca_event, event)
{
	struct my_vegas_state *ca = private_of(sk);

	if (event != CA_EVENT_CWND_RESTART && event != CA_EVENT_TX_START)
		return;
	ca->base_rtt_us = 0;
	begin_round(tcp_sk(sk), ca);
}

/* Each ACK, before the window is looked at: CA_ACK_* flags. */
OPS2(void, my_vegas_in_ack_event, struct sock *, sk, u32, flags)
{
}

/* The least packets of a burst; 2 is what the kernel takes without this member. */
OPS1(u32, my_vegas_min_tso_segs, struct sock *, sk)
{
	return 2;
}

/* So many windows fit into the send buffer; 2 is what the kernel takes without this member. */
OPS1(u32, my_vegas_sndbuf_expand, struct sock *, sk)
{
	return 2;
}

/* The socket closes or changes to another algorithm; its private memory goes by itself. */
OPS1(void, my_vegas_release, struct sock *, sk)
{
}

/*
 * The table. Some members are not in it: with `cong_control`, called for each ACK with a delivery rate, `cong_avoid` is not called; `get_info`
 * cannot be written in BPF; `owner`, `list` and `key` are the kernel's own.
 */
OPS_TABLE struct tcp_congestion_ops my_vegas_ops = {
	.init = (void *)my_vegas_init,
	.ssthresh = (void *)my_vegas_ssthresh,
	.cong_avoid = (void *)my_vegas_cong_avoid,
	.undo_cwnd = (void *)my_vegas_undo_cwnd,
	.set_state = (void *)my_vegas_set_state,
	.cwnd_event = (void *)my_vegas_cwnd_event,
	.in_ack_event = (void *)my_vegas_in_ack_event,
	.pkts_acked = (void *)my_vegas_pkts_acked,
	.min_tso_segs = (void *)my_vegas_min_tso_segs,
	.sndbuf_expand = (void *)my_vegas_sndbuf_expand,
	.release = (void *)my_vegas_release,
	/* TCP_CONG_NON_RESTRICTED: users without rights and other network namespaces may choose it. */
	.flags = TCP_CONG_NON_RESTRICTED,
	.name = "my_vegas",
};
