#!/bin/sh
# Compiles the object of tests/nameless.rs twice, with the clang of the shipped objects.
set -eu
cd "$(dirname "$0")"
build() {
	clang-19 -g -O2 -target bpf -ffile-prefix-map="$PWD"= -DVARIABLE="$2" -DCOLOUR="$3" -c lamp.bpf.c -o "$1.bpf.o"
	llvm-strip-19 -g "$1.bpf.o"
}
build lamp1 a_lamp_with_a_long_name 0
build lamp2 another_lamp 7
