#!/bin/sh
# Regenerates llvm.txt from its own left-hand sides: ./llvm.sh [llvm-mc]
set -eu
cd "$(dirname "$0")"
mc=${1:-llvm-mc-19}
{
    sed -n '/^#/p' llvm.txt
    sed -n '/^#/!s/ => .*//p' llvm.txt | while read -r line; do
        bytes=$(echo "$line" | "$mc" -triple=bpfel -mcpu=v4 -show-encoding |
            sed -n 's/.*encoding: \[\(.*\)\]/\1/p' | sed 's/0x//g; s/,//g')
        printed=$(echo "$bytes" | sed 's/../0x& /g' |
            "$mc" -triple=bpfel -mcpu=v4 -disassemble | sed -n '/^\t\.text/d; s/^\t//p')
        echo "$line => $bytes => $printed"
    done
} > llvm.new
mv llvm.new llvm.txt
