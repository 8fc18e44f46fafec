/* Ops structures in all four sections, with a flavour, shared programs, and programs that begin with `?`. */
#include "bpf.h"

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

struct tcp_congestion_ops___later {
	u32 (*ssthresh)(struct sock *sk);
	u32 (*from_the_future)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
	u64 of_the_future;
};

SEC("struct_ops/anything")
u32 ssthresh(u64 *ctx)
{
	return ((struct tcp_sock *)ctx[0])->snd_ssthresh;
}

SEC("struct_ops")
void cong_avoid(u64 *ctx)
{
}

SEC("struct_ops.s/undo")
u32 undo_cwnd(u64 *ctx)
{
	return ((struct tcp_sock *)ctx[0])->snd_cwnd;
}

SEC("?struct_ops/spare")
u32 spare(u64 *ctx)
{
	return 1;
}

SEC(".struct_ops")
struct tcp_congestion_ops plain = {
	.ssthresh = (void *)ssthresh,
	.cong_avoid = (void *)cong_avoid,
	.undo_cwnd = (void *)undo_cwnd,
	.name = "plain",
	.flags = 1,
};

SEC(".struct_ops.link")
struct tcp_congestion_ops___later linked = {
	.ssthresh = (void *)ssthresh,
	.undo_cwnd = (void *)undo_cwnd,
	.cong_avoid = (void *)cong_avoid,
	.name = "linked",
};

SEC("?.struct_ops")
struct tcp_congestion_ops optional = {
	.ssthresh = (void *)spare,
	.name = "optional",
};

SEC("?.struct_ops.link")
struct tcp_congestion_ops optional_linked = {
	.undo_cwnd = (void *)undo_cwnd,
	.name = "optional_linked",
};

char _license[16] SEC("license") = "GPL";
