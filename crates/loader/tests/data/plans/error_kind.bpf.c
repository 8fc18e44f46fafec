/* expect: `ops.was_a_function`: is a PTR in the object, a INT in the kernel */
#include "ops.h"
struct tcp_congestion_ops { u32 (*was_a_function)(struct sock *sk); };
PROGRAM(one)
SEC(".struct_ops") struct tcp_congestion_ops ops = { .was_a_function = (void *)one };
