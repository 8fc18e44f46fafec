/* expect: section .struct_ops at offset 0x0: `ops.call`: `filter` is not a struct_ops program but stands in section `socket`: its section must be struct_ops or struct_ops.s, with or without `/NAME` */
#include "../bpf.h"
struct some_ops { int (*call)(void); };
SEC("socket") int filter(void *ctx) { return 0; }
SEC(".struct_ops") struct some_ops ops = { .call = (void *)filter };
