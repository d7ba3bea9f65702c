#!/bin/sh
# faults.sh [FAULTS SANITIZED MEMORY]: a failure at every call to the system, or at one in so many; then at one in so many of
# programs built with AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer, of their calls for memory at last.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
make -s || exit 1
FAULT_STRIDE=${1:-1} DEATH_STRIDE=no KILLS=no sh tests/programs/faults.sh
out=build/test/faults
has clang || { echo "skip faults under AddressSanitizer: there is no clang"; exit 0; }

flags="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
renamed="-Dmalloc=fault_malloc -Dcalloc=fault_calloc -Drealloc=fault_realloc -Daligned_alloc=fault_aligned_alloc"
mkdir -p $out/sanitized $out/memory
make -s CC=clang ARCH= CFLAGS="$flags" train sample embed && cp train sample embed $out/sanitized || exit 1
clang -std=c11 $flags -DFAULT_LINKED -c -o $out/memory/shim.o tests/programs/shim.c || exit 1
make -s CC=clang ARCH= CFLAGS="$flags $renamed" LDFLAGS="$out/memory/shim.o -ldl" train sample embed || exit 1
cp train sample embed $out/memory
make -s
export ASAN_OPTIONS=exitcode=99:detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=exitcode=98
echo "note under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer:"
$out/faults "$PWD/$out/shim.so" $out/sanitized $out/work faults "${2:-10}"
echo "note calls for memory, under the same:"
$out/faults - $out/memory $out/work faults "${3:-2}"
