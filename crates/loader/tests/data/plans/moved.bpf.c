/* Members in another order, some absent on either side: data and programs go to where the kernel has them. */
#include "ops.h"
struct tcp_congestion_ops___mine {
	u32 flags;
	char name[16];
	u32 of_the_future;
	u32 (*undo_cwnd)(struct sock *sk);
	u32 (*later)(struct sock *sk);
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
};
PROGRAM(one)
PROGRAM(two)
SEC(".struct_ops.link") struct tcp_congestion_ops___mine moved = {
	.flags = 1, .name = "moved", .undo_cwnd = (void *)one, .ssthresh = (void *)two, .cong_avoid = (void *)0,
};
