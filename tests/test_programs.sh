#!/bin/sh
# Whole runs: the same bytes from any number of threads and after a stop, sampling, and what is said.
out=tests/build/programs
rm -rf $out
mkdir -p $out
ok() { echo "ok $1"; }
bad() { echo "FAIL $1"; }
same() { if cmp -s "$1" "$2"; then ok "$3"; else bad "$3: $1 and $2 differ"; fi; }

# threads
./train -q -t 1 --out $out/one data/text.txt
for threads in 2 3 8; do
    ./train -q -t $threads --out $out/$threads data/text.txt
    same $out/one/model.safetensors $out/$threads/model.safetensors "$threads threads give the bytes of 1"
done

# a run stopped by a signal after its first evaluation, and resumed with another number of threads
for signal in INT TERM; do
    rm -rf $out/stopped $out/stopped.log
    ./train -t 1 -e 2 --evaluations 40 --out $out/stopped data/text.txt 2> $out/stopped.log &
    pid=$!
    until grep -q 'epoch  0.0[3-9]' $out/stopped.log 2> /dev/null; do :; done
    kill -s $signal $pid
    wait $pid
    status=$?
    if grep -q 'stopped after batch' $out/stopped.log && grep -q -e '--resume' $out/stopped.log && [ $status -eq 0 ]; then
        ok "SIG$signal stops a run, which says how to go on"
    else
        bad "SIG$signal: status $status, $(tail -n 1 $out/stopped.log)"
    fi
    cp $out/stopped/loss.csv $out/part.csv
    ./train -q -t 2 --resume --out $out/stopped data/text.txt
    [ -f $out/whole/model.safetensors ] || ./train -q -e 2 --evaluations 40 --out $out/whole data/text.txt
    same $out/stopped/model.safetensors $out/whole/model.safetensors "stopped by SIG$signal and resumed: the model of a run that never stopped"
    cut -d, -f1-7 $out/stopped/loss.csv > $out/a.csv
    cut -d, -f1-7 $out/whole/loss.csv > $out/b.csv
    same $out/a.csv $out/b.csv "and its loss log"
    same $out/stopped/snapshots.safetensors $out/whole/snapshots.safetensors "and its snapshots"
done

# the log
head -n 1 $out/one/loss.csv | grep -qx 'step,epoch,chars,train_loss,val_loss,bits_per_char,lr,seconds' && ok "loss.csv has its columns" || bad "loss.csv has its columns"
[ "$(awk -F, 'NF != 8' $out/one/loss.csv | wc -l)" -eq 0 ] && [ "$(wc -l < $out/one/loss.csv)" -ge 10 ] && ok "loss.csv: a row for each evaluation" || bad "loss.csv: a row for each evaluation"

# sampling
model="--model $out/one/model.safetensors"
./sample $model -s 5 "The fox" > $out/a 2> $out/said
./sample $model -s 5 "The fox" > $out/b
same $out/a $out/b "the same seed samples the same text"
[ -s $out/said ] && bad "with a seed nothing is said" || ok "with a seed nothing is said"
./sample $model "The fox" > $out/a 2> $out/said
seed=$(sed -n 's/^sample: seed //p' $out/said)
./sample $model -s "$seed" "The fox" > $out/b
same $out/a $out/b "the seed told on standard error repeats the sample"
./sample $model -s 1 -t 0 "The fox" > $out/a
./sample $model -s 2 -k 1 "The fox" > $out/b
./sample $model -s 3 -t 0.0001 "The fox" > $out/c
same $out/a $out/b "temperature 0 is top-k 1"
same $out/a $out/c "temperature near 0 is temperature 0"
./sample $model -s 4 -p 0 "The fox" > $out/c
same $out/a $out/c "top-p 0 leaves the likeliest"
[ "$(./sample $model -s 1 -n 0 "The fox")" = "The fox" ] && ok "length 0 is the prompt" || bad "length 0 is the prompt"
[ "$(./sample $model -s 1 -n 1234 "" | wc -c)" -eq 1235 ] && ok "length 1234 is 1234 characters and an end of line" || bad "length 1234"
(./sample $model -s 1 -n 1000000; echo $? > $out/status) 2> $out/said | head -c 100 > /dev/null
[ "$(cat $out/status)" -eq 0 ] && [ ! -s $out/said ] && ok "a closed pipe ends sampling quietly" || bad "a closed pipe: status $(cat $out/status), $(cat $out/said)"
sum=$(./sample $model --next "the " | awk '/^rows/ {exit} NR > 1 {sum += $2} END {print (sum > 60 && sum < 100.01) ? "yes" : sum}')
[ "$sum" = yes ] && ok "--next shows probabilities" || bad "--next: they add up to $sum"
./sample $model --next "the " | grep -q '"the "' && ok "--next shows the rows that are on" || bad "--next shows the rows that are on"
./sample $model --next "" | grep -q none && ok "--next without a prompt: no row is on" || bad "--next without a prompt"

# no library but libc and libm
if command -v ldd > /dev/null; then
    others=$(ldd ./train ./sample 2> /dev/null | grep '=>' | grep -v -E 'lib(c|m|asan|ubsan|tsan|pthread|gcc_s|stdc\+\+|dl|rt)\.' | wc -l)
    [ "$others" -eq 0 ] && ok "the programs need libc and libm only" || bad "the programs need $others other libraries"
else
    echo "skip ldd: not here"
fi
