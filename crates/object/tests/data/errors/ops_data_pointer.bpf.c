/* expect: section .struct_ops at offset 0x8: `ops`: no function pointer at offset 8, yet `program` is assigned there */
#include "../bpf.h"
struct some_ops { int (*call)(void); void *data; };
SEC("struct_ops") int program(void *ctx) { return 0; }
SEC(".struct_ops") struct some_ops ops = { .call = (void *)program, .data = (void *)program };
