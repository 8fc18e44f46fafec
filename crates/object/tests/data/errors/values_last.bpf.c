/* expect: section .maps at offset 0x0: map `m`: `max_entries` stands behind `values`, which must be last */
#include "../bpf.h"
struct inner { __uint(type, 2); __type(key, u32); __type(value, u32); __uint(max_entries, 1); };
struct { __uint(type, 12); __type(key, u32); struct inner *values[0]; __uint(max_entries, 1); } m SEC(".maps");
