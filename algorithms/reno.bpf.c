// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reno: slow start, congestion avoidance and halving, RFC 5681 with the byte counting of RFC 3465 done in packets.
 *
 * Everything is done here, with none of the kernel's own congestion control functions: read this file first to see
 * what a congestion control is.
 */
#include "opswap_tcp.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* After a loss: half the window, but two packets at least (RFC 5681, equation 4). */
OPS1(u32, reno_ssthresh, struct sock *, sk)
{
	return max_u32(tcp_sk(sk)->snd_cwnd / 2, 2);
}

/* Grows the window for `acked` newly acknowledged packets. */
OPS3(void, reno_cong_avoid, struct sock *, sk, u32, ack, u32, acked)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 cwnd = tp->snd_cwnd, count = tp->snd_cwnd_cnt;

	if (!is_cwnd_limited(tp))
		return;

	if (cwnd < tp->snd_ssthresh) {
		/* Slow start: one packet for each that was acknowledged, up to the threshold; the rest counts below. */
		u32 grown = min_u32(cwnd + acked, tp->snd_ssthresh);

		acked -= grown - cwnd;
		cwnd = grown;
	}
	if (acked) {
		/* Congestion avoidance: one packet for each full window. A count from a larger window gives one at most. */
		u32 window = max_u32(cwnd, 1);

		if (count >= window) {
			count = 0;
			cwnd++;
		}
		count += acked;
		if (count >= window) {
			cwnd += count / window;
			count %= window;
		}
	}
	tp->snd_cwnd_cnt = count;
	tp->snd_cwnd = min_u32(cwnd, tp->snd_cwnd_clamp);
}

/* The loss was none (reordering): back to the window from before. */
OPS1(u32, reno_undo_cwnd, struct sock *, sk)
{
	return max_u32(tcp_sk(sk)->snd_cwnd, tcp_sk(sk)->prior_cwnd);
}

OPS_TABLE struct tcp_congestion_ops reno = {
	.ssthresh = (void *)reno_ssthresh,
	.cong_avoid = (void *)reno_cong_avoid,
	.undo_cwnd = (void *)reno_undo_cwnd,
	.name = "bpf_reno",
};
