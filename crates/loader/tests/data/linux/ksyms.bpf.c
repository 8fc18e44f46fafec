/* Addresses of the kernel without types: of a function, and of something that no kernel has. */
#include "../../../../object/tests/data/bpf.h"

extern const void tcp_reno_ssthresh __ksym;
extern const void no_such_symbol __ksym __weak;

SEC("socket")
int look(void *ctx)
{
	u64 sum = (u64)&tcp_reno_ssthresh;

	if (&no_such_symbol)
		sum = 0;
	return sum > 5;
}

char _license[] SEC("license") = "GPL";
