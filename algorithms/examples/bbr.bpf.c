// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A small congestion control after the idea of BBR (Cardwell et al., "BBR: Congestion-Based Congestion Control", 2016): it measures what the path
 * can carry and how long it is, sends at that rate, and lets no more be in flight than fits. Losses are no signal to it.
 *
 * The rate is the largest of the last five to ten round trips, the length the shortest round trip of ten seconds. Beside BBR it has no long-term
 * rate for policers, no allowance for aggregated ACKs, and a cycle that begins at the same phase in each connection.
 */
#include "opswap_tcp.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Gains are 256ths. */
#define ONE 256
/* 2 / ln 2: the least gain that doubles the rate each round trip. */
#define STARTUP_GAIN 739
/* Its inverse empties in one round trip the queue that startup made. */
#define DRAIN_GAIN 88
/* Twice what fits may be in flight, so that delayed ACKs do not stop the sender. */
#define CRUISE_CWND_GAIN (2 * ONE)
/* A little below the measured rate, so that no queue stands. */
#define PACING_MARGIN_PERCENT 1

/* Rates are packets a second, times 2^8. */
#define RATE_BITS 8
#define USEC_PER_SEC 1000000ull
/* The larger of two spans of so many round trips each holds the best rate. */
#define RATE_ROUNDS 5
/* The pipe is full when the rate has not grown by a quarter in three round trips. */
#define FULL_ROUNDS 3
/* A shortest round trip that is older than this is measured anew, with a nearly empty pipe for at least 200 ms. */
#define MIN_RTT_EXPIRES_US (10 * USEC_PER_SEC)
#define PROBE_RTT_US 200000
#define CWND_MIN 4

enum mode { STARTUP, DRAIN, CRUISE, PROBE_RTT };

/* Lives in icsk_ca_priv. */
struct my_bbr_state {
	u64 rate[2];		/* the best of this span of round trips and of the span before */
	u64 full_rate;		/* the rate that startup has reached, to see whether it still grows */
	u64 min_rtt_at_us;	/* when min_rtt_us was measured */
	u64 phase_began_us;	/* the phase of the cycle, or the pause of PROBE_RTT; 0: not yet */
	u32 min_rtt_us;		/* 0: not measured */
	u32 round_end;		/* tcp_sock.delivered at which this round trip ends */
	u32 rounds;		/* of this span */
	u32 cwnd_before;	/* window before a recovery or PROBE_RTT */
	u8 mode;
	u8 phase;		/* of the cycle */
	u8 full_rounds;		/* without growth; FULL_ROUNDS: the pipe is full */
	u8 ca_state;		/* TCP_CA_* at the ACK before */
	u8 conserve;		/* first round trip of a recovery: a packet for a packet */
	u8 round_began;		/* with this ACK */
};
_Static_assert(sizeof(struct my_bbr_state) <= ICSK_CA_PRIV_SIZE, "must fit into icsk_ca_priv");

inline_always u64 best_rate(const struct my_bbr_state *ca)
{
	return ca->rate[0] > ca->rate[1] ? ca->rate[0] : ca->rate[1];
}

inline_always bool is_full(const struct my_bbr_state *ca)
{
	return ca->full_rounds >= FULL_ROUNDS;
}

/* Each phase lasts a shortest round trip: probe for more, give way for what that queued, then six at the rate. */
inline_always u32 pacing_gain(const struct my_bbr_state *ca)
{
	if (ca->mode == STARTUP)
		return STARTUP_GAIN;
	if (ca->mode == DRAIN)
		return DRAIN_GAIN;
	if (ca->mode == PROBE_RTT)
		return ONE;
	return ca->phase == 0 ? ONE * 5 / 4 : ca->phase == 1 ? ONE * 3 / 4 : ONE;
}

/* What fits into the path, times `gain`, in packets. */
inline_always u32 inflight_target(const struct tcp_sock *tp, const struct my_bbr_state *ca, u32 gain)
{
	u64 fits = (best_rate(ca) >> RATE_BITS) * ca->min_rtt_us / USEC_PER_SEC;

	/* Nothing is known yet: the initial window. Otherwise some room for bursts that the sender makes itself. */
	if (!ca->min_rtt_us || !fits)
		return max_u32(tp->snd_cwnd, CWND_MIN);
	return max_u32(min_u64(fits * gain / ONE + 4, ~0u >> 1), CWND_MIN);
}

inline_always void set_pacing(struct sock *sk, const struct my_bbr_state *ca, u64 rate, u32 gain)
{
	u64 bytes = ((rate * tcp_sk(sk)->mss_cache >> RATE_BITS) * gain / ONE) * (100 - PACING_MARGIN_PERCENT) / 100;

	bytes = min_u64(bytes, sk->sk_max_pacing_rate);
	/* Until the pipe is full, a low sample is no reason to slow down. */
	if (is_full(ca) || bytes > sk->sk_pacing_rate)
		sk->sk_pacing_rate = bytes;
}

/* Called when the connection is established, and when a socket changes to this algorithm. */
OPS1(void, my_bbr_init, struct sock *, sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct my_bbr_state *ca = private_of(sk);
	u32 rtt_us = tp->srtt_us >> 3;

	__builtin_memset(ca, 0, sizeof(*ca));
	ca->min_rtt_us = rtt_us ? min_u32(rtt_us, min_rtt_us(tp)) : 0;
	ca->min_rtt_at_us = tp->tcp_mstamp;
	ca->round_end = tp->delivered;
	tp->snd_ssthresh = 0x7fffffff;
	/* The kernel paces, unless a queueing discipline does already. */
	if (sk->sk_pacing_status == SK_PACING_NONE)
		sk->sk_pacing_status = SK_PACING_NEEDED;
	/* The initial window over the first round trip; over a millisecond if that is not known. */
	sk->sk_pacing_rate = 0;
	set_pacing(sk, ca, ((u64)tp->snd_cwnd << RATE_BITS) * USEC_PER_SEC / max_u32(rtt_us, 1000), STARTUP_GAIN);
}

/* Counts round trips and takes the best rate of each span. */
inline_always void see_rate(const struct tcp_sock *tp, struct my_bbr_state *ca, const struct rate_sample *rs)
{
	u64 rate;

	ca->round_began = 0;
	if (rs->delivered <= 0 || rs->interval_us <= 0)
		return;
	if ((s32)(rs->prior_delivered - ca->round_end) >= 0) {
		ca->round_end = tp->delivered;
		ca->round_began = 1;
		ca->conserve = 0;
		/* While the application is the limit, what was measured before it stays. */
		if (!rs->is_app_limited && ++ca->rounds >= RATE_ROUNDS) {
			ca->rounds = 0;
			ca->rate[1] = ca->rate[0];
			ca->rate[0] = 0;
		}
	}
	rate = ((u64)rs->delivered << RATE_BITS) * USEC_PER_SEC / (u64)rs->interval_us;
	/* An application that paused makes a low rate, which says nothing of the path; a high one does. */
	if (rate > ca->rate[0] && (!rs->is_app_limited || rate >= best_rate(ca)))
		ca->rate[0] = rate;
}

/* Startup ends when the rate grows no more. */
inline_always void see_full_pipe(struct my_bbr_state *ca, const struct rate_sample *rs)
{
	if (is_full(ca) || !ca->round_began || rs->is_app_limited)
		return;
	if (best_rate(ca) >= ca->full_rate + ca->full_rate / 4) {
		ca->full_rate = best_rate(ca);
		ca->full_rounds = 0;
		return;
	}
	ca->full_rounds++;
}

inline_always void cruise(struct my_bbr_state *ca, u64 now)
{
	ca->mode = CRUISE;
	ca->phase = 2;
	ca->phase_began_us = now;
}

/* The phases of the cycle; probing ends early when the queue that it wanted is there, giving way when it is gone. */
inline_always void turn_cycle(const struct tcp_sock *tp, struct my_bbr_state *ca, const struct rate_sample *rs)
{
	u64 now = tp->tcp_mstamp;
	bool over = now - ca->phase_began_us > ca->min_rtt_us;

	if (ca->phase == 0)
		over = over && (rs->losses > 0 || rs->prior_in_flight >= inflight_target(tp, ca, ONE * 5 / 4));
	if (ca->phase == 1)
		over = over || rs->prior_in_flight <= inflight_target(tp, ca, ONE);
	if (!over)
		return;
	ca->phase = (ca->phase + 1) & 7;
	ca->phase_began_us = now;
}

inline_always void see_min_rtt(struct tcp_sock *tp, struct my_bbr_state *ca, const struct rate_sample *rs)
{
	u64 now = tp->tcp_mstamp;
	bool expired = now - ca->min_rtt_at_us > MIN_RTT_EXPIRES_US;

	if (rs->rtt_us >= 0 && (!ca->min_rtt_us || rs->rtt_us <= ca->min_rtt_us || (expired && !rs->is_ack_delayed))) {
		ca->min_rtt_us = max_u32(rs->rtt_us, 1);
		ca->min_rtt_at_us = now;
	}
	if (expired && is_full(ca) && ca->mode != PROBE_RTT) {
		ca->mode = PROBE_RTT;
		ca->cwnd_before = max_u32(ca->cwnd_before, tp->snd_cwnd);
		ca->phase_began_us = 0;
	}
	if (ca->mode != PROBE_RTT)
		return;
	/* What is in flight is small on purpose: rates of this time say nothing. */
	tp->app_limited = max_u32(tp->delivered + packets_in_flight(tp), 1);
	if (!ca->phase_began_us) {
		if (packets_in_flight(tp) <= CWND_MIN)
			ca->phase_began_us = now;
	} else if (now - ca->phase_began_us > PROBE_RTT_US && ca->round_began) {
		ca->min_rtt_at_us = now;
		tp->snd_cwnd = max_u32(tp->snd_cwnd, ca->cwnd_before);
		ca->cwnd_before = 0;
		cruise(ca, now);
	}
}

inline_always void set_cwnd(struct tcp_sock *tp, struct my_bbr_state *ca, const struct rate_sample *rs, u8 state)
{
	u32 cwnd = tp->snd_cwnd, acked = rs->acked_sacked;
	u32 target = inflight_target(tp, ca, ca->mode == STARTUP || ca->mode == DRAIN ? STARTUP_GAIN : CRUISE_CWND_GAIN);

	/* A recovery sends a packet for each that left, for one round trip; after it the window is as before. */
	if (rs->losses > 0)
		cwnd = cwnd > (u32)rs->losses ? cwnd - rs->losses : 1;
	if (state == TCP_CA_RECOVERY && ca->ca_state != TCP_CA_RECOVERY) {
		ca->conserve = 1;
		ca->round_end = tp->delivered;
		cwnd = packets_in_flight(tp) + acked;
	} else if (ca->ca_state >= TCP_CA_RECOVERY && state < TCP_CA_RECOVERY) {
		cwnd = max_u32(cwnd, ca->cwnd_before);
		ca->cwnd_before = 0;
		ca->conserve = 0;
	}
	ca->ca_state = state;
	if (ca->conserve)
		cwnd = max_u32(cwnd, packets_in_flight(tp) + acked);
	else if (is_full(ca))
		cwnd = min_u32(cwnd + acked, target);
	else if (cwnd < target)
		cwnd += acked;
	cwnd = max_u32(cwnd, CWND_MIN);
	if (ca->mode == PROBE_RTT)
		cwnd = CWND_MIN;
	tp->snd_cwnd = min_u32(cwnd, tp->snd_cwnd_clamp);
}

/* Called with each ACK, in place of cong_avoid; the kernel then leaves window and pacing rate alone. */
OPS4(void, my_bbr_cong_control, struct sock *, sk, u32, ack, int, flag, const struct rate_sample *, rs)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)sk;
	struct tcp_sock *tp = tcp_sk(sk);
	struct my_bbr_state *ca = private_of(sk);

	see_rate(tp, ca, rs);
	see_full_pipe(ca, rs);
	if (ca->mode == STARTUP && is_full(ca))
		ca->mode = DRAIN;
	if (ca->mode == DRAIN && packets_in_flight(tp) <= inflight_target(tp, ca, ONE))
		cruise(ca, tp->tcp_mstamp);
	if (ca->mode == CRUISE)
		turn_cycle(tp, ca, rs);
	see_min_rtt(tp, ca, rs);
	if (best_rate(ca))
		set_pacing(sk, ca, best_rate(ca), pacing_gain(ca));
	set_cwnd(tp, ca, rs, read_bits(icsk, icsk_ca_state));
}

/* A recovery begins (required). The window goes its own way; there is no threshold. */
OPS1(u32, my_bbr_ssthresh, struct sock *, sk)
{
	struct my_bbr_state *ca = private_of(sk);

	ca->cwnd_before = max_u32(ca->cwnd_before, tcp_sk(sk)->snd_cwnd);
	return tcp_sk(sk)->snd_ssthresh;
}

/* The losses were none (required): the window of before. */
OPS1(u32, my_bbr_undo_cwnd, struct sock *, sk)
{
	struct my_bbr_state *ca = private_of(sk);

	return max_u32(tcp_sk(sk)->snd_cwnd, ca->cwnd_before);
}

/* The machine of recovery enters a TCP_CA_* state: after a timeout the rate is looked for anew. */
OPS2(void, my_bbr_set_state, struct sock *, sk, u8, new_state)
{
	struct my_bbr_state *ca = private_of(sk);

	if (new_state == TCP_CA_LOSS) {
		ca->ca_state = TCP_CA_LOSS;
		ca->full_rate = 0;
	}
}

/* After a pause there is no queue: at the rate, not above it. */
OPS2(void, my_bbr_cwnd_event, struct sock *, sk, enum tcp_ca_event, event)
{
	struct my_bbr_state *ca = private_of(sk);

	if (event != CA_EVENT_TX_START || !tcp_sk(sk)->app_limited)
		return;
	ca->phase_began_us = ca->mode == CRUISE ? tcp_sk(sk)->tcp_mstamp : ca->phase_began_us;
	if (ca->mode == CRUISE)
		set_pacing(sk, ca, best_rate(ca), ONE);
}

/* Each ACK, before the window is looked at: CA_ACK_* flags. */
OPS2(void, my_bbr_in_ack_event, struct sock *, sk, u32, flags)
{
}

/* Packets were acknowledged; the rate sample says more. */
OPS2(void, my_bbr_pkts_acked, struct sock *, sk, const struct ack_sample *, sample)
{
}

/* Least packets of a burst: at a slow rate a second one would wait for the link. */
OPS1(u32, my_bbr_min_tso_segs, struct sock *, sk)
{
	return sk->sk_pacing_rate < 150000 ? 1 : 2;
}

/* So many windows fit into the send buffer. */
OPS1(u32, my_bbr_sndbuf_expand, struct sock *, sk)
{
	return 3;
}

/* The socket closes or changes to another algorithm; its private memory goes by itself. */
OPS1(void, my_bbr_release, struct sock *, sk)
{
}

/*
 * The table. `cong_avoid` has no place beside `cong_control`; `get_info` cannot be written in BPF; `owner`, `list` and `key` are the kernel's own.
 */
OPS_TABLE struct tcp_congestion_ops my_bbr_ops = {
	.init = (void *)my_bbr_init,
	.ssthresh = (void *)my_bbr_ssthresh,
	.cong_control = (void *)my_bbr_cong_control,
	.undo_cwnd = (void *)my_bbr_undo_cwnd,
	.set_state = (void *)my_bbr_set_state,
	.cwnd_event = (void *)my_bbr_cwnd_event,
	.in_ack_event = (void *)my_bbr_in_ack_event,
	.pkts_acked = (void *)my_bbr_pkts_acked,
	.min_tso_segs = (void *)my_bbr_min_tso_segs,
	.sndbuf_expand = (void *)my_bbr_sndbuf_expand,
	.release = (void *)my_bbr_release,
	/* TCP_CONG_NON_RESTRICTED: users without rights and other network namespaces may choose it. */
	.flags = TCP_CONG_NON_RESTRICTED,
	.name = "my_bbr",
};
