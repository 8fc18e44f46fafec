/* A map that is shared by name, for which there may be no directory. */
#include "ops.h"
struct { __uint(type, 2); __type(key, u32); __type(value, u32); __uint(max_entries, 1); __uint(pinning, 1); } shared SEC(".maps");
