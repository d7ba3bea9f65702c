#!/bin/sh
# Death at every call to the system that a run makes on files, and kill -9 at a thousand random instants: see tests/programs/faults.sh.
cd "$(dirname "$0")/../.." || exit 1
mkdir -p build/test
make -s || exit 1
FAULT_STRIDE=no DEATH_STRIDE=${DEATH_STRIDE:-1} KILLS=${KILLS:-1000} sh tests/programs/faults.sh > build/test/slow_killed.log 2>&1
cat build/test/slow_killed.log
! grep -q '^FAIL ' build/test/slow_killed.log
