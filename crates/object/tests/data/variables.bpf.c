/* Variables of the kernel: one with its type, one of which only the address is asked for. */
#include "bpf.h"

extern const int bpf_prog_active __ksym;
extern const void bpf_prog_put __ksym;

SEC("syscall")
int addresses(void *ctx)
{
	return ((u64)&bpf_prog_active != 5) + ((u64)&bpf_prog_put != 7);
}

char _license[] SEC("license") = "GPL";
