#!/bin/sh
# Compiles the fixtures with clang 14 and 19; the objects are committed, so that the tests need no compiler.
set -eu
cd "$(dirname "$0")"
for version in 14 19; do
	for kernel in 6.18:3 6.12:5; do
		object="reno-${kernel%:*}.clang$version.bpf.o"
		"clang-$version" -target bpf -mcpu=v3 -O2 -g -fdebug-compilation-dir=. -DBEFORE="${kernel#*:}" -Wall -c reno.bpf.c -o "$object"
		llvm-strip-19 -g "$object"
	done
done
