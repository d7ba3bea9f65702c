#!/bin/sh
# What fails or dies on the way, and two runs at once. A part of the places here; all of them in tests/slow/faults.sh.
. tests/programs/lib.sh
begin faults

# ---- two runs at once ----
head -c 1500 data/text.txt > $out/text
small="-q -t 1 --dim 4 --order 3 -b 64"
./train $small -s 2 --out $out/two $out/text
cp $out/two/model.safetensors $out/model.before
mkfifo $out/fifo
./train $small -s 1 --out $out/two $out/fifo & # it locks the folder, opens its text and waits for what does not come
first=$!
exec 3> $out/fifo # opened when the other end is
./train $small -s 3 --out $out/two $out/text 2> $out/said
grep -q 'another run is writing there; wait for it, or name another folder with --out' $out/said && [ "$(wc -l < $out/said)" -eq 1 ] && ok "a second run in the same folder is told so" || bad "a second run in the same folder: $(cat $out/said)"
./train $small --resume --out $out/two $out/text 2> $out/said
[ $? -eq 1 ] && grep -q 'another run is writing there' $out/said && ok "so is a second run that resumes" || bad "a second run that resumes: $(cat $out/said)"
[ -z "$(ls $out/two | grep partial)" ] && [ -s $out/two/model.safetensors ] && ok "and does no harm" || bad "and does no harm"
./sample -s 1 -n 5 --model $out/two/model.safetensors > /dev/null && ok "sampling goes on beside a run" || bad "sampling beside a run"
kill -9 $first
wait $first 2> /dev/null
exec 3>&-
./train $small -s 2 --out $out/two $out/text 2> $out/said && ok "a run that was killed leaves no lock" || bad "a run that was killed leaves a lock: $(cat $out/said)"
cmp -s $out/two/model.safetensors $out/model.before && ok "and the next run gives its own bytes" || bad "the next run after a killed one"
for file in model.safetensors checkpoint.safetensors snapshots.safetensors loss.csv; do echo "left over" > $out/two/$file.partial; done
./train $small -s 2 --out $out/two $out/text && [ -z "$(ls $out/two | grep partial)" ] && cmp -s $out/two/model.safetensors $out/model.before && ok "what a killed run left over is used and gone" || bad "what a killed run left over: $(ls $out/two)"

for file in model.safetensors checkpoint.safetensors snapshots.safetensors loss.csv; do echo "left over" > $out/two/$file.partial; done
./train -q -t 1 --dim 2000 --order 1 -b 1024 -e 1 --out $out/two $out/text && [ -z "$(ls $out/two | grep partial)" ] && ok "and by a run that has no snapshots" || bad "what a killed run left over, by a run that has no snapshots: $(ls $out/two)"

# readers beside a run that saves as often as it can see an old or a new file, never a part of one
./train -q -t 1 --dim 16 -b 32 --set evaluations=200 --save-every 0 --out $out/busy data/text.txt &
busy=$!
looks=0 failed=0
until [ -f $out/busy/model.safetensors ] || ! kill -0 $busy 2> /dev/null; do :; done
while kill -0 $busy 2> /dev/null && [ $looks -lt 20 ]; do
    ./sample -s 1 -n 2 --model $out/busy/model.safetensors > /dev/null 2>> $out/busy.said || failed=$((failed + 1))
    looks=$((looks + 1))
done
kill $busy 2> /dev/null
wait $busy
[ $looks -gt 5 ] && [ $failed -eq 0 ] && ok "$looks looks at a model while it is saved again and again" || bad "$failed of $looks looks at a model while it is saved: $(head -n 1 $out/busy.said)"

# ---- faults, deaths, kills ----
case "$CFLAGS$LDFLAGS" in
*sanitize*)
    echo "skip faults: a sanitizer wants to be loaded first; tests/slow/faults.sh has programs with both"
    exit 0
    ;;
esac
if ! ${CC:-cc} -std=c11 -O1 -shared -fPIC -o $out/shim.so tests/programs/shim.c -ldl 2> $out/said; then
    echo "skip faults: the shim is for Linux with the GNU C library"
    exit 0
fi
make -s build/tools/faults || exit 1
cp build/tools/faults $out/faults
[ "${FAULT_STRIDE:=100}" = no ] || $out/faults "$PWD/$out/shim.so" . $out/work faults "$FAULT_STRIDE"
[ "${DEATH_STRIDE:=120}" = no ] || $out/faults "$PWD/$out/shim.so" . $out/work deaths "$DEATH_STRIDE"
[ "${KILLS:=16}" = no ] || $out/faults "$PWD/$out/shim.so" . $out/work kills "$KILLS"
