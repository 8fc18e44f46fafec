#!/bin/sh
# Compiles the fixtures with clang 14 and 19 and takes the debug information out. The objects are committed, so that
# the tests need no compiler.
set -eu
cd "$(dirname "$0")"

compile() { # version, source, object
	flags=$(sed -n 's/^\/\* flags: \(.*\) \*\/$/\1/p' "$2")
	"clang-$1" -target bpf -mcpu=v3 -O2 -g -fdebug-compilation-dir=. $flags -Wall -Wno-unused -c "$2" -o "$3"
	llvm-strip-19 -g "$3"
}

for source in *.bpf.c; do
	for version in 14 19; do
		compile "$version" "$source" "${source%.bpf.c}.clang$version.bpf.o"
	done
done
for source in errors/*.bpf.c; do
	compile 19 "$source" "${source%.c}.o"
done
