/* What an object asks of the kernel: configuration and functions, some of which no kernel has. */
#include "bpf.h"

enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF __kconfig __weak;
extern enum libbpf_tristate CONFIG_TUN __kconfig __weak;
extern char CONFIG_CC_VERSION_TEXT[8] __kconfig __weak;
extern unsigned long CONFIG_HZ __kconfig;
extern char CONFIG_LETTER __kconfig __weak;

extern const void no_such_symbol __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern int no_such_function___old(int x) __ksym __weak;

SEC("syscall")
int ask(void *ctx)
{
	int result = LINUX_KERNEL_VERSION + CONFIG_BPF + CONFIG_TUN + CONFIG_CC_VERSION_TEXT[0] + CONFIG_HZ + CONFIG_LETTER;

	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	if (no_such_function___old)
		result += no_such_function___old(result);
	if (&no_such_symbol)
		result += 1;
	return result;
}

char _license[] SEC("license") = "GPL";
