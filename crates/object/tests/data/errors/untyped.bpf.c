/* expect: no types (.BTF), which section .maps needs; compile with clang -g or gcc -gbtf */
/* flags: -g0 */
#include "../bpf.h"
struct { __uint(type, 2); } map SEC(".maps");
