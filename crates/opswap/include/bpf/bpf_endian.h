/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What programs expect of libbpf's bpf_endian.h, written anew: between the byte order of the network and that of the machine. */
#ifndef __BPF_ENDIAN__
#define __BPF_ENDIAN__

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OPSWAP_TO_BE(bits, x) __builtin_bswap##bits(x)
#define OPSWAP_TO_LE(bits, x) (x)
#else
#define OPSWAP_TO_BE(bits, x) (x)
#define OPSWAP_TO_LE(bits, x) __builtin_bswap##bits(x)
#endif

#define bpf_htons(x) OPSWAP_TO_BE(16, x)
#define bpf_ntohs(x) OPSWAP_TO_BE(16, x)
#define bpf_htonl(x) OPSWAP_TO_BE(32, x)
#define bpf_ntohl(x) OPSWAP_TO_BE(32, x)
#define bpf_cpu_to_be64(x) OPSWAP_TO_BE(64, x)
#define bpf_be64_to_cpu(x) OPSWAP_TO_BE(64, x)
#define bpf_cpu_to_le64(x) OPSWAP_TO_LE(64, x)
#define bpf_le64_to_cpu(x) OPSWAP_TO_LE(64, x)

#endif
