/* expect: section license at offset 0x0: the licence is not a NUL-terminated text */
#include "../bpf.h"
char _license[3] SEC("license") = "GPL";
