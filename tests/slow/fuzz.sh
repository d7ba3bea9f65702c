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

# The first inputs: breaches of the rules; the files of runs on the text of tests/tiny.h; texts,
# whose first byte says how they are cut.
seeds=$build/seeds.d
mkdir -p $seeds/model $seeds/checkpoint $seeds/log $seeds/text
${CC:-cc} $flags -o $build/seeds tests/fuzz/seeds.c &&
    $build/seeds $seeds/model $seeds/checkpoint && make -s train ||
    { echo "FAIL fuzzing: no seeds"; exit 1; }
sed -n 's/^ *"\(.*\)";$/\1/p' tests/tiny.h | tr -d '\n' > $build/tiny
seed_run() { # NAME OPTIONS...
    name=$1
    shift
    ./train -q -t 1 --val 0 --min-count 2 -b 8 -s 1 --out $build/run "$@" $build/tiny || exit 1
    for kind in model checkpoint; do cp $build/run/$kind.safetensors $seeds/$kind/$name; done
    cp $build/run/loss.csv $seeds/log/$name
}
seed_run characters --order 1 --dim 3 -e 1 --set evaluations=5
cp $build/run/snapshots.safetensors $seeds/model/snapshots
ngrams="--order 3 --rows ngrams --max-rows 10 --dim 1 -e 1"
seed_run ngrams $ngrams
seed_run diverged $ngrams --lr 1000 # its best model is an older one: the checkpoint has the weights
seed_run SGD $ngrams --optimizer sgd
seed_run all_kinds --order 4 --max-rows 60 --dim 1 -e 1
log=$seeds/log/characters
head -c -1 $log > $seeds/log/without_its_last_line_end
head -c -10 $log > $seeds/log/cut
{ head -c -1 $log; printf '\0'; } > $seeds/log/NUL_at_the_end
sed '2s/,/;/' $log > $seeds/log/semicolon
text=$seeds/text
{ printf '\1'; cat $build/tiny; } > $text/plain
printf '\3Plain text.\r\n\342\200\234Quoted\342\200\235 \342\200\224 it\342\200\231s' > $text/signs
printf '\302\240fine\342\200\246 \r \303\251 \342\200 \342' >> $text/signs
printf '\1It\222s all \223quoted\224, caf\351 and more, so that it is text' > $text/Windows-1252
printf '\2a\0 \0t\0e\0x\0t\0\351\0\r\0\n\0\31\40\75\330\0\336 o\0r\0 \0s\0o\0 \0' > $text/UTF-16
printf '\0\376\377\0a\0 \0t\0e\0x\0t\4\66\0 \0s\0o\0m\0e\0 \0w\0o\0r\0d\0s' > $text/UTF-16_marked
{ printf '\2'; for i in $(seq 0 255); do printf "\\$(printf %03o $i)"; done; } > $text/all_bytes
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
            -print_final_stats=1 -verbosity=1 -artifact_prefix=$build/found/$1- $build/corpus/$1 $seeds/$1 >> $build/$1.log 2>&1 || return 1
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
        echo "ok fuzzing the $harness reader: $time s of processor time, $runs inputs, $(ls $seeds/$harness | wc -l) seeds, $cover, nothing found"
    else
        status=1
        echo "FAIL fuzzing the $harness reader: $(grep -m 1 -E 'ERROR|SUMMARY|runtime error' $build/$harness.log)"
        grep -v '^    #[1-9][0-9]' $build/$harness.log | tail -n 30
    fi
done
exit $status
