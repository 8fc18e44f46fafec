/* expect: section version at offset 0x0: the version is 8 bytes long, not 4 */
#include "../bpf.h"
u64 _version SEC("version") = 1;
