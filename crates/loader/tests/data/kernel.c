/* The types of a small kernel: what plans are made against when no kernel is at hand. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;

struct sock {
	u32 padding[5];
	u64 sk_pacing_rate;
};

struct tcp_sock {
	struct sock sk;
	u32 snd_cwnd;
	u32 snd_ssthresh;
	u8 flag : 3;
	u8 other : 5;
};

struct list_head {
	struct list_head *next, *prev;
};

struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	void (*cong_control)(struct sock *sk);
	u32 (*undo_cwnd)(struct sock *sk);
	u64 (*get_info)(struct sock *sk);
	char name[16];
	void *owner;
	struct list_head list;
	u32 key;
	u32 flags;
	u32 bits : 4;
	u64 was_a_function;
	void *not_a_function;
	u64 wide;
};

struct bpf_struct_ops_common_value {
	u32 refcnt;
	u32 state;
};

struct bpf_struct_ops_tcp_congestion_ops {
	struct bpf_struct_ops_common_value common;
	__attribute__((aligned(64))) struct tcp_congestion_ops data;
} value;

struct tcp_sock some_socket;

struct no_value {
	u32 (*call)(void);
} lonely;

u32 tcp_reno_undo_cwnd(struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

void tcp_takes_two(struct sock *sk, u32 number)
{
}

int jiffies_like;
