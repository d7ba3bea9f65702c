#!/bin/sh
# A run's folder: its files are written there and nowhere else, whatever others move, link, plant
# or limit meanwhile.
. tests/programs/lib.sh
begin folder

head -c 3000 data/text.txt > $out/text
small="-q -t 1 --dim 4 --order 2 -b 64 --set evaluations=2"
# trains OUT OPTIONS...: what it says stands in $out/said
trains() {
    folder=$out/$1
    shift
    timeout 20 ./train $small --out $folder "$@" $out/text 2> $out/said
}
# says STATUS WORDS NAME: the latest run ended with status 1 and one line with these words
says() {
    [ $1 -eq 1 ] && [ "$(lines $out/said)" -eq 1 ] && grep -q -e "$2" $out/said
    that $? "$3" "status $1: $(cat $out/said)"
}

# ---- what stands under the names that are written ----
echo precious > $out/victim
for file in $four; do
    rm -rf $out/planted && mkdir $out/planted
    mkfifo $out/planted/$file.partial
    trains planted && [ -s $out/planted/$file ]
    that $? "a FIFO as $file.partial is not waited for" "$(cat $out/said)"
    rm $out/planted/$file
    for link in $file $file.partial; do
        ln -sf ../victim $out/planted/$link
        trains planted && [ "$(cat $out/victim)" = precious ] && [ ! -h $out/planted/$file ]
        that $? "a link as $link is not followed" "$(cat $out/said)"
    done
done
rm -rf $out/planted && mkdir $out/planted && ln -s ../created $out/planted/.lock
trains planted
says $? .lock "a link as .lock is refused"
check "and creates nothing" [ ! -e $out/created ]
rm $out/planted/.lock && mkfifo $out/planted/.lock
trains planted
says $? .lock "a FIFO as .lock is refused"

# ---- modes ----
trains modes
cp $out/modes/snapshots.safetensors $out/alone.snapshots
./embed --model $out/modes/model.safetensors report > /dev/null 2>&1
for file in $four report.html; do chmod 600 $out/modes/$file; done
trains modes -s 2
./embed --model $out/modes/model.safetensors report > /dev/null 2>&1
check "files keep their mode" [ "$(stat -c %a $out/modes/*.* | sort -u)" = 600 ]

# ---- another folder under its name ----
background ./train $small -e 10000 --set evaluations=1000 --save-every 0 --out $out/moved $out/text
until [ -f $out/moved/checkpoint.safetensors ] || ! kill -0 $pid 2> /dev/null; do :; done
mv $out/moved $out/moved.old
trains moved -s 2 && trains alone -s 2
stop TERM 2> /dev/null
same_run $out/moved $out/alone > $out/why
that $? "a run whose folder was moved writes nothing into the new one" "$(cat $out/why)"
[ "$(lines $out/moved.old/loss.csv)" -gt 3 ] && [ -z "$(ls $out/moved.old | grep partial)" ]
that $? "but goes on in the old one" "$(ls $out/moved.old)"

# ---- limits, closed streams ----
model="--model $out/alone/model.safetensors"
for command in "./train $small --out $out/limited $out/text" "./sample $model -s 1 -n 20000" \
    "./embed $model report --out $out/limited"; do
    (ulimit -f 1; exec $command > $out/limited.output 2> $out/said)
    says $? 'File too large' "a file that may not grow: ${command%% *} says so"
done
check "and nothing half is left" [ -z "$(ls $out/limited | grep safetensors)" ]
loud="-t 1 --dim 4 --order 2 -b 64"
./train $loud --out $out/open $out/text > /dev/null 2>&1
./train $loud --out $out/closed $out/text 2>&- && [ ! -s $out/closed/.lock ]
that $? "standard error may be closed" "$(cat $out/closed/.lock)"
same $out/closed/model.safetensors $out/open/model.safetensors "and the model is the same"
./train $small --out $out/closed2 $out/text <&- >&- 2>&-
same $out/closed2/snapshots.safetensors $out/alone.snapshots "all three streams may be closed"
check "and nothing gets into .lock" [ ! -s $out/closed2/.lock ]

# ---- the text ----
./train $small --out $out/new/folder $out/none 2> $out/said
says $? "no such file" "a text that is not there is refused"
check "and leaves no folder" [ ! -e $out/new ]
for file in $four; do
    rm -rf $out/mixed && mkdir $out/mixed && cp $out/text $out/mixed/$file
    ./train $small --out $out/mixed $out/mixed/$file 2> $out/said
    says $? 'write over' "a text called $file in the folder is refused"
    same $out/text $out/mixed/$file "and is not written over"
done
