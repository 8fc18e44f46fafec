/* expect: section .maps at offset 0x0: the section needs types, but the file has no .BTF section; compile with -g */
/* flags: -g0 */
#include "../bpf.h"
struct { __uint(type, 2); } map SEC(".maps");
