/* expect: `ops.not_a_function`: a program is assigned, but in the kernel it is no function pointer */
#include "ops.h"
struct tcp_congestion_ops { u32 (*not_a_function)(struct sock *sk); };
PROGRAM(one)
SEC(".struct_ops") struct tcp_congestion_ops ops = { .not_a_function = (void *)one };
