/* expect: `ops.bits`: bit fields cannot be carried over */
#include "ops.h"
struct tcp_congestion_ops { u32 bits : 4; };
SEC(".struct_ops") struct tcp_congestion_ops ops = { .bits = 1 };
