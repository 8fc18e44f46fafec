#!/bin/sh
# Compiles the fixtures of the loader's tests; the objects are committed, so that the tests need no compiler.
set -eu
cd "$(dirname "$0")"
for source in kernel.c plans/*.bpf.c linux/*.bpf.c; do
	object="${source%.c}.o"
	clang-19 -target bpf -mcpu=v3 -O2 -g -fdebug-compilation-dir=. -Wall -Wno-unused -c "$source" -o "$object"
	llvm-strip-19 -g "$object"
done
