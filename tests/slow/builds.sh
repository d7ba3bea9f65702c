#!/bin/bash
# Builds elsewhere, and the same bytes everywhere: compilers, levels of optimisation, instruction sets, musl, 32 bits,
# AArch64 and big-endian s390x under qemu-user, where what was written here is read, too; a read-only source folder, a path with spaces, make install, a locale
# with decimal commas. What is not installed is skipped, plainly.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
begin builds
folder=$(mktemp -d) # where another user can go, too
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
head -c 30000 data/text.txt > "$folder/text"
exact="-std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -fno-math-errno -fno-trapping-math -pthread -w"

# build NAME COMPILER FLAGS...: train of this checkout in $folder/NAME, or all of $programs
programs=train
build() {
    local name=$1 program
    shift
    mkdir -p "$folder/$name"
    for program in $programs; do
        "$@" $exact -o "$folder/$name/$program" $program.c lib/*.c -lm 2> "$folder/$name/said" || { tail -n 5 "$folder/$name/said"; return 1; }
    done
}

# alike NAME [RUNNER...]: its files have the bytes of the first one's
alike() {
    local name=$1
    shift
    if ! "$@" "$folder/$name/train" -q -t 3 --dim 20 --out "$folder/$name/out" "$folder/text" 2> "$folder/$name/said"; then
        bad "$name: $(tail -n 1 "$folder/$name/said")"
    elif same_run "$folder/first/out" "$folder/$name/out" > "$folder/$name/said"; then
        ok "$name: the same bytes"
    else
        bad "$name: $(cat "$folder/$name/said")"
    fi
}

# reads NAME RUNNER: it goes on from the first one's files and leaves the same bytes; it samples and scores alike
reads() {
    local name=$1 model="$folder/first/out/model.safetensors" options
    cp -r "$folder/first/out" "$folder/$name/copy"
    if "$2" "$folder/$name/train" -q -t 3 --resume --out "$folder/$name/copy" "$folder/text" 2> "$folder/$name/said" && same_run "$folder/first/out" "$folder/$name/copy" > "$folder/$name/said"; then
        ok "$name: it resumes from files written here"
    else
        bad "$name: resuming from files written here: $(tail -n 1 "$folder/$name/said")"
    fi
    for options in "-s 1 -n 200" "--score $folder/text"; do
        "$folder/first/sample" --model "$model" $options > "$folder/expected"
        "$2" "$folder/$name/sample" --model "$model" $options > "$folder/found"
        cmp -s "$folder/expected" "$folder/found" && ok "$name: sample ${options%% /*} reads a model written here" || bad "$name: sample $options of a model written here: $(head -n 1 "$folder/found")"
    done
}

programs="train sample"
build first gcc -O3 -march=native && alike first || exit 1
programs=train
build "gcc -O0" gcc -O0 && alike "gcc -O0"
build "gcc -O2, baseline x86-64" gcc -O2 && alike "gcc -O2, baseline x86-64"
gcc -march=x86-64-v3 -E -x c /dev/null > /dev/null 2>&1 && build "gcc -O3, AVX2" gcc -O3 -march=x86-64-v3 && alike "gcc -O3, AVX2"
grep -q avx512vl /proc/cpuinfo && build "gcc -O3, AVX-512 in vectors of 8" gcc -O3 -march=x86-64-v4 && alike "gcc -O3, AVX-512 in vectors of 8"
if command -v clang > /dev/null; then
    build "clang -O3 -march=native" clang -O3 -march=native && alike "clang -O3 -march=native"
    build "clang -O0" clang -O0 && alike "clang -O0"
else
    echo "skip clang: not here"
fi
if command -v musl-gcc > /dev/null; then
    build "musl, static" musl-gcc -O2 -static && alike "musl, static"
else
    echo "skip musl: install musl-tools"
fi
# 32 bits: SSE arithmetic, for that of the x87 keeps more digits than IEEE 754 says
if echo 'int main(void){return 0;}' | gcc -m32 -x c - -o "$folder/m32" -lm 2> /dev/null; then
    build "32 bits" gcc -O2 -m32 -msse2 -mfpmath=sse && alike "32 bits"
elif echo '#include <stdio.h>
int main(void){return 0;}' | clang -m32 -x c - -o "$folder/m32" -lm 2> /dev/null; then
    build "32 bits" clang -O2 -m32 -msse2 -mfpmath=sse && alike "32 bits"
else
    echo "skip 32 bits: install gcc-multilib"
fi

# other processors: a cross gcc, or clang with the other system's libc
cross() { # NAME TRIPLE QEMU
    local name=$1 triple=$2 qemu=$3
    if ! command -v "$qemu" > /dev/null; then
        echo "skip $name: install qemu-user"
    elif command -v "$triple-gcc" > /dev/null && build "$name" "$triple-gcc" -O2 -static; then
        alike "$name" "$qemu"
        reads "$name" "$qemu"
    elif build "$name" clang --target="$triple" -O2 -static -fuse-ld=lld 2> /dev/null > /dev/null; then
        alike "$name" "$qemu"
        reads "$name" "$qemu"
    else
        echo "skip $name: no compiler for it; install gcc-$triple"
    fi
}
programs="train sample"
cross "AArch64" aarch64-linux-gnu qemu-aarch64
exact=${exact/-std=c11/-std=gnu11} # on this machine gcc's strict mode computes floats as doubles
cross "s390x, big-endian" s390x-linux-gnu qemu-s390x

# where people put it
mkdir -p "$folder/a path with spaces"
git archive HEAD 2> /dev/null | tar -x -C "$folder/a path with spaces" 2> /dev/null || cp -r . "$folder/a path with spaces"
if (cd "$folder/a path with spaces" && make clean && make -j4) > "$folder/said" 2>&1 && (cd "$folder" && "a path with spaces/train" -q --dim 8 --out "an out" "$folder/text"); then
    ok "make -j4 in a path with spaces"
else
    bad "make -j4 in a path with spaces: $(tail -n 2 "$folder/said")"
fi
if (cd "$folder/a path with spaces" && make install DESTDIR="$folder/dest dir" PREFIX=/opt/x) > "$folder/said" 2>&1 && "$folder/dest dir/opt/x/bin/sample" --version > /dev/null; then
    ok "make install with DESTDIR and PREFIX"
else
    bad "make install: $(tail -n 2 "$folder/said")"
fi
chmod -R a-w "$folder/a path with spaces"
runner=""
[ "$(id -u)" != 0 ] || runner="setpriv --reuid=65534 --regid=65534 --clear-groups"
chmod a+rx "$folder"
mkdir "$folder/elsewhere" && chmod a+rwx "$folder/elsewhere"
if (cd "$folder/elsewhere" && $runner "$folder/a path with spaces/train" -q --dim 8 --out out "$folder/a path with spaces/data/text.txt") 2> "$folder/said"; then
    ok "trained by another user from a source folder that is read-only"
else
    bad "a read-only source folder: $(tail -n 1 "$folder/said")"
fi
mkdir -p "$folder/comma"
LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 "$folder/first/train" -q -t 3 --dim 20 --out "$folder/comma/out" "$folder/text"
same_run "$folder/first/out" "$folder/comma/out" > /dev/null && ok "a locale with decimal commas: the same bytes" || bad "a locale with decimal commas"
finish
