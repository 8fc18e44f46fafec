/* expect: section .kconfig at offset 0x0: not supported: extern function `CONFIG_call` in .kconfig */
#include "../bpf.h"
extern int CONFIG_call(void) __kconfig;
SEC("socket") int use(void *ctx) { return CONFIG_call(); }
