/* expect: section .maps at offset 0x38: map `m`: initial `values` need keys of 4 bytes, not 8 */
#include "../bpf.h"
struct inner { __uint(type, 2); __type(key, u32); __type(value, u32); __uint(max_entries, 1); };
struct inner one SEC(".maps");
struct { __uint(type, 13); __type(key, unsigned long); __uint(max_entries, 1); __array(values, struct inner); } m SEC(".maps") = { .values = { &one } };
