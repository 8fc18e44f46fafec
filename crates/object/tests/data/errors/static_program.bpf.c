/* expect: section socket at offset 0x0: not supported: static function `hidden` outside .text; make it global or take its SEC() away */
#include "../bpf.h"
SEC("socket") static int hidden(void *ctx) { return 0; }
SEC("syscall") int other(void *ctx) { return 1; }
