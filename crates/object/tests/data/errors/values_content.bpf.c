/* expect: section .maps at offset 0x18: map `m`: `other` stands in `values`, and is no map of the object */
#include "../bpf.h"
struct inner { __uint(type, 2); __type(key, u32); __type(value, u32); __uint(max_entries, 1); };
struct inner other = {};
struct { __uint(type, 12); __type(key, u32); __uint(max_entries, 1); __array(values, struct inner); } m SEC(".maps") = { .values = { &other } };
