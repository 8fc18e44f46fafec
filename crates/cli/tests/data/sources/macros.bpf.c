// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Every macro of libbpf's headers once, where their meaning differs by arguments; for Linux, whose verifier takes them all. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} nested SEC(".maps") = { .values = { [1] = &first } };

extern const void no_such_thing __ksym __weak;

SEC("struct_ops")
__u32 BPF_PROG(ssthresh, struct sock *sk)
{
	struct tcp_sock *tp = (void *)sk;
	int turns = 0, i = 0;
	__u32 zero = 0;
	__u64 key, *count = bpf_map_lookup_elem(&counts, &zero);

	if (count)
		turns += *count;
	void *map = bpf_map_lookup_elem(&nested, &zero);
	if (map && bpf_map_lookup_elem(map, &zero))
		turns++;
	if (!&no_such_thing)
		turns++;
	bpf_for(i, 0, 3)
		turns += i;
	bpf_repeat(2)
		turns++;
	BPF_CORE_READ_INTO(&key, tp, inet_conn.icsk_inet.sk.sk_socket, file, f_inode, i_ino);
	key += BPF_CORE_READ_BITFIELD_PROBED(tp, is_cwnd_limited);
	key += BPF_CORE_READ(sk, sk_prot_creator, name[0]);
	key += bpf_core_enum_value(enum tcp_ca_event, CA_EVENT_LOSS);
	key += bpf_core_type_size(struct tcp_sock) + bpf_core_field_size(struct tcp_sock, snd_cwnd);
	bpf_printk("none");
	bpf_printk("%d %d %d", turns, i, bpf_htons(1));
	bpf_printk("%d %d %d %llu", turns, i, 3, key);
	return turns;
}

SEC("struct_ops")
void BPF_PROG(cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC("struct_ops")
__u32 BPF_PROG(undo, struct sock *sk)
{
	return 10;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops macros = {
	.ssthresh = (void *)ssthresh,
	.cong_avoid = (void *)cong_avoid,
	.undo_cwnd = (void *)undo,
	.name = "bpf_macros",
};
