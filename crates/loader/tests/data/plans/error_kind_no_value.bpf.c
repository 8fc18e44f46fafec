/* expect: the kernel has no ops structure `no_value` that programs may implement */
#include "ops.h"
struct no_value { u32 (*call)(void); };
PROGRAM(one)
SEC(".struct_ops") struct no_value ops = { .call = (void *)one };
