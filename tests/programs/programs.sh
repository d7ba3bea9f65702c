#!/bin/sh
# Whole runs: the same bytes from any number of threads and after a stop, going on, other starts,
# and what is said.
. tests/programs/lib.sh
begin programs
text=$out/text said=$out/said small="-b 16 --dim 8 --order 3" tiny="-t 1 --dim 4 --order 3"
head -c 4000 data/text.txt > $text
model() { echo "$out/$1/model.safetensors"; }
rows() { lines $out/$1/loss.csv; }
known() { metadata $(model $1) $2; }
same_model() { same $(model $1) $(model $2) "$3"; }
says() { check "$1" grep -q -e "$2" $said; }          # NAME PATTERN: a line of what was said
says_line() { check "$1" grep -qxF -e "$2" $said; }    # NAME LINE: the whole of one

# threads: all learn from a batch together, or one while the others prepare; or by model.h's loops
for case in "2 8:--dim 12" "3:" "2 3 8:$small"; do
    options=${case#*:}
    run one -t 1 $options data/text.txt
    for threads in ${case%%:*}; do
        run many -t $threads $options data/text.txt
        same_model one many "$threads threads give the bytes of 1: $options"
    done
done
run reference --reference $small data/text.txt
check "--reference gives the same files" same_run $out/one $out/reference
head -n 1 $out/one/loss.csv > $said
says_line "loss.csv has its columns" step,epoch,chars,train_loss,val_loss,bits_per_char,lr,seconds
check "loss.csv: a row for each evaluation" \
    awk -F, 'NF != 8 { wrong++ } END { exit wrong || NR < 10 }' $out/one/loss.csv

# a run stopped by a signal after its first evaluation, and resumed as it says, by more threads
stopped="$out/it's \"stopped\""
resume="./train --resume --out $(quoted "$stopped") data/text.txt"
for case in "INT 130 -t 1 -e 2 --dim 12" "TERM 143 -t 2 -e 2 $small"; do
    set -- $case --set evaluations=40
    signal=$1 status=$2
    shift 2
    rm -rf "$stopped"
    background ./train "$@" --out "$stopped" data/text.txt 2> $said
    until_lines 2 "$stopped/loss.csv"
    stop $signal
    check "SIG$signal stops a run, which dies of it" [ $? -eq $status ]
    says_line "and says how to go on" "            $resume"
    sh -c "$resume -q -t 2" 2> /dev/null || bad "what it says goes on: $resume"
    run whole "$@" data/text.txt
    check "stopped by SIG$signal and resumed: the files of a run that never stopped" \
        same_run "$stopped" $out/whole
    cut -d, -f1-7 "$stopped/loss.csv" > $out/a.csv
    cut -d, -f1-7 $out/whole/loss.csv > $out/b.csv
    same $out/a.csv $out/b.csv "and its loss log"
done
background ./train -q -t 1 -e 2 --out $out/quiet data/text.txt 2> $said
until_lines 0 $out/quiet/loss.csv
stop INT
check "--quiet: stops" [ $? -eq 130 -a -f $out/quiet/checkpoint.safetensors ]
check "without a word" [ ! -s $said ]

# several shards (of 4,096 positions: build/test/train_sharded), the best model not the newest: the
# counts grow from shard to shard
{
    head -c 8000 data/text.txt
    head -c 28000 data/text.txt | tail -c 20000 | tr a-z b-za
    head -c 31000 data/text.txt | tail -c 3000
} > $out/shards
sharded() { # FOLDER OPTIONS...
    folder=$1
    shift
    build/test/train_sharded -q -t 2 -e 1 -b 64 --dim 8 --order 3 --set evaluations=40 \
        --out $out/$folder "$@" $out/shards
}
sharded late --save-every 1000000
check "several shards: the best model is of a step before the last shard" awk -F, '
    NR > 1 && (NR == 2 || $5 < least) { least = $5; step = $1 }
    END { exit !(step > 0 && step < 192 && $1 > 384) }' $out/late/loss.csv
for seconds in 0 0.01; do
    sharded often --save-every $seconds
    same_model often late "several shards, saved every $seconds seconds: the bytes of saved once"
done
stops=0 resume=
for part in 1 2 3 4 5 6; do # stopped again and again, each time three evaluations later
    rows=$(rows broken)
    background build/test/train_sharded -q -t 2 -e 1 -b 64 --dim 8 --order 3 \
        --set evaluations=40 $resume --save-every 1000000 --out $out/broken $out/shards
    until_lines $((rows + 2)) $out/broken/loss.csv
    stop INT
    [ "$(rows broken)" -ge 42 ] || stops=$((stops + 1))
    resume=--resume
done
[ $stops -ge 3 ] || echo "note several shards: only $stops stops came before the end"
sharded broken --resume
same_model broken late "several shards, stopped and resumed: the same bytes"

# what is said at the end: every file, and commands that can be pasted whatever the folder's name
for folder in $out/plain "$out/it's \"my\" \$folder & more"; do
    ./train $tiny --out "$folder" $text 2> $said
    tail -n 7 $said | sed 's/ ([^()]*)$//' > $out/end
    for file in $four; do
        [ "$folder" = $out/plain ] && path=$folder/$file || path=$(quoted "$folder/$file")
        [ $file != model.safetensors ] || model=$path
        echo "file        $path"
    done > $out/expected
    echo "next        ./sample --model $model
            ./embed --model $model
            ./embed --model $model report" >> $out/expected
    same $out/end $out/expected "the files and what comes next are named: in $folder"
    tail -n 3 $out/expected | cut -c 13- > $out/next
    check "and that can be pasted" sh -e $out/next > $out/a 2>&1
    has gnuplot || { echo "skip make plot: gnuplot is not here"; continue; }
    make -s plot OUT="$folder" > $out/a 2>&1
    that $? "make plot draws it" "$(cat $out/a)"
    check "two pictures" [ -s "$folder/loss.png" -a -s "$folder/map.png" ]
done
mkdir -p $out/here $out/bin
cp train sample embed $out/bin
(cd $out/here && PATH="$PWD/../bin:$PATH" train $tiny ../text 2>&1 | tail -n 3 > ../next)
printf "next        sample\n            embed\n            embed report\n" > $out/expected
same $out/next $out/expected "in the default folder, installed: names alone"

# a signal that was ignored stays ignored, as nohup and the background of a shell want it
(trap '' INT TERM HUP; exec ./train -q $tiny --out $out/deaf data/text.txt) &
pid=$!
until [ -f $out/deaf/.lock ]; do :; done
kill -s INT $pid
kill -s HUP $pid
stop TERM
that $? "an ignored SIGINT, SIGHUP or SIGTERM does not stop a run" "status $?"
background sh -c "./train -q -t 1 --out $out/stops data/text.txt && : > $out/went_on"
until [ -f $out/stops/.lock ]; do :; done
sleep 0.3
kill -s INT $(pgrep -P $pid -x train || echo $pid)
wait $pid
check "a shell does not go on behind a run that was stopped" [ ! -f $out/went_on ]

# a finished run is kept when another is begun in its folder, and one command brings it back
run kept $tiny $text
mkdir $out/first
cp $(model kept) $out/first
./train $tiny -s 2 --out $out/kept $text 2> $said
differ() { cmp -s $1 $2; [ $? -eq 1 ]; }
check "a second run in the same folder has its own model" differ $(model kept) $(model first)
says_line "and says how to bring back the first" \
    "            mv $out/kept/previous/* $out/kept"
mv $out/kept/previous/* $out/kept
same_model kept first "which that does"
run kept --resume $text && [ "$(known kept seed)" = 1 ]
that $? "with all its files"
background ./train -q -t 1 -b 1 --out $out/kept data/text.txt
until [ -s $out/kept/loss.csv.partial ] || [ "$(rows kept)" -gt 1 ] || ! kill -0 $pid; do :; done
sleep 0.5
stop TERM
run kept $tiny -s 3 $text
same_model kept/previous first "a run that was stopped on its way does not take its place"

# a finished run can be made longer
run more $tiny -e 2 $text
rows=$(rows more)
run more --resume --epochs 4 $text
check "--resume --epochs 4 goes on with a run of 2" [ "$(rows more)" -eq $((rows + 8)) ]
run more --resume $text
check "and that is its length then" [ "$(known more epochs)" = 4 ]
refuses 1 "--resume --epochs 3 behind it" "has --epochs 4, not 3" \
    run more --resume --epochs 3 $text

# another model as the start, another text for validation, all of the text for training
head -c 12000 data/text.txt | tail -c 8000 > $out/other
options="-t 1 --dim 8 --order 3"
run first $options $out/other
first_loss() { # OPTIONS: of a run that starts so
    ./train $options "$@" --out $out/start $text 2> $said
    sed -n 2p $out/start/loss.csv | cut -d, -f5
}
holds() { awk "BEGIN { exit !($1) }"; }
chance=$(first_loss)
rows=$(first_loss --pretrained $(model first))
says "--pretrained says what it took over" "^start  .* of [0-9,]* rows from"
whole=$(first_loss --init $(model first))
says "--init, too" "^start  .* of [0-9,]* rows and the linear layer from"
check "--pretrained starts better than chance, --init as the other model" \
    holds "$chance > 4.4 && $rows < $chance && $whole < 2.7"
run all $options --val 0 $text
check "--val 0 trains on all of the text" [ "$(known all train_characters)" = 4000 ]
run against $options --val-text $out/other $text
check "--val-text: so does it" [ "$(known against train_characters)" = 4000 ]
cat $text $out/other > $out/both
score=$(./sample --model $(model against) --score $out/both --from 4000 | awk '{ print $4 }')
check "and its loss is that of the other text" \
    holds "($score - $(best $out/against)) ^ 2 < 1e-9"

# what is said of rows that were too many, and of the version
./train $tiny --max-rows 1000 --out $out/few $text 2> $said
says "--max-rows says which strings have a row" \
    '^            --max-rows 1,000: only strings seen at least [0-9]* times have a row$'
for program in train sample embed wtf; do ./$program --version; done | sort -u > $out/a
check "all programs have one version" \
    awk '/^[0-9.]+$/ { n++ } END { exit !(n == 1 && NR == 1) }' $out/a

# --pretrained: every row of the same name is taken, of each kind, and no other; at rates of 0 they
# stay
rows_of() { # MODEL: name, kind and numbers of each row, sorted
    ./embed --model $(model $1) export -n 1000000 > /dev/null
    sed 1d $out/$1/metadata.tsv | cut -f 1,2 | paste - $out/$1/vectors.tsv | sort > $out/$1.rows
    cut -f 1,2 $out/$1.rows | sort > $out/$1.names
}
in_common='NR == FNR { common[$0] = 1; next } ($1 "\t" $2) in common'
changed='NR == FNR { common[$0] = 1; next }
    $2 != "characters" && !(($1 "\t" $2) in common) && ($3 || $4 || $5 || $6) { exit 1 }'
run rich $tiny $text
rows_of rich
head -c 5500 data/text.txt | tail -c 3000 > $out/text2
for kinds in all ngrams phrases,columns; do
    name="--pretrained, --rows $kinds"
    run poor $tiny --order 2 --rows $kinds --lr 0 --set linear-lr=0 --pretrained $(model rich) \
        $out/text2
    rows_of poor
    comm -12 $out/rich.names $out/poor.names > $out/common
    check "$name: rows in common" awk -F '\t' -v all=$kinds '{ if (!n[$2]++) kinds++ }
        END { exit !(n["n-grams"] > 100 && all != "all" || kinds == 5) }' $out/common
    for model in rich poor; do
        awk -F '\t' "$in_common" $out/common $out/$model.rows > $out/$model.common
    done
    same $out/rich.common $out/poor.common "$name: those in common are taken"
    check "$name: the others stay 0" awk -F '\t' "$changed" $out/common $out/poor.rows
done

# options of odd values are read back
run whole $tiny --pretrained $(model rich) $text
resumes() { # OPTIONS: a run with them, gone on with twice, stays as it is
    rm -rf $out/odd
    run odd $tiny "$@" $text && cp $(model odd) $out/odd.model && run odd --resume $text &&
        run odd --resume "$@" $text && cmp -s $(model odd) $out/odd.model &&
        ./sample --model $(model odd) -s 1 -n 3 > $out/a
}
row_of_e() { ./embed --model $(model $1) row e; }
deep=$(printf '\351%.0s' $(seq 200))
deepest=$deep
for i in $(seq 15); do deepest=$deepest/$deep; done
mkdir -p "$out/$deepest"
for name in "$(printf 'caf\351')" "$(printf 'tab\tline\nbell\007')" 'quo"te' 'back\slash' \
    'back\x41' "$(printf '\303\251')" "$(printf '\355\240\200')" "$(printf 'cut\342\202')" \
    "$(printf '\\\377')" "$deepest/model"; do
    cp $(model rich) "$out/$name.safetensors"
    resumes --pretrained "$out/$name.safetensors"
    that $? "--pretrained: a name of odd bytes, read back" "$(printf %.40s "$name")"
    [ "$(rows odd)" -gt 1 ] && [ "$(row_of_e odd)" = "$(row_of_e whole)" ]
    that $? "and the same model" "$(printf %.40s "$name")"
    rm "$out/$name.safetensors"
done
rm -r "${out:?}/$deep"
check "--rows of 8,000 characters is read back" \
    resumes --rows "$(printf 'phrases,%.0s' $(seq 1000))echoes"
check "--norm-type of 5,000 digits is read back" \
    resumes --max-norm 1 --norm-type "$(printf '0%.0s' $(seq 5000))2"
check "a rate is read back" resumes --lr 0.1234567890123
check "with all its digits" [ "$(known odd lr)" = 0.1234567890123 ]

# a terminal: the live line fits, at every width and after a change of it; none where a terminal
# knows no control codes
plain() { tr '\r' '\n' < $said | tr -d '\033' | sed 's/^\[K//'; }
live() { plain | grep '^ *[0-9]*%\|^[a-z][a-z ]*$'; }
staying() { plain | grep -v '^file \|^next \|\./\|^ *mv '; }
wide() { awk -v width=$1 'length($0) > width { print; wide = 1 } END { exit wide }'; }
head -c 16000 data/text.txt > $out/longer
slow="./train -t 1 -b 1 -e 1 --out $out/live $out/longer"
if has_terminal; then
    for width in 20 33 80 300; do
        TERM=xterm terminal "stty cols $width; $slow" > $said
        live | wide $((width - 1)) > $out/a && [ "$(live | grep -c %)" -gt 1 ]
        that $? "$width columns: no live line is longer" "$(head -n 1 $out/a)"
        staying | wide $width > $out/a
        that $? "nor one that stays, but for paths and commands" "$(head -n 1 $out/a)"
    done
    live > $out/lines
    check "300 columns: the live line says it all" \
        grep -q '^ *[0-9]*% \[[# ]*\]  train [0-9.]*  best val [0-9.]*  epoch 1/1' $out/lines
    rm -rf $out/live
    # each width until so many more bytes of it have come
    cat > $out/narrowing << END
grown() {
    from=\$(wc -c < $said)
    for i in \$(seq 100); do [ \$(wc -c < $said) -lt \$((from + \$1)) ] || break; sleep 0.1; done
}
stty cols 200
./train -t 1 -b 1 -e 1 --out $out/live data/text.txt &
until [ -s $out/live/loss.csv ]; do sleep 0.1; done
grown 400
stty cols 30
grown 300
kill \$!
wait
END
    TERM=xterm terminal "sh $out/narrowing" > $said
    live > $out/lines
    check "a terminal that becomes narrower: the line, too" awk 'length($0) >= 30 { wide = NR }
        /%/ { last = NR } END { exit !(wide && last > wide + 3) }' $out/lines
    TERM=xterm terminal "./train --out $out/live $out/none" > $said
    says "what goes wrong takes the live line's place" \
        "$(printf '\r\033\\[Ktrain: .*: no such file')"
    TERM=dumb terminal "$slow" > $said
    grep -q '^epoch' $said && ! tr -d '\r' < $said | grep -q '[[:cntrl:]%]'
    that $? "TERM=dumb: no control codes and no live line"
else
    echo "skip the live line: script is not here"
fi
$slow 2> $said
! grep -q '[[:cntrl:]%]' $said
that $? "nor where it is no terminal"
staying | wide 80 > $out/a
that $? "where it is none, no line is wider than 80 columns" "$(cat $out/a)"
./train $tiny --set evaluations=40 --out $out/often $text 2> $said
check "of many evaluations some twenty are shown" [ "$(grep -c '^epoch' $said)" -le 21 ]
check "loss.csv has all" [ "$(rows often)" -gt 40 ]

# no library but libc and libm
if has ldd; then
    ldd ./train ./sample | grep '=>' > $out/a
    check "the programs need libc and libm only" awk '
        $1 !~ /^lib(c|m|asan|ubsan|tsan|pthread|gcc_s|stdc\+\+|dl|rt)\./ { exit 1 }' $out/a
else
    echo "skip ldd: not here"
fi
