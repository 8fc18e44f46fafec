/* Reads a field that no kernel has, on every path. */
#include "../../../../object/tests/data/bpf.h"
struct sock;
struct tcp_sock {
	u32 field_that_no_kernel_has;
} __core;
struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	char name[16];
};
SEC("struct_ops")
u32 ssthresh(u64 *ctx)
{
	return ((struct tcp_sock *)ctx[0])->field_that_no_kernel_has;
}
SEC(".struct_ops.link") struct tcp_congestion_ops unguarded = { .ssthresh = (void *)ssthresh, .name = "unguarded" };
char _license[] SEC("license") = "GPL";
