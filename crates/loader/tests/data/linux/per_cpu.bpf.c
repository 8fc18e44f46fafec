/* A variable of the kernel with its type, of which there is one for each CPU. */
#include "../../../../object/tests/data/bpf.h"

extern const int bpf_prog_active __ksym;
static void *(*bpf_this_cpu_ptr)(const void *variable) = (void *)154;

SEC("raw_tp/sched_switch")
int look(void *ctx)
{
	return *(int *)bpf_this_cpu_ptr(&bpf_prog_active);
}

char _license[] SEC("license") = "GPL";
