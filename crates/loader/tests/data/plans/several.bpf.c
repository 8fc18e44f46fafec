/* Several ops structures share programs in the same member; one is created only if asked for. */
#include "ops.h"
struct tcp_congestion_ops { u32 (*ssthresh)(struct sock *sk); u32 (*undo_cwnd)(struct sock *sk); char name[16]; u32 flags; };
PROGRAM(shared)
PROGRAM(own)
PROGRAM(only_optional)
SEC("?struct_ops") u32 spare(u64 *ctx) { return 0; }
SEC(".struct_ops.link") struct tcp_congestion_ops first = { .ssthresh = (void *)shared, .name = "first" };
SEC(".struct_ops") struct tcp_congestion_ops second = { .ssthresh = (void *)shared, .undo_cwnd = (void *)own, .name = "second" };
SEC("?.struct_ops.link") struct tcp_congestion_ops third = { .ssthresh = (void *)only_optional, .name = "third" };
