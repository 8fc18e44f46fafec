/* expect: the kernel has no function `no_such_function`, which `call` needs */
#include "ops.h"
extern void no_such_function(void) __ksym;
SEC("syscall") int call(void *ctx) { no_such_function(); return 0; }
