/* A map that is shared by name in the bpffs. */
#include "bpf.h"

struct {
	__uint(type, 2);
	__type(key, u32);
	__type(value, u32);
	__uint(max_entries, 1);
	__uint(pinning, 1);
} shared SEC(".maps");

SEC("socket")
int look(void *ctx)
{
	u32 index = 0;
	u32 *found = bpf_map_lookup_elem(&shared, &index);

	return found ? *found : 0;
}

char _license[] SEC("license") = "GPL";
