#!/bin/sh
# slow_fuzz.sh [SECONDS]: fuzzes the readers (model, checkpoint, loss log, text) with libFuzzer under AddressSanitizer and
# UndefinedBehaviorSanitizer for so many seconds in all (default 640), one after the other. What was learnt
# stays in tests/build/fuzz/corpus, so that a later call goes on from there.
seconds=${1:-640}
cd "$(dirname "$0")/.." || exit 1
build=tests/build/fuzz
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
    $CLANG $flags $sanitizers -o $build/$harness tests/fuzz/fuzz_$harness.c tests/fuzz/track.c $build/*.o -lm 2> $build/said || {
        cat $build/said
        echo "FAIL fuzzing: fuzz_$harness.c cannot be built"
        exit 1
    }
done
${CC:-cc} $flags -o $build/seeds tests/fuzz/seeds.c lib/*.c -lm || { echo "FAIL fuzzing: seeds.c cannot be built"; exit 1; }
$build/seeds $build/seeds.d || { echo "FAIL fuzzing: no seeds"; exit 1; }
status=0
for share in model:50 checkpoint:25 text:15 log:10; do
    harness=${share%:*}
    time=$((seconds * ${share#*:} / 100 + 1))
    mkdir -p $build/corpus/$harness
    # a minute is a hang even on a busy machine
    if ( ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 $build/$harness -max_total_time=$time -timeout=60 -rss_limit_mb=2048 -max_len=16384 \
        -print_final_stats=1 -verbosity=1 -artifact_prefix=$build/found/$harness- $build/corpus/$harness $build/seeds.d/$harness > $build/$harness.log 2>&1
        status=$?
        times > $build/$harness.times
        exit $status ); then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' $build/$harness.log)
        spent=$(awk -F'[ms ]+' 'NR == 2 { printf "%.0f", 60 * $1 + $2 + 60 * $3 + $4 }' $build/$harness.times)
        cover=$(grep -o 'cov: [0-9]*' $build/$harness.log | tail -n 1)
        echo "ok fuzzing the $harness reader: $time s, $spent s of processor time, $runs inputs, $(ls $build/seeds.d/$harness | wc -l) seeds, $cover, nothing found"
    else
        status=1
        echo "FAIL fuzzing the $harness reader: $(grep -m 1 -E 'ERROR|SUMMARY|runtime error' $build/$harness.log)"
        grep -v '^    #[1-9][0-9]' $build/$harness.log | tail -n 30
    fi
done
exit $status
