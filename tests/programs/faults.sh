#!/bin/sh
# What fails or dies on the way, and two runs at once. A part of the places here; all of them in
# tests/slow/faults.sh.
. tests/programs/lib.sh
begin faults

# ---- two runs at once ----
head -c 1500 data/text.txt > $out/text
small="-q -t 1 --dim 4 --order 3 -b 64"
two=$out/two model=model.safetensors
again() { ./train $small --out $two "$@" $out/text 2> $out/said; }
left_over() { ls $two | grep -q partial; }
leave() { for file in $four; do echo "left over" > $two/$file.partial; done; }
again -s 2
cp $two/$model $out/before
mkfifo $out/fifo
./train $small -s 1 --out $two $out/fifo & # locks the folder, waits for a text that does not come
first=$!
exec 3> $out/fifo # opened when the other end is
busy='another run is writing there; wait for it, or name another folder with --out'
refuses 1 "a second run in the same folder" "$busy" ./train $small -s 3 --out $two $out/text
refuses 1 "a second run that resumes" "$busy" ./train $small --resume --out $two $out/text
! left_over && [ -s $two/$model ]
that $? "and does no harm"
./sample -s 1 -n 5 --model $two/$model > $out/a
that $? "sampling goes on beside a run"
kill -9 $first
wait $first 2> /dev/null
exec 3>&-
again -s 2
that $? "a run that was killed leaves no lock" "$(cat $out/said)"
same $two/$model $out/before "and the next run gives its own bytes"
leave
again -s 2 && ! left_over && cmp -s $two/$model $out/before
that $? "what a killed run left over is used and gone" "$(ls $two)"
leave
again --dim 2000 --order 1 -b 1024 -e 1 && ! left_over
that $? "and by a run that has no snapshots" "$(ls $two)"

# readers beside a run that saves as often as it can see an old or a new file, never a part of one
background ./train -q -t 1 --dim 16 -b 32 --set evaluations=200 --save-every 0 --out $out/busy \
    data/text.txt
looks=0 failed=0
until [ -f $out/busy/$model ] || ! kill -0 $pid 2> /dev/null; do :; done
while kill -0 $pid 2> /dev/null && [ $looks -lt 20 ]; do
    ./sample -s 1 -n 2 --model $out/busy/$model > $out/a 2>> $out/said || failed=$((failed + 1))
    looks=$((looks + 1))
done
stop TERM 2> /dev/null
[ $looks -gt 5 ] && [ $failed -eq 0 ]
that $? "$looks looks at a model while it is saved again and again" "$(tail -n 1 $out/said)"

# ---- faults, deaths, kills ----
case "$CFLAGS$LDFLAGS" in
*sanitize*)
    echo "skip faults: a sanitizer wants to be loaded first; see tests/slow/faults.sh"
    exit 0
    ;;
esac
shim=$PWD/$out/shim.so
if ! ${CC:-cc} -std=c11 -O1 -shared -fPIC -o "$shim" tests/programs/shim.c -ldl 2> $out/said; then
    echo "skip faults: the shim is for Linux with the GNU C library"
    exit 0
fi
make -s build/tools/faults || exit 1
cp build/tools/faults $out/faults
[ ${FAULT_STRIDE:=100} = no ] || $out/faults "$shim" . $out/work faults $FAULT_STRIDE
[ ${DEATH_STRIDE:=120} = no ] || $out/faults "$shim" . $out/work deaths $DEATH_STRIDE
[ ${KILLS:=16} = no ] || $out/faults "$shim" . $out/work kills $KILLS
