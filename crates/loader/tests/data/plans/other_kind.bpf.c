/* A program that belongs to no ops structure. */
#include "ops.h"
SEC("kprobe/do_exit") int hook(void *ctx) { return 0; }
