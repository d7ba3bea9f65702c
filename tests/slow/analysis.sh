#!/bin/bash
# Static analysis of the product: gcc -fanalyzer, cppcheck, clang-tidy (.clang-tidy says what is left out and why).
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
begin analysis
said=$out/said

# The analyzer takes the numbers of a vector for bits, a file in a struct that is returned for one that is lost, and does not see
# that a loop fills an array (valgrind, below, does).
for file in *.c lib/*.c; do
    gcc -std=c11 -D_DEFAULT_SOURCE -O1 -Wall -Wextra -Wpedantic -Wno-psabi -Wno-missing-field-initializers -fanalyzer -Wno-analyzer-shift-count-overflow \
        -Wno-analyzer-file-leak -Wno-analyzer-malloc-leak -Wno-analyzer-use-of-uninitialized-value -c "$file" -o /dev/null
done > "$said" 2>&1
[ ! -s "$said" ] && ok "gcc -fanalyzer finds nothing" || bad "gcc -fanalyzer: $(head -n 5 "$said")"

# uninitvar: it does not see that project() and the like fill what they are given; nullPointerRedundantCheck and negativeIndex:
# it does not see that fail() does not return.
if has cppcheck; then
    cppcheck --enable=warning,portability,performance --std=c11 -q --suppress=missingIncludeSystem --suppress=uninitvar --suppress=nullPointerRedundantCheck \
        --suppress=negativeIndex -D__BYTE_ORDER__=1234 -D__ORDER_BIG_ENDIAN__=4321 *.c lib/*.c > "$said" 2>&1
    [ ! -s "$said" ] && ok "cppcheck finds nothing" || bad "cppcheck: $(head -n 5 "$said")"
else
    echo "skip cppcheck: not here"
fi

if has clang-tidy; then
    clang-tidy --quiet *.c lib/*.c -- -std=c11 -D_DEFAULT_SOURCE -w > "$said" 2> /dev/null && ok "clang-tidy finds nothing" || bad "clang-tidy: $(grep -E 'error|warning' "$said" | head -n 5)"
else
    echo "skip clang-tidy: not here"
fi

if has valgrind; then
    head -c 4000 data/text.txt > $out/text
    build=$out/build
    mkdir $build
    for program in train sample embed; do gcc -std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -fno-math-errno -O1 -g -pthread -w -o "$build/$program" $program.c lib/*.c -lm || bad "$program cannot be built for valgrind"; done
    model="--model $build/out/model.safetensors"
    for command in "train -q -t 2 --dim 8 --order 4 --out $build/out $out/text" "train -q -t 2 --resume --out $build/out $out/text" \
        "sample $model -s 1 -n 20" "sample $model --score $out/text" "embed $model near e" "embed $model report"; do
        valgrind -q --error-exitcode=9 --leak-check=full "$build/"$command > /dev/null 2> "$said" && ok "valgrind finds nothing in ${command//$build\//}" || bad "valgrind: ${command//$build\//}: $(head -n 5 "$said")"
    done
else
    echo "skip valgrind: not here"
fi
finish
