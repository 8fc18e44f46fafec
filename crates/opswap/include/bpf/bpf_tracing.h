/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What programs expect of libbpf's bpf_tracing.h, written anew: programs with named arguments. The kernel calls every program with one argument;
 * for those of struct_ops, fentry and raw tracepoints it is an array of 64-bit slots, one for each argument.
 */
#ifndef __BPF_TRACING_H__
#define __BPF_TRACING_H__

#include "bpf_helpers.h"

#define OPSWAP_CTX0() ctx
#define OPSWAP_CTX1(a) ctx, (void *)ctx[0]
#define OPSWAP_CTX2(a, ...) OPSWAP_CTX1(_), (void *)ctx[1]
#define OPSWAP_CTX3(a, ...) OPSWAP_CTX2(_), (void *)ctx[2]
#define OPSWAP_CTX4(a, ...) OPSWAP_CTX3(_), (void *)ctx[3]
#define OPSWAP_CTX5(a, ...) OPSWAP_CTX4(_), (void *)ctx[4]
#define OPSWAP_CTX6(a, ...) OPSWAP_CTX5(_), (void *)ctx[5]
#define OPSWAP_CTX7(a, ...) OPSWAP_CTX6(_), (void *)ctx[6]
#define OPSWAP_CTX8(a, ...) OPSWAP_CTX7(_), (void *)ctx[7]
#define OPSWAP_CTX9(a, ...) OPSWAP_CTX8(_), (void *)ctx[8]
#define OPSWAP_CTX10(a, ...) OPSWAP_CTX9(_), (void *)ctx[9]
#define OPSWAP_CTX11(a, ...) OPSWAP_CTX10(_), (void *)ctx[10]
#define OPSWAP_CTX12(a, ...) OPSWAP_CTX11(_), (void *)ctx[11]
#define OPSWAP_CTX(args...) OPSWAP_CAT(OPSWAP_CTX, OPSWAP_COUNT(args))(args)

/* A program `name` whose body, which is inlined, sees `args`; the compiler makes numbers and pointers of the slots. */
#define OPSWAP_PROGRAM(name, context, pass, args...)                                               \
	name(context);                                                                             \
	static __always_inline typeof(name(0)) ____##name(context, ##args);                        \
	typeof(name(0)) name(context)                                                              \
	{                                                                                          \
		_Pragma("GCC diagnostic push")                                                     \
		_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")                             \
		return ____##name(pass);                                                           \
		_Pragma("GCC diagnostic pop")                                                      \
	}                                                                                          \
	static __always_inline typeof(name(0)) ____##name(context, ##args)

#define BPF_PROG(name, args...) OPSWAP_PROGRAM(name, unsigned long long *ctx, OPSWAP_CTX(args), ##args)

/* ---- The registers of a probed function, by position; for programs beside the ops structure. ---- */

#if defined(__TARGET_ARCH_x86)
#if defined(__KERNEL__) || defined(__VMLINUX_H__)
#define PT_REGS_PARM1(regs) ((regs)->di)
#define PT_REGS_PARM2(regs) ((regs)->si)
#define PT_REGS_PARM3(regs) ((regs)->dx)
#define PT_REGS_PARM4(regs) ((regs)->cx)
#define PT_REGS_PARM5(regs) ((regs)->r8)
#define PT_REGS_RC(regs) ((regs)->ax)
#define PT_REGS_IP(regs) ((regs)->ip)
#define PT_REGS_SP(regs) ((regs)->sp)
#else
#define PT_REGS_PARM1(regs) ((regs)->rdi)
#define PT_REGS_PARM2(regs) ((regs)->rsi)
#define PT_REGS_PARM3(regs) ((regs)->rdx)
#define PT_REGS_PARM4(regs) ((regs)->rcx)
#define PT_REGS_PARM5(regs) ((regs)->r8)
#define PT_REGS_RC(regs) ((regs)->rax)
#define PT_REGS_IP(regs) ((regs)->rip)
#define PT_REGS_SP(regs) ((regs)->rsp)
#endif
#elif defined(__TARGET_ARCH_arm64)
#define OPSWAP_USER_REGS(regs) ((const struct user_pt_regs *)(regs))
#define PT_REGS_PARM1(regs) (OPSWAP_USER_REGS(regs)->regs[0])
#define PT_REGS_PARM2(regs) (OPSWAP_USER_REGS(regs)->regs[1])
#define PT_REGS_PARM3(regs) (OPSWAP_USER_REGS(regs)->regs[2])
#define PT_REGS_PARM4(regs) (OPSWAP_USER_REGS(regs)->regs[3])
#define PT_REGS_PARM5(regs) (OPSWAP_USER_REGS(regs)->regs[4])
#define PT_REGS_RC(regs) (OPSWAP_USER_REGS(regs)->regs[0])
#define PT_REGS_IP(regs) (OPSWAP_USER_REGS(regs)->pc)
#define PT_REGS_SP(regs) (OPSWAP_USER_REGS(regs)->sp)
#endif

struct pt_regs;

#define OPSWAP_REGS0() ctx
#define OPSWAP_REGS1(a) ctx, (void *)PT_REGS_PARM1(ctx)
#define OPSWAP_REGS2(a, ...) OPSWAP_REGS1(_), (void *)PT_REGS_PARM2(ctx)
#define OPSWAP_REGS3(a, ...) OPSWAP_REGS2(_), (void *)PT_REGS_PARM3(ctx)
#define OPSWAP_REGS4(a, ...) OPSWAP_REGS3(_), (void *)PT_REGS_PARM4(ctx)
#define OPSWAP_REGS5(a, ...) OPSWAP_REGS4(_), (void *)PT_REGS_PARM5(ctx)
#define OPSWAP_REGS(args...) OPSWAP_CAT(OPSWAP_REGS, OPSWAP_COUNT(args))(args)
#define OPSWAP_RETURNED0() ctx
#define OPSWAP_RETURNED1(a) ctx, (void *)PT_REGS_RC(ctx)
#define OPSWAP_RETURNED(args...) OPSWAP_CAT(OPSWAP_RETURNED, OPSWAP_COUNT(args))(args)

#define BPF_KPROBE(name, args...) OPSWAP_PROGRAM(name, struct pt_regs *ctx, OPSWAP_REGS(args), ##args)
#define BPF_KRETPROBE(name, args...) OPSWAP_PROGRAM(name, struct pt_regs *ctx, OPSWAP_RETURNED(args), ##args)
#define BPF_UPROBE(name, args...) BPF_KPROBE(name, ##args)
#define BPF_URETPROBE(name, args...) BPF_KRETPROBE(name, ##args)

#endif
