/* Relocations by type of every sort, against types that every kernel has and some that none has. */
#include "../../../../object/tests/data/bpf.h"

struct sock;
struct inet_connection_sock {
	u8 icsk_ca_state : 5;
	u64 icsk_ca_priv[13];
} __core;
struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 snd_cwnd;
	u32 snd_ssthresh;
	u8 is_cwnd_limited : 1;
	u32 field_that_no_kernel_has;
} __core;
struct tcp_sock___by_another_name {
	u32 snd_cwnd;
} __core;
struct type_that_no_kernel_has {
	int x;
} __core;
enum tcp_ca_state { TCP_CA_Open = 77, TCP_CA_Recovery = 99, TCP_CA_Never = 5 };
struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
};

#define exists(type, field) __builtin_preserve_field_info(((type *)0)->field, 2)
#define size_of(type, field) __builtin_preserve_field_info(((type *)0)->field, 1)

SEC("struct_ops/ssthresh")
u32 ssthresh(u64 *ctx)
{
	struct tcp_sock *tp = (void *)ctx[0];
	struct tcp_sock___by_another_name *other = (void *)tp;
	u32 result = tp->snd_cwnd + other->snd_cwnd + tp->is_cwnd_limited + tp->inet_conn.icsk_ca_state;

	result += tp->inet_conn.icsk_ca_priv[3];
	if (exists(struct tcp_sock, field_that_no_kernel_has))
		result += tp->field_that_no_kernel_has;
	result += size_of(struct tcp_sock, snd_ssthresh);
	return result;
}

SEC("struct_ops/cong_avoid")
void cong_avoid(u64 *ctx)
{
	struct tcp_sock *tp = (void *)ctx[0];

	tp->snd_cwnd = __builtin_preserve_type_info(*(struct tcp_sock *)0, 1) +
		       __builtin_preserve_type_info(*(struct type_that_no_kernel_has *)0, 0) +
		       __builtin_preserve_enum_value(*(enum tcp_ca_state *)TCP_CA_Recovery, 1) +
		       __builtin_preserve_enum_value(*(enum tcp_ca_state *)TCP_CA_Never, 0) +
		       __builtin_btf_type_id(*(struct tcp_sock *)0, 1);
}

SEC("struct_ops/undo")
u32 undo_cwnd(u64 *ctx)
{
	return 2;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops core = {
	.ssthresh = (void *)ssthresh, .cong_avoid = (void *)cong_avoid, .undo_cwnd = (void *)undo_cwnd, .name = "core",
};

char _license[] SEC("license") = "GPL";
