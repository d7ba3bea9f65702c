#!/bin/sh
# Every file of C is as clang-format 14 leaves it with the tree's .clang-format; the table of
# letters is what its script makes, where this Python has the same version of Unicode.
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
table=lib/letters_table.h
if ! python3 lib/letters_table.py > $out/table.h 2> /dev/null ||
    [ "$(head -n 1 $table)" != "$(head -n 1 $out/table.h)" ]; then
    echo "skip the table of letters: there is no python3 with the same version of Unicode"
else
    same $table $out/table.h "the table of letters is what its script makes"
fi
finish
