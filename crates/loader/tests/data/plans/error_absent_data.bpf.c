/* expect: `ops.colour`: the kernel's structure has no such member, and the object gives it a value */
#include "ops.h"
struct tcp_congestion_ops { u32 colour; };
SEC(".struct_ops") struct tcp_congestion_ops ops = { .colour = 3 };
