/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What programs written for the kernel's selftests expect of their bpf_kfuncs.h, written anew: functions of the kernel that programs of most kinds may
 * call. Weak, so that a program which asks whether they are there loads where they are not.
 */
#ifndef __BPF_KFUNCS__
#define __BPF_KFUNCS__

#include <bpf/bpf_helpers.h>

struct __sk_buff;
struct xdp_md;
struct bpf_dynptr;

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, unsigned long long flags, struct bpf_dynptr *ptr__uninit) __ksym __weak;
extern int bpf_dynptr_from_xdp(struct xdp_md *xdp, unsigned long long flags, struct bpf_dynptr *ptr__uninit) __ksym __weak;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, unsigned int offset, void *buffer, unsigned int buffer__szk) __ksym __weak;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, unsigned int offset, void *buffer, unsigned int buffer__szk) __ksym __weak;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *ptr, unsigned int start, unsigned int end) __ksym __weak;
extern _Bool bpf_dynptr_is_null(const struct bpf_dynptr *ptr) __ksym __weak;
extern _Bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *ptr) __ksym __weak;
extern unsigned int bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym __weak;
extern int bpf_dynptr_clone(const struct bpf_dynptr *ptr, struct bpf_dynptr *clone__init) __ksym __weak;
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;
extern void *bpf_rdonly_cast(const void *object, unsigned int type) __ksym __weak;

#endif
