// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Bit fields in all ways of reading them. `places` reads each one that a congestion control may see plainly, at Linux 6.18's bits;
 * `asked` asks CO-RE for the bits of fields that its types have elsewhere; `both` reads one such field in both ways.
 */
#include "../../../../../algorithms/opswap_tcp.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct tcp_options_received___linux {
	u16 saw_tstamp : 1, tstamp_ok : 1, dsack : 1, wscale_ok : 1, sack_ok : 3, smc_ok : 1, snd_wscale : 4, rcv_wscale : 4;
};

struct tcp_rack___linux {
	u8 reo_wnd_persist : 5, dsack_seen : 1, advanced : 1;
};

struct inet_connection_sock___linux {
	u8 icsk_ca_state : 5, icsk_ca_initialized : 1, icsk_ca_setsockopt : 1, icsk_ca_dst_locked : 1;
	struct {
		u32 ato : 8, lrcv_flowlabel : 20, dst_quick_ack : 1, unused : 3;
	} icsk_ack;
};

struct tcp_sock___linux {
	u8 scaling_ratio;
	u8 repair : 1, tcp_usec_ts : 1, is_sack_reneg : 1, is_cwnd_limited : 1, recvmsg_inq : 1;
	u8 ecn_flags;
	u8 nonagle : 4, rate_app_limited : 1;
	struct tcp_options_received___linux rx_opt;
	struct tcp_rack___linux rack;
	u8 dup_ack_counter : 2, tlp_retrans : 1, syn_ect_snt : 2, syn_ect_rcv : 2, thin_lto : 1;
	u8 bpf_sock_ops_cb_flags;
	u8 bpf_chg_cc_inprogress : 1;
};

struct tcp_sock___elsewhere {
	u32 frto : 1, is_cwnd_limited : 2, tlp_retrans : 5;
};
#pragma clang attribute pop

OPS1(u32, places, struct sock *, sk)
{
	struct inet_connection_sock___linux *icsk = (void *)sk;
	struct tcp_sock___linux *tp = (void *)sk;

	return icsk->icsk_ca_state + icsk->icsk_ca_initialized + icsk->icsk_ca_setsockopt + icsk->icsk_ack.ato +
	       tp->is_cwnd_limited + tp->rate_app_limited + tp->dup_ack_counter + tp->tlp_retrans + tp->bpf_chg_cc_inprogress +
	       tp->rx_opt.saw_tstamp + tp->rx_opt.tstamp_ok + tp->rx_opt.dsack + tp->rx_opt.wscale_ok + tp->rx_opt.sack_ok +
	       tp->rx_opt.snd_wscale + tp->rx_opt.rcv_wscale + tp->rack.reo_wnd_persist + tp->rack.dsack_seen +
	       tp->rack.advanced + 2;
}

OPS1(u32, asked, struct sock *, sk)
{
	struct tcp_sock___elsewhere *tp = (void *)sk;

	return read_bits(tp, frto) + read_bits(tp, is_cwnd_limited) + read_bits(tp, tlp_retrans) + 2;
}

OPS3(void, both, struct sock *, sk, u32, ack, u32, acked)
{
	struct tcp_sock___elsewhere *tp = (void *)sk;

	if (read_bits(tp, frto))
		tcp_sk(sk)->snd_cwnd = 2;
	if (tp->frto)
		tcp_sk(sk)->snd_cwnd = 3;
}

OPS_TABLE struct tcp_congestion_ops fields = {
	.ssthresh = (void *)places,
	.undo_cwnd = (void *)asked,
	.cong_avoid = (void *)both,
	.name = "bits_fields",
};
