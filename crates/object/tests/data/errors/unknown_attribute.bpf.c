/* expect: section .maps at offset 0x0: map `odd`: unknown attribute `colour` */
#include "../bpf.h"
struct { __uint(type, 2); __uint(colour, 3); } odd SEC(".maps");
