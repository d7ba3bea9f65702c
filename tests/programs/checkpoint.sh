#!/bin/sh
# The four files of a run belong together: --resume goes on from what is whole, says what is missing, and never mixes two runs.
. tests/programs/lib.sh
begin checkpoint

head -c 6000 data/text.txt > $out/text
small="-q -t 1 --dim 8 --order 3 -b 64 -e 1 --set evaluations=4"
four="model.safetensors checkpoint.safetensors snapshots.safetensors loss.csv"
size() { wc -c < $1; }
fresh() { rm -rf $out/run && cp -r $out/whole $out/run; } # the folder of the finished run
same_files() { # FOLDER NAME: all four are those of the undisturbed run, but for the seconds
    for file in model checkpoint snapshots; do
        cmp -s $1/$file.safetensors $out/whole/$file.safetensors || { bad "$2: $file.safetensors differs"; return; }
    done
    cut -d, -f1-7 $out/whole/loss.csv > $out/whole.log
    cut -d, -f1-7 $1/loss.csv | cmp -s - $out/whole.log && ok "$2" || bad "$2: loss.csv differs"
}

./train $small --out $out/whole $out/text
./train $small -s 2 --out $out/other $out/text

# ---- the weights stand in one file when the best model is the newest state ----
best=$(metadata $out/whole/model.safetensors best_step) steps=$(metadata $out/whole/checkpoint.safetensors step)
[ "$best" -eq "$steps" ] && [ $(size $out/whole/checkpoint.safetensors) -lt $(($(size $out/whole/model.safetensors) + $(size $out/whole/snapshots.safetensors) + 5000)) ] &&
    ok "a checkpoint does not hold the weights of the best model again" || bad "best step $best of $steps; the checkpoint has $(size $out/whole/checkpoint.safetensors) bytes, the model $(size $out/whole/model.safetensors)"
fresh
./train -q --resume --out $out/run $out/text && same_files $out/run "a finished run, resumed: nothing changes"
fresh
rm $out/run/model.safetensors
refuses 1 "--resume without the model" 'model.safetensors.* copy .*beside' ./train -q --resume --out $out/run $out/text
cp $out/other/model.safetensors $out/run
refuses 1 "--resume beside the model of another run" 'model.safetensors.* copy .*beside' ./train -q --resume --out $out/run $out/text
fresh
printf '\001' | dd of=$out/run/model.safetensors bs=1 seek=$(($(size $out/run/model.safetensors) / 2)) conv=notrunc 2> $out/dd
refuses 1 "--resume beside a model with another number" 'model.safetensors.* copy .*beside' ./train -q --resume --out $out/run $out/text
fresh
mv $out/run/model.safetensors $out/run/model.safetensors.partial # a run died after the checkpoint took its name
cp $out/other/model.safetensors $out/run
./train -q --resume --out $out/run $out/text && same_files $out/run "a run that died while its files took their names goes on" &&
    [ -z "$(ls $out/run | grep partial)" ] && ok "and leaves no temporary file" || bad "temporary files: $(ls $out/run)"
fresh
program=sample refuses 1 "a checkpoint is no model" 'checkpoint, for --resume; name the model' ./sample --model $out/run/checkpoint.safetensors

# ---- damaged snapshots and logs ----
for damage in "truncate -s 100" "rm" "cp $out/other/snapshots.safetensors"; do
    fresh
    $damage $out/run/snapshots.safetensors
    ./train -q --resume --out $out/run $out/text 2> $out/said && same_files $out/run "snapshots after $damage: --resume goes on"
done
for damage in "truncate -s 70" "rm" "cp $out/other/loss.csv" "sed -i 3s/,[0-9.]*/,nan/"; do
    fresh
    $damage $out/run/loss.csv
    ./train -q --resume --out $out/run $out/text 2> $out/said && [ "$(lines $out/said)" -eq 1 ] && same_files $out/run "loss.csv after $damage: --resume says so and writes it again" || bad "loss.csv after $damage: $(cat $out/said)"
done

# ---- another run in the same folder that dies before its first save ----
fresh
./train -q -t 1 -b 1 -e 1 -s 3 --save-every 100000 --out $out/run data/text.txt & # seconds long
pid=$!
sleep 0.5
kill -9 $pid && wait $pid 2> /dev/null
for file in $four; do same $out/run/$file $out/whole/$file "a run that is killed before its first save leaves the run before as it was: $file"; done
