/* Sub-programs: static, global, hidden and weak ones, calls between them, and the address of one. */
#include "bpf.h"

static __noinline int leaf(int x)
{
	return x * 3 + 1;
}

__noinline int global_one(int x)
{
	return leaf(x) + 2;
}

__hidden __noinline int hidden_one(int x)
{
	return global_one(x) + leaf(x + 4);
}

__weak __noinline int weak_one(int x)
{
	return x - 5;
}

static __noinline long callback(u32 index, void *ctx)
{
	*(u32 *)ctx += leaf(index);
	return 0;
}

SEC("syscall")
int first(int *ctx)
{
	u32 sum = 0;

	bpf_loop(3, callback, &sum, 0);
	return hidden_one(*ctx) + sum;
}

SEC("socket")
int second(int *ctx)
{
	return weak_one(*ctx) + leaf(*ctx);
}

char _license[] SEC("license") = "Dual MIT/GPL";
u32 _version SEC("version") = 0x060c00;
