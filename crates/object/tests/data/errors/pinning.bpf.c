/* expect: section .maps at offset 0x0: map `odd`: pinning 2 is neither LIBBPF_PIN_NONE nor LIBBPF_PIN_BY_NAME */
#include "../bpf.h"
struct { __uint(type, 2); __uint(pinning, 2); } odd SEC(".maps");
