/* expect: program `one` is assigned to `tcp_congestion_ops.ssthresh` and to `tcp_congestion_ops.undo_cwnd`; several ops structures may share it only in the same member of the same type */
#include "ops.h"
struct tcp_congestion_ops { u32 (*ssthresh)(struct sock *sk); u32 (*undo_cwnd)(struct sock *sk); };
PROGRAM(one)
SEC(".struct_ops") struct tcp_congestion_ops ops = { .ssthresh = (void *)one, .undo_cwnd = (void *)one };
