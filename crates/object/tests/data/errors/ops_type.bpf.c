/* expect: section .struct_ops at offset 0x0: `number` is not a variable of a named struct type */
#include "../bpf.h"
SEC(".struct_ops") int number = 3;
