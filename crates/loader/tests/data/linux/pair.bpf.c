/* Two ops structures, one registered by link and one without, that share their programs. */
#include "../../../../object/tests/data/bpf.h"
struct sock;
struct tcp_sock {
	u32 snd_cwnd;
	u32 snd_ssthresh;
} __core;
struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
	u32 flags;
};
SEC("struct_ops") u32 ssthresh(u64 *ctx) { return ((struct tcp_sock *)ctx[0])->snd_ssthresh; }
SEC("struct_ops") void cong_avoid(u64 *ctx) { }
SEC("struct_ops") u32 undo_cwnd(u64 *ctx) { return ((struct tcp_sock *)ctx[0])->snd_cwnd; }
SEC(".struct_ops.link") struct tcp_congestion_ops linked = {
	.ssthresh = (void *)ssthresh, .cong_avoid = (void *)cong_avoid, .undo_cwnd = (void *)undo_cwnd, .name = "to_be_set",
};
SEC(".struct_ops") struct tcp_congestion_ops plain = {
	.ssthresh = (void *)ssthresh, .cong_avoid = (void *)cong_avoid, .undo_cwnd = (void *)undo_cwnd, .name = "to_be_set",
};
char _license[] SEC("license") = "GPL";
