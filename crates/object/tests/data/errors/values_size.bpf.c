/* expect: section .maps at offset 0x0: map `m`: value_size is 4, but the type has 8 bytes */
#include "../bpf.h"
struct inner { __uint(type, 2); __type(key, u32); __type(value, u32); __uint(max_entries, 1); };
struct { __uint(type, 12); __type(key, u32); __uint(value_size, 8); __uint(max_entries, 1); __array(values, struct inner); } m SEC(".maps");
