#include "../../../../object/tests/data/bpf.h"

struct sock {
	u64 sk_pacing_rate;
} __core;
struct tcp_sock {
	u32 snd_cwnd;
	u32 snd_ssthresh;
} __core;

#define PROGRAM(name) SEC("struct_ops") u32 name(u64 *ctx) { return ((struct tcp_sock *)ctx[0])->snd_ssthresh; }
