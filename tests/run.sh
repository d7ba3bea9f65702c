#!/bin/sh
# Runs every test named on the command line (programs and scripts), two for each processor, for they
# often wait for the disk; scripts, which take longest, first. Each prints lines that begin with ok,
# FAIL, skip or note. Shows what is not ok; ends with "N passed, N failed, N skipped". A test that ends
# with a status other than 0 without a FAIL line counts as one failure.
passed=0 failed=0 skipped=0
logs=build/test/logs
jobs=$((2 * $(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 2)))
rm -rf $logs
mkdir -p $logs
printf '%s\n' "$@" | sort -r | xargs -P $jobs -I{} sh -c 'log=$2/$(basename "$1")
    "$1" > "$log" 2>&1
    echo $? > "$log.status"' sh {} $logs
for test in "$@"; do
    log=$logs/$(basename "$test")
    status=$(cat "$log.status")
    good=$(grep -c '^ok ' "$log")
    bad=$(grep -c '^FAIL ' "$log")
    passed=$((passed + good))
    failed=$((failed + bad))
    skipped=$((skipped + $(grep -c '^skip ' "$log")))
    grep -E '^(FAIL|skip|note) ' "$log"
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        failed=$((failed + 1))
        echo "FAIL $test ended with status $status:"
        tail -n 15 "$log"
    fi
    echo "     $(basename "$test"): $good ok"
done
skips=
[ "$skipped" -eq 0 ] || skips=", $skipped skipped"
echo "$passed passed, $failed failed$skips"
[ "$failed" -eq 0 ]
