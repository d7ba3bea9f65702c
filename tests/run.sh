#!/bin/sh
# Runs every test named on the command line (programs and scripts), each of which prints lines that begin with
# ok, FAIL or skip; shows what is not ok; ends with "N passed, N failed, N skipped". A test that ends with a
# status other than 0 without a FAIL line counts as one failure.
passed=0 failed=0 skipped=0
for test in "$@"; do
    output=$("$test" 2>&1)
    status=$?
    passed=$((passed + $(printf '%s\n' "$output" | grep -c '^ok ')))
    bad=$(printf '%s\n' "$output" | grep -c '^FAIL ')
    skipped=$((skipped + $(printf '%s\n' "$output" | grep -c '^skip ')))
    failed=$((failed + bad))
    printf '%s\n' "$output" | grep -E '^(FAIL|skip|note) '
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        failed=$((failed + 1))
        echo "FAIL $test ended with status $status:"
        printf '%s\n' "$output" | tail -n 15
    fi
    echo "     $(basename "$test"): $(printf '%s\n' "$output" | grep -c '^ok ') ok"
done
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" -eq 0 ]
