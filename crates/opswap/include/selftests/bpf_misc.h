/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What programs written for the kernel's selftests expect of their bpf_misc.h, written anew. The tags tell the selftests' runner what a program
 * should do; nobody reads them here.
 */
#ifndef __BPF_MISC_H__
#define __BPF_MISC_H__

#define OPSWAP_TAG(text) __attribute__((btf_decl_tag(text)))
#define __success OPSWAP_TAG("comment:test_expect_success")
#define __failure OPSWAP_TAG("comment:test_expect_failure")
#define __success_unpriv OPSWAP_TAG("comment:test_expect_success_unpriv")
#define __failure_unpriv OPSWAP_TAG("comment:test_expect_failure_unpriv")
#define __msg(text) OPSWAP_TAG("comment:test_expect_msg=" text)
#define __msg_unpriv(text) OPSWAP_TAG("comment:test_expect_msg_unpriv=" text)
#define __description(text) OPSWAP_TAG("comment:test_description=" text)
#define __log_level(level) OPSWAP_TAG("comment:test_log_level=" #level)
#define __flag(flag) OPSWAP_TAG("comment:test_prog_flags=" #flag)
#define __retval(value) OPSWAP_TAG("comment:test_retval=" #value)
#define __auxiliary OPSWAP_TAG("comment:test_auxiliary")
#define __btf_path(path) OPSWAP_TAG("comment:test_btf_path=" path)

#define __naked __attribute__((naked))
#define __clobber_all "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "memory"
#define __clobber_common "r0", "r1", "r2", "r3", "r4", "r5", "memory"
#define __imm(name) [name] "i"(name)
#define __imm_const(name, value) [name] "i"(value)
#define __imm_addr(name) [name] "i"(&name)
#define __imm_ptr(name) [name] "p"(&name)
#ifndef __used
#define __used __attribute__((used))
#endif
#ifndef __maybe_unused
#define __maybe_unused __attribute__((unused))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif
#ifndef __sink
#define __sink(value) asm volatile("" : "+g"(value))
#endif

#endif
