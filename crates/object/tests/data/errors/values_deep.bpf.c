/* expect: section .maps at offset 0x0: map `m`: a map of maps can hold no maps of maps */
#include "../bpf.h"
struct inner { __uint(type, 2); __type(key, u32); __type(value, u32); __uint(max_entries, 1); };
struct deep { __uint(type, 12); __type(key, u32); __uint(max_entries, 1); __array(values, struct inner); };
struct { __uint(type, 12); __type(key, u32); __uint(max_entries, 1); __array(values, struct deep); } m SEC(".maps");
