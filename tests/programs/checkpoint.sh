#!/bin/sh
# The four files of a run belong together: --resume goes on from what is whole, says what is
# missing, and never mixes two runs.
. tests/programs/lib.sh
begin checkpoint

head -c 6000 data/text.txt > $out/text
small="-t 1 --dim 8 --order 3 -b 64 -e 1 --set evaluations=4"
model=model.safetensors
fresh() { rm -rf $out/run && cp -r $out/whole $out/run; } # the folder of the finished run
resume() { ./train -q --resume --out $out/run $out/text 2> $out/said; }
untimed() { cut -d, -f1-7 $1/loss.csv; }
# whole NAME: all four files are those of the undisturbed run, but for the seconds
whole() {
    same_run $out/run $out/whole > $out/why &&
        [ "$(untimed $out/run)" = "$(untimed $out/whole)" ]
    that $? "$1" "$(cat $out/why $out/said)"
}
refuses_model() {
    refuses 1 "--resume $1" "$model.* copy .*beside" ./train -q --resume --out $out/run $out/text
}

run whole $small $out/text
run other $small -s 2 $out/text

# ---- the weights stand in one file when the best model is the newest state ----
size() { wc -c < $out/whole/$1.safetensors; }
best=$(metadata $out/whole/$model best_step)
steps=$(metadata $out/whole/checkpoint.safetensors step)
[ "$best" -eq "$steps" ] && [ $(size checkpoint) -lt $(($(size model) + $(size snapshots) + 5000)) ]
that $? "a checkpoint does not hold the weights of the best model again" "best step $best of $steps"
fresh
resume
whole "a finished run, resumed: nothing changes"
fresh
rm $out/run/$model
refuses_model "without the model"
cp $out/other/$model $out/run
refuses_model "beside the model of another run"
fresh
printf '\001' | dd of=$out/run/$model bs=1 seek=$(($(size model) / 2)) conv=notrunc 2> $out/dd
refuses_model "beside a model with another number"
fresh
mv $out/run/$model $out/run/$model.partial # a run died after the checkpoint took its name
cp $out/other/$model $out/run
resume
whole "a run that died while its files took their names goes on"
check "and leaves no temporary file" [ ! -e $out/run/$model.partial ]
fresh
program=sample refuses 1 "a checkpoint is no model" 'checkpoint, for --resume; name the model' \
    ./sample --model $out/run/checkpoint.safetensors

# ---- damaged snapshots and logs ----
for damage in "truncate -s 100" "rm" "cp $out/other/snapshots.safetensors"; do
    fresh
    $damage $out/run/snapshots.safetensors
    resume
    whole "snapshots after $damage: --resume goes on"
done
for damage in "truncate -s 70" "rm" "cp $out/other/loss.csv" "sed -i 3s/,[0-9.]*/,nan/"; do
    fresh
    $damage $out/run/loss.csv
    resume
    [ "$(lines $out/said)" -eq 1 ] && whole "loss.csv after $damage: --resume writes it again" ||
        bad "loss.csv after $damage: $(cat $out/said)"
done

# ---- another run in the same folder that dies before its first save ----
fresh
background ./train -q -t 1 -b 1 -e 1 -s 3 --save-every 100000 --out $out/run data/text.txt
sleep 0.5
stop KILL 2> /dev/null
for file in $four; do
    same $out/run/$file $out/whole/$file "a run killed before its first save leaves $file"
done
