#!/bin/sh
# Makes kinds.o and kinds.txt (bpftool's view) from kinds.c. Needs clang-19, llvm-19, bpftool.
set -eu
cd "$(dirname "$0")"
clang-19 -target bpf -g -O2 -fdebug-compilation-dir=. -c kinds.c -o kinds.o
llvm-strip-19 -g kinds.o
bpftool btf dump file kinds.o >kinds.txt
