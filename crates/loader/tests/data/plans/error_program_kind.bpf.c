/* expect: program `hook`: programs of section `kprobe/do_exit` are not supported */
#include "ops.h"
SEC("kprobe/do_exit") int hook(void *ctx) { return 0; }
