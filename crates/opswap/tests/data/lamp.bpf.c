/* A kind of ops structure without a member `name`, which only the test's kernel has. build.sh compiles it twice, under two variables. */
#define SEC(name) __attribute__((section(name), used))

struct lamp_ops {
	int (*level)(unsigned int hour);
	unsigned int watts;
	unsigned int colour;
};

SEC("struct_ops/level")
int level(unsigned long long *ctx)
{
	return ctx[0] > 18 ? 100 : 0;
}

SEC(".struct_ops.link")
struct lamp_ops VARIABLE = {
	.level = (void *)level,
	.colour = COLOUR,
};

SEC("license") char _license[] = "GPL";
