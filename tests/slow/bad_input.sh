#!/bin/sh
# tests/programs/bad_input.sh with every byte value, every length from 0 to 200 at each of the 32 orders, rates, dims and batch sizes densely.
cd "$(dirname "$0")/../.." || exit 1
mkdir -p build/test
make -s || exit 1
sh tests/programs/bad_input.sh all > build/test/slow_bad_input.log 2>&1
grep -E '^(FAIL|skip|note) |trained, [0-9]* refused$' build/test/slow_bad_input.log
! grep -q '^FAIL ' build/test/slow_bad_input.log
