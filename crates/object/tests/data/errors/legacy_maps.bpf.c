/* expect: section maps at offset 0x0: not supported: map definitions of the old form (section `maps`) */
#include "../bpf.h"
struct { u32 type, key_size, value_size, max_entries; } old SEC("maps") = { 1, 4, 4, 1 };
