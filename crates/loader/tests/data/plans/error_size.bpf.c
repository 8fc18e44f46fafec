/* expect: `ops.wide`: has 4 bytes in the object, 8 in the kernel */
#include "ops.h"
struct tcp_congestion_ops { u32 wide; };
SEC(".struct_ops") struct tcp_congestion_ops ops = { .wide = 1 };
