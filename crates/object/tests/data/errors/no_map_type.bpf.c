/* expect: section .maps at offset 0x0: map `odd`: no `type` */
#include "../bpf.h"
struct { __type(key, u32); } odd SEC(".maps");
