// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * CUBIC, RFC 9438, with HyStart (Ha and Rhee, "Taming the Elephants", 2008) to leave slow start.
 *
 * Runs on the clock that Linux's CUBIC uses, jiffies, and with its constants and its limits on how often the window
 * function is evaluated, so that windows can be compared with Linux's packet by packet. Two points of RFC 9438 are as
 * in Linux and not as in the RFC: the estimate of Reno's window keeps its slope when it passes the window of before
 * the loss (section 4.3 lets it grow by one a round from there), and the window may grow by half in a round trip.
 */
#include "opswap_tcp.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* beta_cubic = 0.7: what is left of the window after a loss, in 1024ths (section 4.6). */
#define BETA 717
#define BETA_ONE 1024
/* C = 0.4, in 1024ths of packets per second cubed (section 4.2 and 5). */
#define C_SCALED 410
/* Times inside the window function are in 1024ths of a second. */
#define TIME_BITS 10
/* Multiplied with a number of packets, this is packets / C with three times TIME_BITS: the cube of a time. */
#define PACKETS_TO_CUBE ((1ull << (3 * TIME_BITS + 10)) / C_SCALED)
/* Eighths of a window to be acknowledged for one packet of Reno's growth: 8 (1 + beta) / (3 (1 - beta)) (section 4.3). */
#define FRIENDLY_EIGHTHS (8 * (BETA_ONE + BETA) / 3 / (BETA_ONE - BETA))
/* Farther than this from the plateau, the cubic function stands still instead of overflowing: 256 s. */
#define FARTHEST (1ull << (8 + TIME_BITS))

/* HyStart: below this window it does not look. */
#define HYSTART_LOW_WINDOW 16
/* ACKs closer than this belong to one train. */
#define HYSTART_TRAIN_GAP_US 2000
/* So many round-trip times of a round before its minimum is believed. */
#define HYSTART_SAMPLES 8
/* The delay may rise by an eighth of the minimum, within these limits. */
#define HYSTART_RISE_MIN_US 4000
#define HYSTART_RISE_MAX_US 16000
#define USEC_PER_SEC 1000000
#define USEC_PER_MSEC 1000

/* Lives in icsk_ca_priv. Times are jiffies unless named otherwise. */
struct cubic {
	/* The current epoch: from one loss to the next. */
	u32 epoch;		/* when it began; 0: it begins with the next ACK */
	u32 w_max;		/* window before the last loss; 0: there was none */
	u32 plateau;		/* window around which the function is flat */
	u32 k;			/* from the start of the epoch to the plateau, 1024ths of a second */
	u32 acks_per_packet;	/* grow by one packet for so many acknowledged ones */
	u32 evaluated_at;	/* when acks_per_packet was computed … */
	u32 evaluated_for;	/* … and for which window */
	u32 w_est;		/* what Reno's window would be */
	u32 w_est_acked;	/* acknowledged packets that w_est has not used yet */
	u32 min_rtt_us;		/* 0: not measured */

	/* HyStart: the current round of slow start. */
	u32 round_began_us;
	u32 round_end_seq;
	u32 train_last_us;	/* the last ACK of the train */
	u32 round_min_rtt_us;
	u8 round_samples;
	u8 left_slow_start;
};
_Static_assert(sizeof(struct cubic) <= ICSK_CA_PRIV_SIZE, "must fit into icsk_ca_priv");

inline_always void forget_path(struct cubic *ca)
{
	ca->epoch = 0;
	ca->w_max = 0;
	ca->plateau = 0;
	ca->k = 0;
	ca->acks_per_packet = 0;
	ca->evaluated_at = 0;
	ca->evaluated_for = 0;
	ca->w_est = 0;
	ca->w_est_acked = 0;
	ca->min_rtt_us = 0;
	ca->left_slow_start = 0;
}

inline_always void begin_round(const struct tcp_sock *tp, struct cubic *ca)
{
	ca->round_began_us = (u32)tp->tcp_mstamp;
	ca->train_last_us = ca->round_began_us;
	ca->round_end_seq = tp->snd_nxt;
	ca->round_min_rtt_us = ~0u;
	ca->round_samples = 0;
}

/*
 * How many bits a number above zero needs: every bit below its highest is set, then the set ones are counted, in pairs,
 * in fours, in bytes. Written out because clang 14 to 16 break off at __builtin_clzll; they would do the same.
 */
inline_always u32 bit_length(u64 a)
{
	a |= a >> 1;
	a |= a >> 2;
	a |= a >> 4;
	a |= a >> 8;
	a |= a >> 16;
	a |= a >> 32;
	a -= (a >> 1) & 0x5555555555555555ull;
	a = (a & 0x3333333333333333ull) + ((a >> 2) & 0x3333333333333333ull);
	a = (a + (a >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (a * 0x0101010101010101ull) >> 56;
}

/*
 * The cube root of a number above zero, rounded down or up: Newton's method from a power of two that is not below the
 * root and at most twice as large, so five steps are enough. No branches: each would double the verifier's work.
 */
inline_always u32 cube_root(u64 a)
{
	u32 bits = bit_length(a);
	u64 x = 1ull << ((bits + 2) / 3);

	for (int step = 0; step < 5; step++)
		x = (2 * x + a / (x * x)) / 3;
	return x;
}

OPS1(void, cubic_init, struct sock *, sk)
{
	struct cubic *ca = private_of(sk);

	forget_path(ca);
	begin_round(tcp_sk(sk), ca);
}

/* After a loss (sections 4.6 and 4.7): the new threshold; w_max remembers where the loss was. */
OPS1(u32, cubic_ssthresh, struct sock *, sk)
{
	struct cubic *ca = private_of(sk);
	u32 cwnd = tcp_sk(sk)->snd_cwnd;

	ca->epoch = 0;
	if (cwnd < ca->w_max)
		/* Fast convergence: it was lower than last time, so someone else needs room. */
		ca->w_max = cwnd * (BETA_ONE + BETA) / (2 * BETA_ONE);
	else
		ca->w_max = cwnd;
	return max_u32(cwnd * BETA / BETA_ONE, 2);
}

inline_always void begin_epoch(struct cubic *ca, u32 cwnd, u32 acked, u32 now)
{
	ca->epoch = now;
	ca->w_est = cwnd;
	ca->w_est_acked = acked;
	if (ca->w_max <= cwnd) {
		ca->k = 0;
		ca->plateau = cwnd;
	} else {
		ca->k = cube_root((ca->w_max - cwnd) * PACKETS_TO_CUBE);
		ca->plateau = ca->w_max;
	}
}

/* W_cubic one round trip from now: C (t - K)^3 + W_max (section 4.2, equation 1). */
inline_always u32 cubic_window(const struct cubic *ca, u32 now)
{
	u64 hz = CONFIG_HZ;
	u64 jiffy_us = USEC_PER_SEC / hz;
	u64 rtt = (ca->min_rtt_us + jiffy_us - 1) / jiffy_us;
	u64 t = (((u64)(now - ca->epoch) + rtt) << TIME_BITS) / hz;
	bool before = t < ca->k;
	u64 distance = before ? ca->k - t : t - ca->k;
	u64 packets;

	if (distance > FARTHEST)
		distance = FARTHEST;
	packets = (C_SCALED * distance * distance * distance) >> (3 * TIME_BITS + 10);
	if (!before)
		return ca->plateau + packets;
	return packets < ca->plateau ? ca->plateau - packets : 0;
}

/* How many packets must be acknowledged for the window to reach the cubic function in a round trip. */
inline_always u32 acks_for_cubic(const struct cubic *ca, u32 cwnd, u32 now)
{
	u32 target = cubic_window(ca, now);
	/* At or above the function: hardly at all, a hundredth of a packet a round trip. */
	u32 acks = target > cwnd ? cwnd / (target - cwnd) : 100 * cwnd;

	/* No loss seen yet, so nothing is known of the path: not slower than a packet for twenty. */
	if (ca->w_max == 0)
		acks = min_u32(acks, 20);
	return acks;
}

/* The same so that CUBIC is not slower than Reno (section 4.3). */
inline_always u32 acks_for_reno(struct cubic *ca, u32 cwnd, u32 acks)
{
	u32 per_packet = max_u32(cwnd * FRIENDLY_EIGHTHS / 8, 1);

	/* The estimate moves when more than a share is there, never on exactly one; so does Linux's. */
	if (ca->w_est_acked > per_packet) {
		u32 packets = (ca->w_est_acked - 1) / per_packet;

		ca->w_est_acked -= packets * per_packet;
		ca->w_est += packets;
	}
	if (ca->w_est > cwnd)
		acks = min_u32(acks, cwnd / (ca->w_est - cwnd));
	return acks;
}

/*
 * Keeps acks_per_packet up to date: the function is evaluated once a jiffy at most, and every 32nd of a second while
 * the window stays as it is; Reno's estimate with each ACK that comes past the second limit.
 */
inline_always void update(struct cubic *ca, u32 cwnd, u32 acked)
{
	u32 now = jiffies32();
	u32 acks;

	ca->w_est_acked += acked;
	if (ca->evaluated_for == cwnd && (s32)(now - ca->evaluated_at) <= (s32)(CONFIG_HZ / 32))
		return;

	acks = ca->acks_per_packet;
	if (ca->epoch == 0 || now != ca->evaluated_at) {
		ca->evaluated_for = cwnd;
		ca->evaluated_at = now;
		if (ca->epoch == 0)
			begin_epoch(ca, cwnd, acked, now);
		acks = acks_for_cubic(ca, cwnd, now);
	}
	acks = acks_for_reno(ca, cwnd, acks);
	/* Half a window in a round trip at most. */
	ca->acks_per_packet = max_u32(acks, 2);
}

OPS3(void, cubic_cong_avoid, struct sock *, sk, u32, ack, u32, acked)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct cubic *ca = private_of(sk);

	if (!is_cwnd_limited(tp))
		return;
	if (in_slow_start(tp)) {
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	update(ca, tp->snd_cwnd, acked);
	tcp_cong_avoid_ai(tp, ca->acks_per_packet, acked);
}

OPS2(void, cubic_set_state, struct sock *, sk, u8, new_state)
{
	if (new_state == TCP_CA_LOSS) {
		struct cubic *ca = private_of(sk);

		forget_path(ca);
		begin_round(tcp_sk(sk), ca);
	}
}

/* Sending again after a pause: the epoch moves by the pause, else the window would jump (section 5.8). */
OPS2(void, cubic_cwnd_event, struct sock *, sk, enum tcp_ca_event, event)
{
	struct cubic *ca = private_of(sk);
	u32 now, idle;

	if (event != CA_EVENT_TX_START || ca->epoch == 0)
		return;
	now = jiffies32();
	idle = now - tcp_sk(sk)->lsndtime;
	if ((s32)idle <= 0)
		return;
	ca->epoch = is_after(ca->epoch + idle, now) ? now : ca->epoch + idle;
}

/*
 * How long segmentation offload may delay an ACK: the time of four of the largest bursts at the pacing rate (which is
 * twice the real one in slow start), one millisecond at most.
 */
inline_always u32 train_allowance_us(const struct sock *sk)
{
	u64 rate = sk->sk_pacing_rate;
	u64 us;

	if (!rate)
		return 0;
	us = (u64)sk->sk_gso_max_size * 4 * USEC_PER_SEC / rate;
	return us < USEC_PER_MSEC ? us : USEC_PER_MSEC;
}

/* A train of ACKs as long as half the round trip says that the pipe is full. */
inline_always bool train_is_long(const struct sock *sk, const struct tcp_sock *tp, struct cubic *ca)
{
	u32 now = (u32)tp->tcp_mstamp;
	u32 longest;

	if ((s32)(now - ca->train_last_us) > HYSTART_TRAIN_GAP_US)
		return 0;
	ca->train_last_us = now;
	longest = ca->min_rtt_us + train_allowance_us(sk);
	/* Paced packets are spread over the round trip by the sender itself. */
	if (sk->sk_pacing_status == SK_PACING_NONE)
		longest /= 2;
	return now - ca->round_began_us > longest;
}

/* A minimum of this round that is clearly above that of the path says that a queue is building. */
inline_always bool delay_has_risen(struct cubic *ca, u32 rtt_us)
{
	u32 rise = ca->min_rtt_us / 8;

	ca->round_min_rtt_us = min_u32(ca->round_min_rtt_us, rtt_us);
	if (ca->round_samples < HYSTART_SAMPLES) {
		ca->round_samples++;
		return 0;
	}
	rise = min_u32(max_u32(rise, HYSTART_RISE_MIN_US), HYSTART_RISE_MAX_US);
	return ca->round_min_rtt_us > ca->min_rtt_us + rise;
}

inline_always void hystart(struct sock *sk, struct tcp_sock *tp, struct cubic *ca, u32 rtt_us)
{
	bool train, delay;

	if (is_after(tp->snd_una, ca->round_end_seq))
		begin_round(tp, ca);
	if (tp->snd_cwnd < HYSTART_LOW_WINDOW)
		return;
	train = train_is_long(sk, tp, ca);
	delay = delay_has_risen(ca, rtt_us);
	if (train || delay) {
		ca->left_slow_start = 1;
		tp->snd_ssthresh = tp->snd_cwnd;
	}
}

OPS2(void, cubic_pkts_acked, struct sock *, sk, const struct ack_sample *, sample)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct cubic *ca = private_of(sk);
	s32 rtt_us = sample->rtt_us;

	if (rtt_us < 0)
		return;
	/* The first second after a loss measures the queue that the retransmissions met. */
	if (ca->epoch && (s32)(jiffies32() - ca->epoch) < (s32)CONFIG_HZ)
		return;
	if (rtt_us == 0)
		rtt_us = 1;
	if (ca->min_rtt_us == 0 || ca->min_rtt_us > (u32)rtt_us)
		ca->min_rtt_us = rtt_us;
	if (!ca->left_slow_start && in_slow_start(tp))
		hystart(sk, tp, ca, rtt_us);
}

OPS1(u32, cubic_undo_cwnd, struct sock *, sk)
{
	return tcp_reno_undo_cwnd(sk);
}

OPS_TABLE struct tcp_congestion_ops cubic = {
	.init = (void *)cubic_init,
	.ssthresh = (void *)cubic_ssthresh,
	.cong_avoid = (void *)cubic_cong_avoid,
	.set_state = (void *)cubic_set_state,
	.cwnd_event = (void *)cubic_cwnd_event,
	.pkts_acked = (void *)cubic_pkts_acked,
	.undo_cwnd = (void *)cubic_undo_cwnd,
	.name = "bpf_cubic",
};
