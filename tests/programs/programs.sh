#!/bin/sh
# Whole runs: the same bytes from any number of threads and after a stop, sampling, and what is said.
. tests/programs/lib.sh
begin programs

# threads: all learn from a batch together, or one while the others prepare; or by model.h's plain loops
small="-b 16 --dim 8 --order 3"
./train -q -t 1 --out $out/one data/text.txt
./train -q -t 1 --dim 12 --out $out/narrow data/text.txt
./train -q -t 1 $small --out $out/small data/text.txt
for threads in 2 3 8; do
    [ $threads = 3 ] || ./train -q -t $threads --dim 12 --out $out/$threads data/text.txt
    [ $threads != 3 ] || ./train -q -t $threads --out $out/$threads data/text.txt
    [ $threads = 3 ] && first=$out/one || first=$out/narrow
    same $first/model.safetensors $out/$threads/model.safetensors "$threads threads give the bytes of 1"
    ./train -q -t $threads $small --out $out/$threads data/text.txt
    same $out/small/model.safetensors $out/$threads/model.safetensors "$threads threads give the bytes of 1 with small batches"
done
./train -q --reference $small --out $out/reference data/text.txt
for file in model checkpoint snapshots; do
    same $out/small/$file.safetensors $out/reference/$file.safetensors "--reference gives the same $file.safetensors"
done

# a run stopped by a signal after its first evaluation, and resumed as it says, with another number of threads
stopped="$out/it's \"stopped\""
for signal in INT TERM; do
    [ $signal = INT ] && options="-t 1 -e 2 --dim 12 --set evaluations=40" || options="-t 2 -e 2 --set evaluations=40 $small"
    rm -rf "$stopped" $out/stopped.log
    (interruptible ./train $options --out "$stopped" data/text.txt) 2> $out/stopped.log &
    pid=$!
    until [ "$(lines "$stopped/loss.csv")" -gt 2 ] || ! kill -0 $pid; do :; done
    kill -s $signal $pid
    wait $pid
    status=$?
    resume=$(sed -n 's|.*: \(./train .*--resume.*\)|\1|p' $out/stopped.log)
    [ $signal = INT ] && expected=130 || expected=143
    if [ -n "$resume" ] && [ $status -eq $expected ]; then
        ok "SIG$signal stops a run, which says how to go on and dies of it"
    else
        bad "SIG$signal: status $status, $(tail -n 1 $out/stopped.log)"
    fi
    sh -c "$resume -q -t 2" 2> /dev/null || bad "what it says goes on: $resume"
    ./train -q $options --out $out/whole data/text.txt
    same "$stopped/model.safetensors" $out/whole/model.safetensors "stopped by SIG$signal and resumed: the model of a run that never stopped"
    cut -d, -f1-7 "$stopped/loss.csv" > $out/a.csv
    cut -d, -f1-7 $out/whole/loss.csv > $out/b.csv
    same $out/a.csv $out/b.csv "and its loss log"
    same "$stopped/snapshots.safetensors" $out/whole/snapshots.safetensors "and its snapshots"
done
(interruptible ./train -q -t 1 -e 2 --out $out/quiet data/text.txt) 2> $out/quiet.log &
pid=$!
until [ -f $out/quiet/loss.csv ] || ! kill -0 $pid; do :; done
kill -s INT $pid
wait $pid
[ $? -eq 130 ] && [ ! -s $out/quiet.log ] && [ -f $out/quiet/checkpoint.safetensors ] && ok "--quiet: stops without a word" || bad "--quiet says $(cat $out/quiet.log)"

# several shards (of 4,096 positions: build/test/train_sharded), the best model not the newest: the counts grow from shard to shard
{ head -c 8000 data/text.txt; head -c 28000 data/text.txt | tail -c 20000 | tr a-z b-za; head -c 31000 data/text.txt | tail -c 3000; } > $out/shards.text
sharded="build/test/train_sharded -q -t 2 -e 1 -b 64 --dim 8 --order 3 --set evaluations=40"
$sharded --save-every 1000000 --out $out/late $out/shards.text
best=$(awk -F, 'NR > 1 && (NR == 2 || $5 < least) { least = $5; step = $1 } END { print step }' $out/late/loss.csv)
[ "$best" -gt 0 ] && [ "$best" -lt 192 ] && [ "$(tail -n 1 $out/late/loss.csv | cut -d, -f1)" -gt 384 ] && ok "several shards: the best model is of step $best, before the last shard" || bad "several shards: the best model is of step $best"
for seconds in 0 0.01; do
    $sharded --save-every $seconds --out $out/often $out/shards.text
    same $out/often/model.safetensors $out/late/model.safetensors "several shards, saved every $seconds seconds: the same bytes as saved once"
done
rm -rf $out/broken
stops=0
for part in 1 2 3 4 5 6; do # stopped again and again, each time three evaluations later
    [ $part -eq 1 ] && resume= || resume=--resume
    rows=$(wc -l 2> /dev/null < $out/broken/loss.csv || echo 0)
    (interruptible $sharded $resume --save-every 1000000 --out $out/broken $out/shards.text) &
    pid=$!
    until [ "$(wc -l 2> /dev/null < $out/broken/loss.csv || echo 0)" -ge $((rows + 3)) ] || ! kill -0 $pid 2> /dev/null; do :; done
    kill -s INT $pid 2> /dev/null
    wait $pid
    [ "$(wc -l < $out/broken/loss.csv)" -ge 42 ] || stops=$((stops + 1))
done
[ $stops -ge 3 ] || echo "note several shards: only $stops stops came before the end"
$sharded --resume --out $out/broken $out/shards.text
same $out/broken/model.safetensors $out/late/model.safetensors "several shards, stopped and resumed: the same bytes"

# what is said at the end: every file, and commands that can be pasted whatever the folder is called
head -c 4000 data/text.txt > $out/text
for folder in $out/plain "$out/it's \"my\" \$folder & more"; do
    ./train -t 1 --dim 4 --order 3 --out "$folder" $out/text 2> $out/said
    sh -c "printf '%s\n' $(sed -n 's/^file  *//p' $out/said | sed 's/ ([^()]*)$//' | tr '\n' ' ')" > $out/found 2>&1
    printf '%s\n' "$folder/model.safetensors" "$folder/checkpoint.safetensors" "$folder/snapshots.safetensors" "$folder/loss.csv" > $out/expected
    same $out/found $out/expected "all files are named: in $folder"
    sed -n '/^next /,$s/^\(next\|    \)  *//p' $out/said > $out/next
    while IFS= read -r command; do
        case $command in
        'make plot OUT='*)
            [ "$(sh -c "${command#make plot }; printf %s \"\$OUT\"" 2>&1)" = "$folder" ] || bad "make plot is told ${command#make plot }"
            command -v gnuplot > /dev/null && [ -d plot ] || { echo "skip make plot: gnuplot is not here"; continue; }
            sh -c "$command" > $out/a 2>&1 && [ -s "$folder/loss.png" ] && [ -s "$folder/map.png" ] ;;
        './sample --model '* | './embed --model '*) sh -c "$command" > $out/a 2>&1 ;;
        *) false ;;
        esac && ok "what comes next can be pasted: $command" || bad "what comes next: $command: $(tail -n 1 $out/a)"
    done < $out/next
    [ "$(wc -l < $out/next)" -eq 3 ] && ok "three things come next" || bad "what comes next: $(cat $out/next)"
done
(mkdir -p $out/here/data && cp data/text.txt $out/here/data && cd $out/here && ../../../../train -t 1 --dim 4 --order 2 data/text.txt 2>&1) | sed -n '/^next /,$s/^\(next\|    \)  *//p' > $out/next
sed -i '1s|sample .*|sample PROMPT|' $out/next; printf '%s\n' './sample PROMPT' ./embed 'make plot' | cmp -s - $out/next && ok "in the default folder no folder is named" || bad "what comes next in the default folder"

# a signal that was ignored stays ignored, as nohup and the background of a shell want it
(trap '' INT TERM HUP; exec ./train -q -t 1 --dim 4 --order 3 --out $out/deaf data/text.txt) &
pid=$!
until [ -f $out/deaf/.lock ]; do :; done
kill -s INT $pid; kill -s HUP $pid; kill -s TERM $pid
wait $pid
that $? "an ignored SIGINT, SIGHUP or SIGTERM does not stop a run" "status $?"
(interruptible sh -c "./train -q -t 1 --out $out/stops data/text.txt && : > $out/went_on") &
pid=$!
until [ -f $out/stops/.lock ]; do :; done
sleep 0.3
kill -s INT $(pgrep -P $pid -x train || echo $pid)
wait $pid
[ ! -f $out/went_on ]
that $? "a shell does not go on behind a run that was stopped"

# a finished run is kept when another one is begun in its folder, and one command brings it back
./train -q -t 1 --dim 4 --order 3 --out $out/kept $out/text
cp $out/kept/model.safetensors $out/kept.model
./train -t 1 --dim 4 --order 3 -s 2 --out $out/kept $out/text 2> $out/said
back=$(sed -n 's/^the run that was here is kept: \(mv .*\) brings it back$/\1/p' $out/said)
cmp -s $out/kept/model.safetensors $out/kept.model && bad "a second run: no other model" || ok "a second run in the same folder has its own model"
sh -c "$back"
same $out/kept/model.safetensors $out/kept.model "and what it says brings the first one back: $back"
same_run $out/kept $out/kept && ./train -q --resume --out $out/kept $out/text && [ "$(metadata $out/kept/checkpoint.safetensors seed)" = 1 ]
that $? "with all its files"
(interruptible ./train -q -t 1 -b 1 --out $out/kept data/text.txt) &
pid=$!
until [ -s $out/kept/loss.csv.partial ] || [ "$(lines $out/kept/loss.csv)" -gt 1 ] || ! kill -0 $pid; do :; done
sleep 0.5
kill -s TERM $pid
wait $pid
./train -q -t 1 --dim 4 --order 3 -s 3 --out $out/kept $out/text
same $out/kept/previous/model.safetensors $out/kept.model "a run that was stopped on its way does not take its place"

# a finished run can be made longer
./train -q -t 1 --dim 4 --order 3 -e 2 --out $out/longer.run $out/text
rows=$(lines $out/longer.run/loss.csv)
./train -q --resume --epochs 4 --out $out/longer.run $out/text && [ "$(lines $out/longer.run/loss.csv)" -eq $((rows + 8)) ]
that $? "--resume --epochs 4 goes on with a run of 2"
./train -q --resume --out $out/longer.run $out/text && [ "$(metadata $out/longer.run/checkpoint.safetensors epochs)" = 4 ]
that $? "and that is its length then"
refuses 1 "--resume --epochs 3 behind it" "has --epochs 4, not 3" ./train -q --resume --epochs 3 --out $out/longer.run $out/text

# another model as the start, another text for validation, all of the text for training
head -c 12000 data/text.txt | tail -c 8000 > $out/other
first_loss() { sed -n 2p "$1/loss.csv" | cut -d, -f5; }
./train -q -t 1 --dim 8 --order 3 --out $out/first $out/other
for options in "" "--pretrained $out/first/model.safetensors" "--init $out/first/model.safetensors"; do
    ./train -t 1 --dim 8 --order 3 $options --out $out/start $out/text 2> $out/said
    echo "$(first_loss $out/start) $(sed -n 's/^start  *//p' $out/said)"
done > $out/starts
awk 'NR == 1 { chance = $1 } NR == 2 { rows = $1 } NR == 3 { whole = $1 } END { exit !(chance > 4.4 && rows < chance && whole < 2.7) }' $out/starts
that $? "--pretrained starts better than chance, --init as the other model" "$(cat $out/starts)"
sed -n 2p $out/starts | grep -q ' of [0-9,]* rows from' && sed -n 3p $out/starts | grep -q ' of [0-9,]* rows and the linear layer from'
that $? "and both say what they took over" "$(cat $out/starts)"
./train -q -t 1 --dim 8 --order 3 --val 0 --out $out/all $out/text
[ "$(metadata $out/all/model.safetensors train_characters)" = 4000 ]
that $? "--val 0 trains on all of the text"
./train -q -t 1 --dim 8 --order 3 --val-text $out/other --out $out/against $out/text
[ "$(metadata $out/against/model.safetensors train_characters)" = 4000 ]
that $? "--val-text: so does it"
cat $out/text $out/other > $out/both
score=$(./sample --model $out/against/model.safetensors --score $out/both --from 4000 | awk '{ print $4 }')
awk -v a="$score" -v b="$(best $out/against)" 'BEGIN { exit !((a - b) ^ 2 < 1e-9) }'
that $? "and its loss is that of the other text" "$score, $(best $out/against)"

# the log
head -n 1 $out/one/loss.csv | grep -qx 'step,epoch,chars,train_loss,val_loss,bits_per_char,lr,seconds' && ok "loss.csv has its columns" || bad "loss.csv has its columns"
[ "$(awk -F, 'NF != 8' $out/one/loss.csv | wc -l)" -eq 0 ] && [ "$(wc -l < $out/one/loss.csv)" -ge 10 ] && ok "loss.csv: a row for each evaluation" || bad "loss.csv: a row for each evaluation"

# what is said of rows that were too many, and of the version
./train -t 1 --dim 4 --order 3 --max-rows 1000 --out $out/few $out/text 2>&1 | grep -q '^            --max-rows 1,000: only strings seen at least [0-9]* times have a row$' && ok "--max-rows says which strings have a row" || bad "--max-rows says which strings have a row"
for program in train sample embed wtf; do ./$program --version; done | sort -u > $out/a
grep -qx '[0-9.]*' $out/a && [ "$(wc -l < $out/a)" -eq 1 ] && ok "all programs have one version" || bad "versions: $(cat $out/a)"

# --pretrained: every row of the same name is taken, of each kind, and no other; with rates of 0 they stay
./train -q -t 1 --dim 4 --order 3 --out $out/rich $out/text
rows_of() { # MODEL: name and numbers of each row, sorted
    ./embed --model $out/$1/model.safetensors export -n 1000000 > /dev/null
    sed 1d $out/$1/metadata.tsv | cut -f 1,2 | paste - $out/$1/vectors.tsv | sort > $out/$1.rows
}
rows_of rich
head -c 5500 data/text.txt | tail -c 3000 > $out/text2
for kinds in all ngrams phrases,columns; do
    ./train -q -t 1 --dim 4 --order 2 --rows $kinds --lr 0 --set linear-lr=0 --pretrained $out/rich/model.safetensors --out $out/poor $out/text2
    rows_of poor
    cut -f 1,2 $out/rich.rows | sort > $out/a
    cut -f 1,2 $out/poor.rows | sort | comm -12 - $out/a | sort > $out/common
    for model in rich poor; do awk -F '\t' 'NR == FNR { common[$0] = 1; next } ($1 "\t" $2) in common' $out/common $out/$model.rows > $out/$model.common; done
    [ "$(grep -c "n-grams" $out/common)" -gt 100 ] && [ $kinds != all ] || [ "$(cut -f 2 $out/common | sort -u | wc -l)" -eq 5 ]
    that $? "--pretrained, --rows $kinds: rows in common" "$(cut -f 2 $out/common | sort | uniq -c | tr '\n' ' ')"
    same $out/rich.common $out/poor.common "--pretrained, --rows $kinds: those in common are taken"
    awk -F '\t' 'NR == FNR { common[$0] = 1; next } !(($1 "\t" $2) in common) && ($3 || $4 || $5 || $6)' $out/common $out/poor.rows | grep -qv '	characters	'
    [ $? -eq 1 ]
    that $? "--pretrained, --rows $kinds: the others stay 0"
done
./train -q -t 1 --dim 4 --order 3 --out $out/odd.whole --pretrained $out/rich/model.safetensors $out/text
resumes() { # name, options
    name=$1
    shift
    rm -rf $out/odd
    ./train -q -t 1 --dim 4 --order 3 --out $out/odd "$@" $out/text && cp $out/odd/model.safetensors $out/odd.model &&
        ./train -q --resume --out $out/odd $out/text && ./train -q --resume --out $out/odd "$@" $out/text &&
        cmp -s $out/odd/model.safetensors $out/odd.model && ./sample --model $out/odd/model.safetensors -s 1 -n 3 > $out/a
}
deep=$out/$(printf '\351%.0s' $(seq 200))
deepest=$deep
for i in $(seq 15); do deepest=$deepest/${deep##*/}; done
mkdir -p "$deepest"
for name in "$(printf 'caf\351')" "$(printf 'tab\tline\nbell\007')" 'quo"te' 'back\slash' 'back\x41' "$(printf '\303\251')" \
    "$(printf '\355\240\200')" "$(printf 'cut\342\202')" "$(printf '\\\377')" "${deepest#$out/}/model"; do
    cp $out/rich/model.safetensors "$out/$name.safetensors"
    resumes "$name" --pretrained "$out/$name.safetensors" && ok "--pretrained: a name of odd bytes, read back" || bad "--pretrained $name: $(./embed --model $out/odd/model.safetensors 2>&1 | head -n 1)"
    [ "$(wc -c < $out/odd/loss.csv)" -gt 60 ] && [ "$(./embed --model $out/odd/model.safetensors row e)" = "$(./embed --model $out/odd.whole/model.safetensors row e)" ] || bad "--pretrained $name: another model"
    rm "$out/$name.safetensors"
done
rm -r "$deep"
resumes rows --rows "$(printf 'phrases,%.0s' $(seq 1000))echoes" && ok "--rows of 8,000 characters is read back" || bad "--rows of 8,000 characters"
resumes norm --max-norm 1 --norm-type "$(printf '0%.0s' $(seq 5000))2" && ok "--norm-type of 5,000 digits is read back" || bad "--norm-type of 5,000 digits"
resumes rate --lr 0.1234567890123 && tr -c '[:print:]' '\n' < $out/odd/model.safetensors | grep -q '"lr":"0.1234567890123"' && ok "a rate keeps all its digits" || bad "a rate keeps all its digits"

# a terminal: the live line fits, at every width and after a change of it; none where a terminal knows no control codes
live() { tr '\r' '\n' < $out/said | tr -d '\033' | sed 's/^\[K//' | grep '^ *[0-9]*%\|^[a-z ]*$'; }
head -c 16000 data/text.txt > $out/longer
slow="./train -t 1 -b 1 -e 1 --out $out/live $out/longer"
if has_terminal; then
    for width in 20 33 80 300; do
        TERM=xterm terminal "stty cols $width; $slow" > $out/said
        live | awk -v width=$width 'length($0) >= width { long++ } /%/ { n++ } END { exit !(n > 1 && !long) }'
        that $? "$width columns: no live line is longer" "$(live | awk '{ print length($0) ": " $0 }' | sort -n | tail -n 1)"
    done
    live | grep -q '^ *[0-9]*% \[[# ]*\]  train [0-9.]*  best val [0-9.]*  epoch 1/1'
    that $? "300 columns: the live line says it all" "$(live | tail -n 1)"
    rm -rf $out/live
    # each width until so many more bytes of it have come
    grown="grown() { from=\$(wc -c < $out/said); for i in \$(seq 100); do [ \$(wc -c < $out/said) -lt \$((from + \$1)) ] || break; sleep 0.1; done; }"
    TERM=xterm terminal "$grown; stty cols 200; ./train -t 1 -b 1 -e 1 --out $out/live data/text.txt &
        until [ -s $out/live/loss.csv ]; do sleep 0.1; done; grown 400; stty cols 30; grown 300; kill \$!; wait" > $out/said
    live | awk 'length($0) >= 30 { wide = NR } /%/ { last = NR } END { exit !(wide && last > wide + 3) }'
    that $? "a terminal that becomes narrower: the line, too" "$(live | tail -n 1)"
    TERM=dumb terminal "$slow" > $out/said
    grep -q '^epoch' $out/said && ! tr -d '\r' < $out/said | LC_ALL=C grep -q '[[:cntrl:]]' && ! grep -q '%' $out/said
    that $? "TERM=dumb: no control codes and no live line"
    $slow > $out/said 2>&1
    ! LC_ALL=C grep -q '[[:cntrl:]%]' $out/said
    that $? "nor where it is no terminal"
else
    echo "skip the live line: script is not here"
fi

# no library but libc and libm
if command -v ldd > /dev/null; then
    others=$(ldd ./train ./sample 2> /dev/null | grep '=>' | grep -v -E 'lib(c|m|asan|ubsan|tsan|pthread|gcc_s|stdc\+\+|dl|rt)\.' | wc -l)
    [ "$others" -eq 0 ] && ok "the programs need libc and libm only" || bad "the programs need $others other libraries"
else
    echo "skip ldd: not here"
fi
