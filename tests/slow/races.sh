#!/bin/sh
# ThreadSanitizer: no two threads touch one number at a time, in whole runs of 8 threads and in the fast step's unit tests.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
begin races
export TSAN_OPTIONS=halt_on_error=1
make -s -j2 CC=gcc CFLAGS="-O1 -g -fsanitize=thread" train sample build/unit/model || exit 1
head -c 40000 data/text.txt > $out/text
runs() { # NAME COMMAND...
    name=$1
    shift
    "$@" > $out/said 2>&1
    that $? "ThreadSanitizer finds nothing: $name" "$(grep -m 1 -E 'WARNING|SUMMARY' $out/said)"
}
runs "large batches" ./train -q -t 8 --dim 16 --out $out/run $out/text
runs "small batches" ./train -q -t 8 --dim 8 -b 16 --order 3 --out $out/run $out/text
runs "resuming" ./train -q -t 8 --resume --out $out/run $out/text
runs "scoring" ./sample --model $out/run/model.safetensors --score $out/text
runs "the step" build/unit/model
make -s
finish
