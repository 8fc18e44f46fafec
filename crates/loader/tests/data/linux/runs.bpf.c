/* A socket filter that uses sub-programs, data sections, a map and configuration values, and says what came of it. */
#include "../../../../object/tests/data/bpf.h"

struct {
	__uint(type, 2);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 4);
} array SEC(".maps");

extern int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_THAT_NO_KERNEL_HAS __kconfig __weak;

const volatile u32 factor = 3;
u32 runs = 100;
u32 last_result;

static __noinline u32 leaf(u32 x)
{
	return x * factor + 1;
}

__noinline u32 middle(u32 x)
{
	return leaf(x) + leaf(x + 1);
}

SEC("socket")
int run(void *skb)
{
	u32 key = 2;
	u64 *slot = bpf_map_lookup_elem(&array, &key);
	u32 result = middle(runs);

	if (slot)
		*slot += result;
	runs++;
	last_result = result + CONFIG_THAT_NO_KERNEL_HAS;
	return LINUX_KERNEL_VERSION >= 0x060000 ? result : 0;
}

char _license[] SEC("license") = "GPL";
