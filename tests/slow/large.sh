#!/bin/sh
# What only large runs do: a text beyond 64 million characters is listed from parts of it, training and scoring go through it in
# several parts, and the best of a model beyond 512 MB is saved at once. Takes 1.5 GB of the disk and 2 GB of memory for a minute.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
begin large
make -s || exit 1
trap 'rm -rf $out' EXIT
if [ "$(df -Pk $out | awk 'NR == 2 { print $4 }')" -lt 4000000 ]; then echo "skip large runs: less than 4 GB of the disk is free"; exit 0; fi

# ---- a text of 90 million characters, of which 18.9 million are for validation ------------------------------
i=0
while [ $i -lt 10 ]; do cat data/text.txt; i=$((i + 1)); done > $out/some
while [ "$(wc -c < $out/some)" -lt 90000000 ]; do cat $out/some $out/some > $out/more && mv $out/more $out/some; done
head -c 90000000 $out/some > $out/text
rm $out/some
options="--order 2 --rows ngrams --dim 1 -b 1048576 -e 1 --val 0.21 --set evaluations=1"
./train -t 1 $options --out $out/one $out/text 2> $out/said || bad "a text of 90 MB: $(tail -n 1 $out/said)"
grep -q 'listed from 64 parts' $out/said && ok "a text of 90 MB is listed from parts, and says so" || bad "a text of 90 MB: $(head -n 5 $out/said)"
./train -q -t 3 $options --out $out/three $out/text
cmp -s $out/one/model.safetensors $out/three/model.safetensors && ok "3 threads give the bytes of 1" || bad "3 threads give other bytes than 1"
loss=$(awk -F, 'END { printf "%.5f", $5 }' $out/one/loss.csv)
score=$(./sample --model $out/one/model.safetensors --score $out/text --from 71100000 | awk '{ printf "%.5f", $4 }')
awk -v a="$loss" -v b="$score" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 < 1e-9) }' && ok "its validation loss, $loss, is what sample --score says" || bad "validation loss $loss, sample --score says $score"
./train -q -t 2 $options --out $out/stopped $out/text &
run=$!
until [ -s $out/stopped/loss.csv ] || ! kill -0 $run 2> /dev/null; do sleep 0.1; done
sleep 1
kill -s TERM $run
wait $run
./train -q -t 2 --resume --out $out/stopped $out/text
cmp -s $out/one/model.safetensors $out/stopped/model.safetensors && ok "stopped on its way and resumed: the same bytes" || bad "stopped on its way and resumed: other bytes"
rm -r $out/*

# ---- a model of more than 512 MB ---------------------------------------------------------------------
head -c 40000 data/text.txt > $out/text
./train -t 2 --optimizer sgd --lr 1 --dim 4096 --order 5 -e 1 --set evaluations=2 -b 512 --out $out/run $out/text 2> $out/said || bad "a model of more than 512 MB: $(tail -n 1 $out/said)"
size=$(wc -c < $out/run/model.safetensors)
best=$(best $out/run) kept=$(metadata $out/run/model.safetensors val_loss)
[ "$size" -gt 536870912 ] && [ "$best" = "$kept" ] && ok "a model of $((size / 1000000)) MB: the best of its log, $best, is saved" || bad "a model of $size bytes, of loss $kept; the best is $best"
./sample --model $out/run/model.safetensors -s 1 -n 20 > $out/sampled && [ "$(wc -c < $out/sampled)" -eq 21 ] && ok "it writes on" || bad "it does not write on"
sum=$(cksum < $out/run/model.safetensors)
./train -q -t 2 --resume --out $out/run $out/text && [ "$(cksum < $out/run/model.safetensors)" = "$sum" ] && ok "resumed at its end it stays" || bad "resumed at its end it is another"
finish
