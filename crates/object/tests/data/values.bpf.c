/* Maps of maps and an array of programs, with what they hold at first. */
#include "bpf.h"

static long (*bpf_tail_call)(void *ctx, void *map, u32 index) = (void *)12;

struct inner {
	__uint(type, 2);
	__type(key, u32);
	__type(value, u32);
	__uint(max_entries, 1);
};

struct inner one SEC(".maps"), two SEC(".maps");

struct {
	__uint(type, 12);
	__uint(max_entries, 4);
	__type(key, u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { [0] = &one, [2] = &two },
};

struct {
	__uint(type, 13);
	__uint(max_entries, 3);
	__uint(key_size, 4);
	__array(values, struct { __uint(type, 1); __type(key, u32); __type(value, u32); __uint(max_entries, 5); });
} by_name SEC(".maps");

struct {
	__uint(type, 13);
	__uint(max_entries, 3);
	__type(key, u32);
	__uint(value_size, 4);
	__array(values, struct inner);
} filled SEC(".maps") = {
	.values = { [1] = &two },
};

int next(void *ctx);

struct {
	__uint(type, 3);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int (void *));
} steps SEC(".maps") = {
	.values = { [1] = (void *)&next },
};

SEC("socket")
int next(void *ctx)
{
	return 7;
}

SEC("socket")
int look(void *ctx)
{
	u32 index = 2, zero = 0;
	void *map = bpf_map_lookup_elem(&outer, &index);
	u32 *found;

	bpf_map_lookup_elem(&filled, &index);
	bpf_map_lookup_elem(&by_name, &index);
	if (!map)
		return 0;
	found = bpf_map_lookup_elem(map, &zero);
	if (!found)
		bpf_tail_call(ctx, &steps, 1);
	return found ? *found : 0;
}

char _license[] SEC("license") = "GPL";
