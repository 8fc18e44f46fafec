// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Two complete congestion controls in one object: a run cannot know which is meant. From the root of the repository:
 *   clang-19 -g -O2 -target bpf -mcpu=v3 -fdebug-compilation-dir=. -c crates/lab/tests/data/two.bpf.c -o crates/lab/tests/data/two.bpf.o
 *   llvm-strip-19 -g crates/lab/tests/data/two.bpf.o
 */
#include "../../../../algorithms/reno.bpf.c"

OPS_TABLE struct tcp_congestion_ops second = {
	.ssthresh = (void *)reno_ssthresh,
	.cong_avoid = (void *)reno_cong_avoid,
	.undo_cwnd = (void *)reno_undo_cwnd,
	.name = "bpf_second",
};
