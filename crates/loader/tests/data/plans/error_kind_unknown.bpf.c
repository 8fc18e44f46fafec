/* expect: the kernel has no ops structure `sched_ext_ops` that programs may implement: Linux has it since 6.12, when it is built with CONFIG_SCHED_CLASS_EXT */
#include "ops.h"
struct sched_ext_ops { u32 (*select_cpu)(void); };
PROGRAM(one)
SEC(".struct_ops") struct sched_ext_ops ops = { .select_cpu = (void *)one };
