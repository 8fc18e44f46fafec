/* expect: section .maps at offset 0x0: map `odd`: attribute `max_entries` has another form than __uint, __type or __array give it */
#include "../bpf.h"
struct { __uint(type, 2); int max_entries; } odd SEC(".maps");
