#!/bin/sh
# Compiles the fixtures with clang 14 and 19; the objects are committed, so that the tests need no compiler.
set -eu
cd "$(dirname "$0")"

compile() { # version, source, object, flags
	"clang-$1" -target bpf -mcpu=v3 -O2 -g -fdebug-compilation-dir=. $4 -Wall -c "$2" -o "$3"
	llvm-strip-19 -g "$3"
}

for version in 14 19; do
	compile "$version" reno.bpf.c "reno-6.18.clang$version.bpf.o" -DBEFORE=3
	compile "$version" reno.bpf.c "reno-6.12.clang$version.bpf.o" -DBEFORE=5
	compile "$version" fields.bpf.c "fields.clang$version.bpf.o" ""
done
