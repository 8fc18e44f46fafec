/* expect: section .maps at offset 0x0: map `odd`: key_size is 8, but the type has 4 bytes */
#include "../bpf.h"
struct { __uint(type, 1); __uint(key_size, 8); __type(key, u32); } odd SEC(".maps");
