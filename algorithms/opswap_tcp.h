/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a congestion control in BPF C needs of the kernel, and no more: the fields of struct tcp_sock that our
 * algorithms use, a few helpers and kernel functions, and macros to declare the members of an operations structure.
 * No vmlinux.h, libbpf or kernel header is needed: the structures name only the fields, and the loader moves each
 * access to where the running kernel has the field (CO-RE).
 */
#ifndef OPSWAP_TCP_H
#define OPSWAP_TCP_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;
typedef _Bool bool;

/* ---- The kernel's structures, cut down to the fields we use. ---- */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock {
	u32 sk_pacing_status;			/* SK_PACING_*; may be written */
	unsigned long sk_pacing_rate;		/* bytes a second; may be written */
	unsigned long sk_max_pacing_rate;	/* what the application allows */
	unsigned int sk_gso_max_size;
	u8 sk_pacing_shift;			/* a burst holds sk_pacing_rate >> sk_pacing_shift bytes */
};

struct inet_sock {
	struct sock sk;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	u8 icsk_ca_state : 5;
	struct {
		u8 pending;
	} icsk_ack;
	u64 icsk_ca_priv[13];
};

struct minmax_sample {
	u32 t;
	u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

/* Windows and counts are packets, times microseconds unless named otherwise. */
struct tcp_sock {
	struct inet_connection_sock inet_conn;
	/* These may be written. */
	u32 snd_cwnd;
	u32 snd_cwnd_cnt;
	u32 snd_cwnd_stamp;
	u32 snd_ssthresh;
	u32 app_limited;		/* `delivered` at which the application stops being the limit; 0: it is not */
	u8 ecn_flags;
	/* These may not. */
	u32 snd_cwnd_clamp;
	u32 prior_cwnd;			/* snd_cwnd before the recovery */
	u32 max_packets_out;
	u8 : 3, is_cwnd_limited : 1;	/* use is_cwnd_limited() below */
	u32 snd_una;
	u32 snd_nxt;
	u32 rcv_nxt;
	u32 packets_out;
	u32 sacked_out;
	u32 lost_out;
	u32 retrans_out;
	u32 delivered;			/* ever */
	u32 delivered_ce;
	u64 delivered_mstamp;
	u32 lost;			/* ever */
	u32 mss_cache;			/* bytes of a full packet */
	u32 srtt_us;			/* times 8 */
	struct minmax rtt_min;		/* use min_rtt_us() below */
	u32 lsndtime;			/* jiffies */
	u64 tcp_mstamp;			/* now */
	u64 tcp_clock_cache;		/* now, nanoseconds */
	u64 tcp_wstamp_ns;		/* when the next packet may leave */
};

struct ack_sample {
	u32 pkts_acked;
	s32 rtt_us;
	u32 in_flight;
};

/* How fast packets are delivered, measured over the flight of the newest one that this ACK reports. */
struct rate_sample {
	u64 prior_mstamp;		/* when the measurement began; 0: none */
	u32 prior_delivered;		/* tcp_sock.delivered then */
	u32 prior_delivered_ce;
	s32 delivered;			/* packets; negative: no sample */
	s32 delivered_ce;
	long interval_us;		/* in this time; negative or zero: no sample */
	u32 snd_interval_us;
	u32 rcv_interval_us;
	long rtt_us;			/* of the packet; negative: not known */
	int losses;			/* packets marked lost by this ACK */
	u32 acked_sacked;		/* packets newly delivered */
	u32 prior_in_flight;		/* packets in flight before this ACK */
	u32 last_end_seq;
	bool is_app_limited;		/* the application had nothing to send for a while: the rate may be higher */
	bool is_retrans;
	bool is_ack_delayed;
};

union tcp_cc_info;
struct module;

struct list_head {
	struct list_head *next, *prev;
};

enum tcp_ca_event {
	CA_EVENT_TX_START,	/* first packet after nothing was in flight */
	CA_EVENT_CWND_RESTART,	/* the window was reduced after idle time */
	CA_EVENT_COMPLETE_CWR,	/* a reduction after ECN has ended */
	CA_EVENT_LOSS,		/* retransmission timeout */
	CA_EVENT_ECN_NO_CE,	/* received without CE */
	CA_EVENT_ECN_IS_CE,	/* received with CE */
};

/* The table itself: the members of Linux 6.18, in its order. The loader goes by name. */
struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	void (*set_state)(struct sock *sk, u8 new_state);
	void (*cwnd_event)(struct sock *sk, enum tcp_ca_event event);
	void (*in_ack_event)(struct sock *sk, u32 flags);
	void (*pkts_acked)(struct sock *sk, const struct ack_sample *sample);
	u32 (*min_tso_segs)(struct sock *sk);
	void (*cong_control)(struct sock *sk, u32 ack, int flag, const struct rate_sample *rs);
	u32 (*undo_cwnd)(struct sock *sk);
	u32 (*sndbuf_expand)(struct sock *sk);
	unsigned long (*get_info)(struct sock *sk, u32 ext, int *attr, union tcp_cc_info *info);
	char name[16];
	struct module *owner;
	struct list_head list;
	u32 key;
	u32 flags;
	void (*init)(struct sock *sk);
	void (*release)(struct sock *sk);
};

#pragma clang attribute pop

/* enum tcp_ca_state */
#define TCP_CA_OPEN 0
#define TCP_CA_DISORDER 1
#define TCP_CA_CWR 2
#define TCP_CA_RECOVERY 3
#define TCP_CA_LOSS 4
/* tcp_sock.ecn_flags */
#define TCP_ECN_OK 1
#define TCP_ECN_DEMAND_CWR 4
/* icsk_ack.pending */
#define ICSK_ACK_TIMER 2
#define ICSK_ACK_NOW 16
/* sock.sk_pacing_status */
#define SK_PACING_NONE 0
#define SK_PACING_NEEDED 1
#define SK_PACING_FQ 2
/* in_ack_event */
#define CA_ACK_SLOWPATH 1
#define CA_ACK_WIN_UPDATE 2
#define CA_ACK_ECE 4
/* tcp_congestion_ops.flags */
#define TCP_CONG_NON_RESTRICTED 1
#define TCP_CONG_NEEDS_ECN 2
/* setsockopt */
#define SOL_TCP 6
#define TCP_CONGESTION 13

/* ---- Sections, helpers and kernel functions. ---- */

#define SEC(name) __attribute__((section(name), used))
#define inline_always static inline __attribute__((always_inline))
#define from_kconfig __attribute__((section(".kconfig")))
#define from_kernel __attribute__((section(".ksyms")))

/* Ticks of the kernel's clock in a second; the loader fills it in. */
extern unsigned long CONFIG_HZ from_kconfig;

/* BPF helpers, by number. */
static u64 (*const bpf_ktime_get_ns)(void) = (void *)5;
static long (*const bpf_trace_printk)(const char *format, u32 size, ...) = (void *)6;
static u32 (*const bpf_get_prandom_u32)(void) = (void *)7;
static u64 (*const bpf_jiffies64)(void) = (void *)118;
static long (*const bpf_tcp_send_ack)(struct tcp_sock *tp, u32 rcv_nxt) = (void *)116;
static long (*const bpf_setsockopt)(void *socket, int level, int name, void *value, int len) = (void *)49;

/* Functions of the kernel that it offers to congestion controls. */
extern u32 tcp_slow_start(struct tcp_sock *tp, u32 acked) from_kernel;
extern void tcp_cong_avoid_ai(struct tcp_sock *tp, u32 w, u32 acked) from_kernel;
extern void tcp_reno_cong_avoid(struct sock *sk, u32 ack, u32 acked) from_kernel;
extern u32 tcp_reno_undo_cwnd(struct sock *sk) from_kernel;

/*
 * A member of an operations structure. The kernel calls a BPF program with one argument, the context: an array of
 * 64-bit slots, one for each argument of the member. OPS2(void, my_acked, struct sock *, sk, int, n) { … } defines
 * a program `my_acked` whose body sees `sk` and `n`.
 */
#define OPS1(ret, name, t0, a0)                                                          \
	inline_always ret name##_body(t0 a0);                                            \
	SEC("struct_ops/" #name) ret name(u64 *ctx) { return name##_body((t0)ctx[0]); }  \
	inline_always ret name##_body(t0 a0)
#define OPS2(ret, name, t0, a0, t1, a1)                                                  \
	inline_always ret name##_body(t0 a0, t1 a1);                                     \
	SEC("struct_ops/" #name) ret name(u64 *ctx)                                      \
	{                                                                                \
		return name##_body((t0)ctx[0], (t1)ctx[1]);                              \
	}                                                                                \
	inline_always ret name##_body(t0 a0, t1 a1)
#define OPS3(ret, name, t0, a0, t1, a1, t2, a2)                                          \
	inline_always ret name##_body(t0 a0, t1 a1, t2 a2);                              \
	SEC("struct_ops/" #name) ret name(u64 *ctx)                                      \
	{                                                                                \
		return name##_body((t0)ctx[0], (t1)ctx[1], (t2)ctx[2]);                  \
	}                                                                                \
	inline_always ret name##_body(t0 a0, t1 a1, t2 a2)
#define OPS4(ret, name, t0, a0, t1, a1, t2, a2, t3, a3)                                  \
	inline_always ret name##_body(t0 a0, t1 a1, t2 a2, t3 a3);                       \
	SEC("struct_ops/" #name) ret name(u64 *ctx)                                      \
	{                                                                                \
		return name##_body((t0)ctx[0], (t1)ctx[1], (t2)ctx[2], (t3)ctx[3]);      \
	}                                                                                \
	inline_always ret name##_body(t0 a0, t1 a1, t2 a2, t3 a3)

/* A line with up to three numbers for /sys/kernel/tracing/trace_pipe, while you look for a fault. */
#define bpf_printk(text, args...)                                                        \
	({                                                                               \
		static const char text_[] = text;                                        \
		bpf_trace_printk(text_, sizeof(text_), ##args);                          \
	})

/*
 * Where an operations structure goes: registered by a link (the default), or, with -DOPSWAP_NO_LINK, by writing its
 * value, for tools that do not know links.
 */
#ifdef OPSWAP_NO_LINK
#define OPS_TABLE SEC(".struct_ops")
#else
#define OPS_TABLE SEC(".struct_ops.link")
#endif

/* An unsigned bit field: its place differs from kernel to kernel, so word and shifts are asked of the loader too. */
#define read_bits(object, field)                                                         \
	({                                                                               \
		const void *word_ = (const void *)(object) +                             \
				    __builtin_preserve_field_info((object)->field, 0);   \
		u64 bits_;                                                               \
		switch (__builtin_preserve_field_info((object)->field, 1)) {             \
		case 1: bits_ = *(const u8 *)word_; break;                               \
		case 2: bits_ = *(const u16 *)word_; break;                              \
		case 4: bits_ = *(const u32 *)word_; break;                              \
		default: bits_ = *(const u64 *)word_; break;                             \
		}                                                                        \
		bits_ <<= __builtin_preserve_field_info((object)->field, 4);             \
		bits_ >>= __builtin_preserve_field_info((object)->field, 5);             \
		bits_;                                                                   \
	})

/* ---- Small things that every congestion control needs. ---- */

inline_always u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

inline_always u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

inline_always u32 max_u32(u32 a, u32 b)
{
	return a > b ? a : b;
}

/* Whether sequence number (or 32-bit time) a is later than b. */
inline_always bool is_after(u32 a, u32 b)
{
	return (s32)(b - a) < 0;
}

/* The socket as TCP sees it; the kernel hands the same pointer under the name struct sock. */
inline_always struct tcp_sock *tcp_sk(struct sock *sk)
{
	return (struct tcp_sock *)sk;
}

#define ICSK_CA_PRIV_SIZE 104

/* The bytes that belong to the congestion control. */
inline_always void *private_of(struct sock *sk)
{
	return (void *)((struct inet_connection_sock *)sk)->icsk_ca_priv;
}

inline_always u32 jiffies32(void)
{
	return (u32)bpf_jiffies64();
}

inline_always bool in_slow_start(const struct tcp_sock *tp)
{
	return tp->snd_cwnd < tp->snd_ssthresh;
}

/* Packets that are on their way, as far as TCP knows. */
inline_always u32 packets_in_flight(const struct tcp_sock *tp)
{
	return tp->packets_out - tp->sacked_out - tp->lost_out + tp->retrans_out;
}

/* The shortest round trip of the last minutes; ~0 before the first. */
inline_always u32 min_rtt_us(const struct tcp_sock *tp)
{
	return tp->rtt_min.s[0].v;
}

/*
 * Whether the window is what holds the sender back; a window that is not used must not grow (RFC 7661). In slow
 * start it may grow to twice what was used, so that the burst at its end does not stop it early.
 */
inline_always bool is_cwnd_limited(const struct tcp_sock *tp)
{
	if (read_bits(tp, is_cwnd_limited))
		return 1;
	return in_slow_start(tp) && tp->snd_cwnd < 2 * tp->max_packets_out;
}

#endif
