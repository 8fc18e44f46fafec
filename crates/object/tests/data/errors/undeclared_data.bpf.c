/* expect: section socket at offset 0x0: `lost` in section `odd_section` is neither a map, nor data, nor a function */
#include "../bpf.h"
int lost __attribute__((section("odd_section"))) = 1;
SEC("socket") int use(void *ctx) { return lost; }
