/* expect: section socket at offset 0x0: call to `other`, which is not a function in .text */
#include "../bpf.h"
SEC("syscall") __noinline int other(void *ctx) { return *(volatile int *)ctx; }
SEC("socket") int use(void *ctx) { return other(ctx) + 1; }
