/* expect: section .maps at offset 0x0: map `m`: attribute `values` has another form than __uint, __type or __array give it */
#include "../bpf.h"
struct { __uint(type, 12); __type(key, u32); __uint(max_entries, 1); __array(values, int); } m SEC(".maps");
