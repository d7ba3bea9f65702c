#!/bin/sh
# Runs every test named on the command line (programs and scripts), two for each processor, for they often wait for the disk;
# the scripts (behind the programs in the alphabet), which take longest, first. Each prints lines that begin with ok, FAIL, skip or note. Shows what is not ok; ends
# with "N passed, N failed, N skipped". A test that ends with a status other than 0 without a FAIL line counts as one failure.
passed=0 failed=0 skipped=0
logs=build/test/logs
rm -rf $logs
mkdir -p $logs
printf '%s\n' "$@" | sort -r | xargs -P $((2 * $(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 2))) -I{} sh -c 'name=$(basename "$1"); "$1" > "$2/$name" 2>&1; echo $? > "$2/$name.status"' sh {} $logs
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
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" -eq 0 ]
