/* expect: section .maps at offset 0x0: map `m`: `values` is for maps of maps and arrays of programs */
#include "../bpf.h"
struct inner { __uint(type, 2); __type(key, u32); __type(value, u32); __uint(max_entries, 1); };
struct { __uint(type, 1); __type(key, u32); __array(values, struct inner); } m SEC(".maps");
