/* expect: section .BTF at offset 0x0: extern `somewhere` stands in section `.elsewhere`, not in .kconfig or .ksyms */
#include "../bpf.h"
extern int somewhere __attribute__((section(".elsewhere")));
SEC("socket") int use(void *ctx) { return somewhere; }
