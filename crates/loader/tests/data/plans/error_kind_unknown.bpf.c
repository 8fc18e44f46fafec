/* expect: the kernel has no ops structure `sched_ext_ops` that programs may implement */
#include "ops.h"
struct sched_ext_ops { u32 (*select_cpu)(void); };
PROGRAM(one)
SEC(".struct_ops") struct sched_ext_ops ops = { .select_cpu = (void *)one };
