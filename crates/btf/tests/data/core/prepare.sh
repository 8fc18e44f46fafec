#!/bin/sh
# Makes cases-{14,19}.o, kernel-{14,19}.btf and cases-{14,19}.expected from cases.c. Needs clang-14, clang-19, llvm-19,
# gcc, libelf, zlib, root (libbpf loads what it relocates) and the source of Linux 6.12 for its libbpf.
# usage: prepare.sh /path/to/linux-source-6.12
set -eu
cd "$(dirname "$0")"
tools=$1/tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/include"
ln -s "$tools/lib/bpf" "$work/include/bpf"
for source in "$tools"/lib/bpf/*.c; do
    gcc -O1 -w -D_GNU_SOURCE -D_LARGEFILE64_SOURCE -D_FILE_OFFSET_BITS=64 -I"$tools/include" -I"$tools/include/uapi" \
        -I"$tools/arch/x86/include" -I"$tools/lib/bpf" -c "$source" -o "$work/$(basename "$source" .c).o"
done
gcc -w -I"$work/include" -I"$tools/include/uapi" libbpf_says.c "$work"/*.o -lelf -l:libz.so.1 -o "$work/libbpf_says"
for clang in 14 19; do
    "clang-$clang" -target bpf -g -O2 -fdebug-compilation-dir=. -c cases.c -o "cases-$clang.o"
    "clang-$clang" -target bpf -g -O2 -fdebug-compilation-dir=. -funsigned-char -DTARGET -c cases.c -o "$work/kernel.o"
    llvm-strip-19 -g "cases-$clang.o"
    llvm-objcopy-19 --dump-section .BTF="kernel-$clang.btf" "$work/kernel.o"
    "$work/libbpf_says" "cases-$clang.o" "$work/kernel.o" |
        sed -e 's/^libbpf: //' -e 's/relo [0-9]* at insn #[0-9]* can/relo can/' \
            -e 's/: [a-z ]*ambiguity: .*/: ambiguous/' -e "s/: relo can't be satisfied for bitfield/: too wide/" \
            -e '/accesses field incorrectly/d' >"cases-$clang.expected"
done
