#!/bin/bash
# Builds elsewhere, and the same bytes everywhere: compilers, levels of optimisation, instruction
# sets, musl, 32 bits, AArch64 and big-endian s390x under qemu-user, where what was written here is
# read, too; a read-only source folder, a path with spaces, make install, a locale with decimal
# commas. What is not installed is skipped, plainly.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
begin builds
folder=$(mktemp -d) # where another user can go, too
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
head -c 30000 data/text.txt > "$folder/text"
exact="-std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -fno-math-errno -fno-trapping-math -pthread -w"
said=$folder/said

# build NAME COMPILER FLAGS...: $programs of this checkout in $folder/NAME
programs=train
build() {
    local name=$1 program
    shift
    mkdir -p "$folder/$name"
    for program in $programs; do
        "$@" $exact -o "$folder/$name/$program" $program.c lib/*.c -lm 2> "$said" || return
    done
}

# alike NAME [RUNNER]: a run of it leaves the bytes of the first one's
alike() {
    $2 "$folder/$1/train" -q -t 3 --dim 20 --out "$folder/$1/out" "$folder/text" 2> "$said" &&
        same_run "$folder/first/out" "$folder/$1/out" > "$said"
    that $? "$1: the same bytes" "$(tail -n 1 "$said")"
}

# builds NAME COMPILER FLAGS...: it can be built, and is alike
builds() {
    if build "$@"; then alike "$1"; else bad "$1: it cannot be built: $(tail -n 1 "$said")"; fi
}

# reads NAME RUNNER: it goes on from the first one's files to the same bytes, and samples and scores
# alike
reads() {
    local name=$1 model="$folder/first/out/model.safetensors" options
    cp -r "$folder/first/out" "$folder/$name/copy"
    "$2" "$folder/$name/train" -q -t 3 --resume --out "$folder/$name/copy" "$folder/text" \
        2> "$said" && same_run "$folder/first/out" "$folder/$name/copy" > "$said"
    that $? "$name: it resumes from files written here" "$(tail -n 1 "$said")"
    for options in "-s 1 -n 200" "--score $folder/text"; do
        "$folder/first/sample" --model "$model" $options > "$folder/expected"
        "$2" "$folder/$name/sample" --model "$model" $options > "$folder/found"
        same "$folder/expected" "$folder/found" \
            "$name: sample ${options%% /*} reads a model written here"
    done
}

programs="train sample"
build first gcc -O3 -march=native || { cat "$said"; exit 1; }
alike first
programs=train
builds "gcc -O0" gcc -O0
builds "gcc -O2, baseline x86-64" gcc -O2
! gcc -march=x86-64-v3 -E -x c /dev/null > /dev/null 2>&1 ||
    builds "gcc -O3, AVX2" gcc -O3 -march=x86-64-v3
! grep -q avx512vl /proc/cpuinfo ||
    builds "gcc -O3, AVX-512 in vectors of 8" gcc -O3 -march=x86-64-v4
if has clang; then
    builds "clang -O3 -march=native" clang -O3 -march=native
    builds "clang -O0" clang -O0
else
    echo "skip clang: not here"
fi
if has musl-gcc; then builds "musl, static" musl-gcc -O2 -static
else echo "skip musl: install musl-tools"
fi
# 32 bits: SSE arithmetic, for that of the x87 keeps more digits than IEEE 754 says
printf '#include <stdio.h>\nint main(void){return 0;}' > "$folder/empty.c"
for compiler in gcc clang none; do
    $compiler -m32 -o "$folder/m32" "$folder/empty.c" 2> /dev/null && break
done
if [ $compiler != none ]; then builds "32 bits" $compiler -O2 -m32 -msse2 -mfpmath=sse
else echo "skip 32 bits: install gcc-multilib"
fi

# other processors: a cross gcc, or clang with the other system's libc
cross() { # NAME TRIPLE QEMU
    has "$3" || { echo "skip $1: install qemu-user"; return; }
    build "$1" "$2-gcc" -O2 -static ||
        build "$1" clang --target="$2" -O2 -static -fuse-ld=lld ||
        { echo "skip $1: no compiler for it; install gcc-$2"; return; }
    alike "$1" "$3"
    reads "$1" "$3"
}
programs="train sample"
cross "AArch64" aarch64-linux-gnu qemu-aarch64
exact=${exact/-std=c11/-std=gnu11} # on this machine gcc's strict mode computes floats as doubles
cross "s390x, big-endian" s390x-linux-gnu qemu-s390x

# where people put it
place="$folder/a path with spaces"
mkdir -p "$place" "$folder/elsewhere"
git archive HEAD 2> /dev/null | tar -x -C "$place" 2> /dev/null || cp -r . "$place"
(cd "$place" && make clean && make -j4) > "$said" 2>&1 &&
    (cd "$folder" && "a path with spaces/train" -q --dim 8 --out "an out" text)
that $? "make -j4 in a path with spaces" "$(tail -n 2 "$said")"
(cd "$place" && make install DESTDIR="$folder/dest dir" PREFIX=/opt/x) > "$said" 2>&1 &&
    "$folder/dest dir/opt/x/bin/sample" --version > /dev/null
that $? "make install with DESTDIR and PREFIX" "$(tail -n 2 "$said")"
chmod -R a-w "$place"
runner=
[ "$(id -u)" != 0 ] || runner="setpriv --reuid=65534 --regid=65534 --clear-groups"
chmod a+rx "$folder"
chmod a+rwx "$folder/elsewhere"
(cd "$folder/elsewhere" && $runner "$place/train" -q --dim 8 --out out "$place/data/text.txt") \
    2> "$said"
that $? "trained by another user from a source folder that is read-only" "$(tail -n 1 "$said")"
mkdir "$folder/decimal commas"
ln "$folder/first/train" "$folder/decimal commas"
alike "decimal commas" "env LC_ALL=de_DE.UTF-8"
finish
