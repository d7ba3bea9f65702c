#!/bin/sh
# A failure at every place of tests/programs/faults.sh; then the same places of programs built with AddressSanitizer and LeakSanitizer.
cd "$(dirname "$0")/../.." || exit 1
mkdir -p build/test
make -s || exit 1
status=0
watch() { grep -q '^FAIL ' "$1" && status=1; cat "$1"; }
FAULT_STRIDE=${FAULT_STRIDE:-1} DEATH_STRIDE=no KILLS=no sh tests/programs/faults.sh > build/test/slow_faults.log 2>&1
watch build/test/slow_faults.log

out=build/test/faults
CLANG=${CLANG:-clang}
if ! command -v "$CLANG" > /dev/null; then echo "skip faults under AddressSanitizer: there is no clang"; exit $status; fi
flags="-std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -fno-math-errno -pthread -g -O1 -Wno-psabi -fsanitize=address,undefined -fno-sanitize-recover=all"
renamed="-Dmalloc=fault_malloc -Dcalloc=fault_calloc -Drealloc=fault_realloc -Daligned_alloc=fault_aligned_alloc"
mkdir -p $out/sanitized $out/memory
for program in train sample embed; do
    [ -f $program.c ] || continue
    $CLANG $flags -o $out/sanitized/$program $program.c lib/*.c -lm || exit 1
    for source in $program.c lib/*.c; do $CLANG $flags $renamed -c -o "$out/memory/$(basename "$source" .c).o" "$source" || exit 1; done
    [ -f $out/memory/shim.o ] || $CLANG $flags -DFAULT_LINKED -c -o $out/memory/shim.o tests/programs/shim.c || exit 1
    objects=$out/memory/shim.o
    for source in $program.c lib/*.c; do objects="$objects $out/memory/$(basename "$source" .c).o"; done
    $CLANG $flags -o $out/memory/$program $objects -lm -ldl || exit 1
done
export ASAN_OPTIONS=exitcode=99:detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=exitcode=98
echo "under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer, one place in ${SANITIZED_STRIDE:-10}:"
$out/faults "$PWD/$out/shim.so" $out/sanitized $out/work faults "${SANITIZED_STRIDE:-10}" > build/test/slow_faults.log 2>&1
watch build/test/slow_faults.log
echo "calls for memory, under the same:"
$out/faults - $out/memory $out/work faults "${MEMORY_STRIDE:-2}" > build/test/slow_faults.log 2>&1
watch build/test/slow_faults.log
exit $status
