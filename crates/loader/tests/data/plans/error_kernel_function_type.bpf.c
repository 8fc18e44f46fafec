/* expect: the kernel's function `tcp_takes_two` has another type than the object declares, which `call` needs */
#include "ops.h"
extern void tcp_takes_two(struct sock *sk) __ksym;
SEC("syscall") int call(u64 *ctx) { tcp_takes_two((void *)ctx[0]); return 0; }
