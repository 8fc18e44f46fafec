// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reno that reads its bit field plainly, as most programs do that were written for one kernel. CO-RE finds the byte; the mask is that of
 * the header which the program was compiled against: Linux 6.18's (-DBEFORE=3) or Linux 6.12's (-DBEFORE=5).
 */
#include "../../../../../algorithms/opswap_tcp.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct tcp_sock___compiled {
	u8 before : BEFORE;
	u8 is_cwnd_limited : 1;
} __attribute__((preserve_access_index));

OPS1(u32, bits_ssthresh, struct sock *, sk)
{
	return max_u32(tcp_sk(sk)->snd_cwnd / 2, 2);
}

OPS3(void, bits_cong_avoid, struct sock *, sk, u32, ack, u32, acked)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (in_slow_start(tp)) {
		if (tp->snd_cwnd >= 2 * tp->max_packets_out)
			return;
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	} else if (!((struct tcp_sock___compiled *)tp)->is_cwnd_limited) {
		return;
	}
	tcp_cong_avoid_ai(tp, tp->snd_cwnd, acked);
}

OPS1(u32, bits_undo_cwnd, struct sock *, sk)
{
	return tcp_reno_undo_cwnd(sk);
}

OPS_TABLE struct tcp_congestion_ops bits = {
	.ssthresh = (void *)bits_ssthresh,
	.cong_avoid = (void *)bits_cong_avoid,
	.undo_cwnd = (void *)bits_undo_cwnd,
	.name = "bits_reno",
};
