/* Map definitions of every form, data sections, and references to both. */
#include "bpf.h"

struct key {
	u32 a;
	u16 b;
};

struct {
	__uint(type, 1);
	__type(key, struct key);
	__type(value, u64);
	__uint(max_entries, 100);
	__uint(map_flags, 1);
} typed SEC(".maps");

struct {
	__uint(type, 2);
	__uint(key_size, 4);
	__uint(value_size, 24);
	__uint(max_entries, 7);
} sized SEC(".maps");

struct {
	__uint(type, 24);
	__uint(map_flags, 1);
	__type(key, int);
	__type(value, struct key);
} storage SEC(".maps");

struct {
	__uint(type, 27);
	__uint(max_entries, 5000);
} ring SEC(".maps");

const volatile u32 limit = 17;
u64 counter = 3;
static volatile u32 hidden_counter = 5;
u64 zeros[4];
u32 custom SEC(".data.custom") = 9;

SEC("socket")
int use(void *ctx)
{
	struct key key = { 1, 2 };
	u32 index = 0;
	u64 *found = bpf_map_lookup_elem(&typed, &key);
	u32 *other = bpf_map_lookup_elem(&sized, &index);

	counter += limit;
	hidden_counter += 1;
	zeros[3] += custom;
	return (found ? *found : 0) + (other ? *other : 0) + hidden_counter;
}

char _license[] SEC("license") = "GPL";
