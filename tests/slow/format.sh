#!/bin/sh
# Every file of C is as clang-format 14 leaves it with the tree's .clang-format.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
begin format
has clang-format || { echo "skip the format: install clang-format"; exit 0; }
for file in *.[ch] lib/*.[ch] page/*.c tests/*.h tests/*/*.[ch] bench/*.c; do
    case $file in *_table.h | */golden.h) continue ;; esac # these are generated
    clang-format "$file" | cmp -s - "$file" || echo "$file"
done > $out/found
[ ! -s $out/found ]
that $? "all files are formatted" "$(tr '\n' ' ' < $out/found)"
finish
