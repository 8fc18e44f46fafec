// One type of each kind that clang writes. Compiled by data/prepare.sh.
#define SEC(name) __attribute__((section(name), used))
#define TYPE_TAG(text) __attribute__((btf_type_tag(text)))
#define DECL_TAG(text) __attribute__((btf_decl_tag(text)))

struct declared;
union declared_too;
enum small { SMALL_A, SMALL_B = -2 };
enum wide { WIDE_A = 1ULL << 40, WIDE_B = 1 };
typedef const volatile int qualified DECL_TAG("typedef");
struct flags {
	unsigned a : 3;
	int b : 5;
	unsigned long long c : 33;
	_Bool d;
} DECL_TAG("structure");
union either {
	int number DECL_TAG("member");
	char text[8];
	float f;
	double d;
};
struct everything {
	struct declared *declared;
	union declared_too *declared_too;
	enum small small;
	enum wide wide;
	qualified q;
	struct flags flags;
	union either either;
	int TYPE_TAG("rcu") *tagged;
	int (*handler)(struct everything *self, const char *restrict name, ...);
	struct { short x; struct { signed char y; }; };
	long rows[2][3];
};

struct everything global DECL_TAG("variable");
static volatile int hidden = 7;
const int constant = 9;
extern int external(struct everything *e) __attribute__((section(".ksyms"))) DECL_TAG("function");
extern unsigned CONFIG_HZ __attribute__((section(".kconfig")));

static __attribute__((noinline)) int helper(int a DECL_TAG("parameter"), int b)
{
	return a * b + hidden;
}

SEC("one") int first(struct everything *e)
{
	hidden = helper(e->small, constant);
	return external(&global) + CONFIG_HZ;
}

SEC("two") int second(void *ctx)
{
	return helper(1, 2);
}

char _license[] SEC("license") = "GPL";
