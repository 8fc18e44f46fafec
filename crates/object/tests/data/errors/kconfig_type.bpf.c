/* expect: section .kconfig at offset 0x0: extern `CONFIG_PAIR` in .kconfig has a type that holds no configuration value */
#include "../bpf.h"
struct pair { int a, b; };
extern struct pair CONFIG_PAIR __kconfig;
SEC("socket") int use(void *ctx) { return CONFIG_PAIR.a; }
