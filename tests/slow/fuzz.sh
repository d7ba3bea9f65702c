#!/bin/sh
# fuzz.sh [SECONDS]: fuzzes the readers (model, checkpoint, loss log, text) with libFuzzer under AddressSanitizer and
# UndefinedBehaviorSanitizer for so many seconds of processor time in all (default 640), one after the other. What was learnt
# stays in build/test/fuzz/corpus, so that a later call goes on from there.
seconds=${1:-640}
cd "$(dirname "$0")/../.." || exit 1
build=build/test/fuzz
mkdir -p $build/corpus $build/found
CLANG=${CLANG:-clang}
if ! command -v "$CLANG" > /dev/null; then echo "skip fuzzing: there is no clang"; exit 0; fi
flags="-std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -fno-math-errno -pthread -g -O1 -Wno-psabi"
sanitizers="-fsanitize=fuzzer,address,undefined,float-cast-overflow -fno-sanitize-recover=all"
library=$(ls lib/*.c | grep -v lib/fail.c)
for source in $library; do # the product's sources, and only they, get their input from the fuzzer
    $CLANG $flags $sanitizers -include tests/fuzz/track.h -c -o "$build/$(basename "$source" .c).o" "$source" || { echo "FAIL fuzzing: $source cannot be built"; exit 1; }
done
for harness in model checkpoint log text; do
    $CLANG $flags $sanitizers -o $build/$harness tests/fuzz/$harness.c tests/fuzz/track.c $build/*.o -lm 2> $build/said || {
        cat $build/said
        echo "FAIL fuzzing: fuzz_$harness.c cannot be built"
        exit 1
    }
done
${CC:-cc} $flags -o $build/seeds tests/fuzz/seeds.c lib/*.c -lm || { echo "FAIL fuzzing: seeds.c cannot be built"; exit 1; }
$build/seeds $build/seeds.d || { echo "FAIL fuzzing: no seeds"; exit 1; }
status=0
# The processor seconds of all that this script has run so far, in $used: the shell's own `times`, not in a subshell, which has its own.
look() { times > $build/times; used=$(awk 'NR == 2 { gsub(/[ms]/, " "); print int(60 * $1 + $2 + 60 * $3 + $4) }' $build/times); }
# fuzz HARNESS SECONDS: for so many seconds of processor time, however much of it others take
fuzz() {
    look
    end=$((used + $2))
    : > $build/$1.log
    while [ $used -lt $end ]; do
        ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 $build/$1 -max_total_time=$((end - used)) -timeout=60 -rss_limit_mb=2048 -max_len=16384 \
            -print_final_stats=1 -verbosity=1 -artifact_prefix=$build/found/$1- $build/corpus/$1 $build/seeds.d/$1 >> $build/$1.log 2>&1 || return 1
        look
    done
}
# HARNESS SHARE COVER: its share of the time in %, and how many branches it must reach, or it tests nothing
for line in "model 50 300" "checkpoint 25 300" "text 15 200" "log 10 30"; do
    set -- $line
    harness=$1 least=$3
    time=$((seconds * $2 / 100 + 1))
    mkdir -p $build/corpus/$harness
    if fuzz $harness $time; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' $build/$harness.log | awk '{ sum += $1 } END { printf "%d", sum }')
        cover=$(grep -o 'cov: [0-9]*' $build/$harness.log | tail -n 1)
        [ "${cover#cov: }" -ge $least ] || { echo "FAIL fuzzing the $harness reader: $cover, less than $least: it does not reach it"; status=1; continue; }
        echo "ok fuzzing the $harness reader: $time s of processor time, $runs inputs, $(ls $build/seeds.d/$harness | wc -l) seeds, $cover, nothing found"
    else
        status=1
        echo "FAIL fuzzing the $harness reader: $(grep -m 1 -E 'ERROR|SUMMARY|runtime error' $build/$harness.log)"
        grep -v '^    #[1-9][0-9]' $build/$harness.log | tail -n 30
    fi
done
exit $status
