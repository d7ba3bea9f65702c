#!/bin/sh
# A run's folder: its files are written there and nowhere else, whatever others move, link, plant or limit meanwhile.
. tests/programs/lib.sh
begin folder

head -c 3000 data/text.txt > $out/text
small="-q -t 1 --dim 4 --order 2 -b 64 --set evaluations=2"
four="model.safetensors checkpoint.safetensors snapshots.safetensors loss.csv"
one_line() { [ "$(wc -l < $out/said)" -eq 1 ] && grep -q "$1" $out/said; } # what it must say

# ---- what stands under the names that are written ----
echo precious > $out/victim
for file in $four; do
    rm -rf $out/planted && mkdir $out/planted
    mkfifo $out/planted/$file.partial
    timeout 20 ./train $small --out $out/planted $out/text 2> $out/said && [ -s $out/planted/$file ] &&
        ok "a FIFO as $file.partial is not waited for" || bad "a FIFO as $file.partial: $(cat $out/said)"
    rm $out/planted/$file
    for link in $file $file.partial; do
        ln -sf ../victim $out/planted/$link
        ./train $small --out $out/planted $out/text 2> $out/said && [ "$(cat $out/victim)" = precious ] && [ ! -h $out/planted/$file ] &&
            ok "a link as $link is not followed" || bad "a link as $link: $(cat $out/said)"
    done
done
rm -rf $out/planted && mkdir $out/planted && ln -s ../created $out/planted/.lock
./train $small --out $out/planted $out/text 2> $out/said
[ $? -eq 1 ] && one_line .lock && [ ! -e $out/created ] && ok "a link as .lock creates nothing" || bad "a link as .lock: $(cat $out/said)"
rm $out/planted/.lock && mkfifo $out/planted/.lock
timeout 20 ./train $small --out $out/planted $out/text 2> $out/said
[ $? -eq 1 ] && one_line .lock && ok "a FIFO as .lock is refused" || bad "a FIFO as .lock: $(cat $out/said)"

# ---- modes ----
./train $small --out $out/modes $out/text
cp $out/modes/snapshots.safetensors $out/alone.snapshots
./embed --model $out/modes/model.safetensors report > /dev/null 2>&1
for file in $four report.html; do chmod 600 $out/modes/$file; done
./train $small -s 2 --out $out/modes $out/text
./embed --model $out/modes/model.safetensors report > /dev/null 2>&1
[ "$(stat -c %a $out/modes/*.* | sort -u)" = 600 ] && ok "files keep their mode" || bad "modes: $(stat -c '%a %n' $out/modes/*.*)"

# ---- another folder under its name ----
./train $small -e 10000 --set evaluations=1000 --save-every 0 --out $out/moved $out/text &
first=$!
until [ -f $out/moved/checkpoint.safetensors ] || ! kill -0 $first 2> /dev/null; do :; done
mv $out/moved $out/moved.old
./train $small -s 2 --out $out/moved $out/text && ./train $small -s 2 --out $out/alone $out/text
kill -s TERM $first
wait $first
for file in model.safetensors checkpoint.safetensors snapshots.safetensors; do
    same $out/moved/$file $out/alone/$file "a run whose folder was moved writes nothing into the new one: $file"
done
[ "$(wc -l < $out/moved.old/loss.csv)" -gt 3 ] &&
    [ -z "$(ls $out/moved.old | grep partial)" ] && ok "but goes on in the old one" || bad "the moved folder: $(ls $out/moved.old)"

# ---- limits, closed streams ----
for command in "./train $small --out $out/limited $out/text" "./sample --model $out/alone/model.safetensors -s 1 -n 20000" \
    "./embed --model $out/alone/model.safetensors report --out $out/limited"; do
    (ulimit -f 1; exec $command > $out/limited.output 2> $out/said)
    status=$?
    [ $status -eq 1 ] && one_line 'File too large' && ok "a file that may not grow: ${command%% *} says so" || bad "ulimit -f: ${command%% *}: status $status: $(cat $out/said)"
done
[ -z "$(ls $out/limited | grep safetensors)" ] && ok "and leaves nothing half" || bad "ulimit -f leaves $(ls $out/limited)"
./train -q -t 1 --dim 4 --order 2 -b 64 --out $out/open $out/text
cp $out/open/model.safetensors $out/alone.first
rm -rf $out/closed
./train -t 1 --dim 4 --order 2 -b 64 --out $out/closed $out/text 2>&-
[ $? -eq 0 ] && [ ! -s $out/closed/.lock ] && same $out/closed/model.safetensors $out/alone.first "standard error is closed: the same model" || bad "standard error is closed: .lock has $(cat $out/closed/.lock)"
./train $small --out $out/closed2 $out/text <&- >&- 2>&- && cmp -s $out/closed2/snapshots.safetensors $out/alone.snapshots && [ ! -s $out/closed2/.lock ] && ok "and with all three closed" || bad "all three streams closed"

# ---- the text ----
./train $small --out $out/new/folder $out/none 2> $out/said
[ $? -eq 1 ] && [ ! -e $out/new ] && ok "a text that is not there leaves no folder" || bad "a text that is not there leaves $out/new"
for file in $four; do
    rm -rf $out/mixed && mkdir $out/mixed && cp $out/text $out/mixed/$file
    ./train $small --out $out/mixed $out/mixed/$file 2> $out/said
    [ $? -eq 1 ] && one_line 'write over' && cmp -s $out/text $out/mixed/$file && ok "a text called $file in the folder is not written over" || bad "a text called $file: $(cat $out/said)"
done
