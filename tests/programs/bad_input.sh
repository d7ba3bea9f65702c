#!/bin/sh
# Every bad input through the real programs: one clear line, the right status, and what was saved before is as it was.
# With the argument "all" (tests/slow/bad_input.sh) lengths and numbers are tried densely.
dense=${1:-}
. tests/programs/lib.sh
begin bad_input

# A finished run, which nothing that follows may harm.
saved=$out/saved
small="-q -t 1 --dim 4 --order 3 -b 256 -e 2"
head -c 4000 data/text.txt > "$out/text"
./train $small -s 1 --out "$saved" "$out/text" || bad "a small run to start with"
mkdir "$out/before"
cp "$saved"/*.safetensors "$saved/loss.csv" "$out/before"
four="model.safetensors checkpoint.safetensors snapshots.safetensors loss.csv"
untouched() {
    changes=
    for file in $four; do cmp -s "$saved/$file" "$out/before/$file" || changes="$changes $file"; done
    [ -z "$changes" ]
    that $? "$1: what was saved is as it was" "changed:$changes"
    cp "$out/before"/* "$saved"
}
# tr_refuses STATUS NAME WORDS ARGUMENTS...: ./train with these, and the run above as its output, refuses
tr_refuses() {
    status=$1 name=$2 words=$3
    shift 3
    refuses $status "$name" "$words" ./train $small --out "$saved" "$@"
}

# ---- texts ----
: > "$out/empty"
printf 'a' > "$out/one"
printf 'ab' > "$out/two"
head -c 100000 ./train > "$out/binary"
tr_refuses 1 "no such file" "no such file" "$out/none"
tr_refuses 1 "a directory as text" "directory" "$out"
tr_refuses 1 "an empty text" "is empty" "$out/empty"
tr_refuses 1 "empty standard input" "is empty" -
tr_refuses 1 "a text of one character" "too few" "$out/one"
tr_refuses 1 "a text of two characters" "too few" "$out/two"
tr_refuses 1 "a program as text" "is not text" "$out/binary"
refuses 1 "--strict: a character that is nothing in ASCII" "at offset 3 is nothing in ASCII" sh -c "printf 'the\320\266 and so on and on and on and on' | ./train $small --strict --out '$saved' -"
tr_refuses 1 "a file that cannot be read" "cannot be read|no such file" /proc/self/mem
tr_refuses 1 "a text below a file" "cannot be read" "$out/text/x"
as= # who may not do everything
[ "$(id -u)" -ne 0 ] || as="setpriv --reuid=65534 --regid=65534 --clear-groups"
if $as ./train --version > /dev/null 2>&1; then
    mkdir -m 777 "$out/nobody" && mkdir -m 555 "$out/readonly"
    cp "$out/text" "$out/unreadable" && chmod 000 "$out/unreadable"
    refuses 1 "a text without permission" "permissions" $as ./train $small --out "$out/nobody" "$out/unreadable"
    refuses 1 "a folder without permission" "cannot be written" $as ./train $small --out "$out/readonly" "$out/text"
else
    echo "skip a text without permission: root reads everything, and there is no other user to be"
fi
untouched "bad texts"

# ---- the command line ----
refuses 2 "no text" "name a text" ./train
refuses 2 "two texts" "too many" ./train "$out/text" "$out/text"
refuses 2 "an unknown option" "unknown option --wtf" ./train --wtf "$out/text"
refuses 2 "an unknown letter" "unknown option -Z" ./train -Z "$out/text"
refuses 2 "a flag with a value" "takes no value" ./train --quiet=1 "$out/text"
refuses 2 "a value is missing" "needs a value" ./train "$out/text" --dim
while read -r option words values; do
    for value in $values; do refuses 2 "--$option $value" "$words" ./train "--$option=$value" --out "$saved" "$out/text"; done
done << 'EOF'
dim is.not.a.whole.number.from.1.to.4096 0 -1 4097 1e3 3.5 8x 0x10 nan 99999999999999999999999999
order from.1.to.32 0 33 x
batch from.1.to.1048576 0 1048577 99999999999999999999
lr is.not.a.number -1 1e31 nan inf 0x1p3 1,5 1.5x 1e
val is.not.a.number.from.0.to.0.9 -0.1 0.95 1 2
threads from.1.to.256 0 257 -3
seed from.0.to.4294967295 4294967296
optimizer neither.adagrad.nor.sgd adam
rows "(wtf|)".is.none.of.ngrams ngrams,wtf ,ngrams ngrams, phrases,,echoes
rows "all".is.every.kind:.give.it.alone all,phrases phrases,all
norm-type no.number.above.0 0 -1 nan x
EOF
for value in "" " 8"; do refuses 2 "--dim \"$value\"" "is not a whole number from 1 to 4096" ./train "--dim=$value" "$out/text"; done
for value in "" " 1"; do refuses 2 "--lr \"$value\"" "is not a number" ./train "--lr=$value" "$out/text"; done
refuses 2 "no kinds" "--rows: its value is empty: give KINDS, or leave" ./train --rows "" --out "$saved" "$out/text"
refuses 2 "a norm of no type" "--norm-type: its value is empty" ./train --norm-type= --out "$saved" "$out/text"
long=$(printf '%05000d' 0)
tr_refuses 1 "a text whose name is too long" "cannot be read" "$long"
refuses 1 "a folder whose name is too long" "too long" ./train $small --out "$long" "$out/text"
refuses 2 "a folder of no name" "--out: its value is empty: give DIR" ./train $small --out "" "$out/text"
program='x{1,100}'
command -v bash > /dev/null && refuses 2 "a program's name of 3000 characters" "name a text" bash -c "exec -a $(printf '%03000d' 0 | tr 0 x) ./train"
program=train
refuses 2 "what is not printable is not printed" 'unknown option --a\?b\?' ./train "--a$(printf '\nb\033')c" "$out/text"
untouched "wrong use"

# ---- folders and disks ----
refuses 1 "a folder that is a file" "cannot be opened: Not a directory" ./train $small --out "$out/text" "$out/text"
refuses 1 "a folder below a file" "cannot be made" ./train $small --out "$out/text/x" "$out/text"
refuses 1 "a folder where none can be made" "cannot be made" ./train $small --out /proc/none "$out/text"
./train $small --out "$out/new/and deep/folder" "$out/text" && [ -s "$out/new/and deep/folder/model.safetensors" ] && ok "folders are made, with spaces in their names" || bad "folders are made"
./train $small --out "$out/slash/" "$out/text" && [ -s "$out/slash/model.safetensors" ] && ok "a folder's name may end with a slash" || bad "a folder's name may end with a slash"
# A full disk: a small one, where it can be mounted; tests/programs/faults.sh lets each write fail.
cat > "$out/disk.sh" << 'EOF'
mount -t tmpfs -o size=4m none "$1" || exit 9
cp "$2"/before/* "$1"
head -c 10000000 /dev/zero > "$1/much" 2> /dev/null
shift 2
./train "$@" --out "$disk" 2> "$said"
status=$?
for file in loss.csv model.safetensors snapshots.safetensors checkpoint.safetensors; do
    cmp -s "$disk/$file" "$before/$file" || echo "$file is not as it was" >> "$said"
done
[ -z "$(ls "$disk" | grep partial)" ] || echo "a temporary file is left" >> "$said"
exit $status
EOF
mkdir -p "$out/disk"
if unshare -rm mount -t tmpfs none "$out/disk" 2> /dev/null; then
    disk=$out/disk said=$out/stderr before=$out/before unshare -rm sh "$out/disk.sh" "$out/disk" "$out" $small -s 1 --save-every 0 "$out/text"
    [ $? -eq 1 ] && [ "$(wc -l < "$out/stderr")" -eq 1 ] && grep -q 'cannot be written .*No space left.*what was saved before is untouched.*free some' "$out/stderr" && ok "a full disk: all four files are as they were" || bad "a full disk: $(cat "$out/stderr")"
else
    echo "skip a full disk for files: none can be mounted"
fi
if [ -c /dev/full ]; then
    for file in $four; do ln -s /dev/full "$saved/$file.partial"; done
    ./train $small -s 1 --save-every 0 --out "$saved" "$out/text" 2> "$out/stderr" && [ -z "$(ls "$saved" | grep partial)" ]
    that $? "links under temporary names are neither followed nor left" "$(cat "$out/stderr")"
    rm -rf "$saved/previous"
    cp "$out/before"/* "$saved"
    program=sample
    model="--model $saved/model.safetensors"
    while read -r words; do refuses 1 "sample $words into a full disk" "standard output cannot be written" sh -c "./sample $words > /dev/full"; done << EOF
$model -s 1
$model -s 1 -n 100000
$model --next a
$model --score $out/text
--help
--version
EOF
    program=train
    refuses 1 "--batch-losses into a full disk" "standard output cannot be written" sh -c "./train $small -s 1 --set batch-losses=5 --out '$saved' '$out/text' > /dev/full"
    refuses 1 "many --batch-losses into a full disk" "standard output cannot be written" sh -c "./train $small -s 1 -b 1 --set batch-losses=5000 --out '$out/many' '$out/text' > /dev/full"
else
    echo "skip a full disk: there is no /dev/full"
fi
# A file size limit: writes fail with EFBIG.
(
    trap '' XFSZ
    export GCOV_PREFIX=/dev/null # the counts of tests/slow/coverage.sh would be cut off, too
    ulimit -f 8 2> /dev/null || exit 9
    ./train $small -s 1 --dim 32 --out "$saved" "$out/text" 2> "$out/stderr"
    [ $? -eq 1 ] && [ "$(wc -l < "$out/stderr")" -eq 1 ] && grep -q 'cannot be written (write: File too large)' "$out/stderr"
)
case $? in
0) ok "a limit on the size of files" ;;
9) echo "skip a limit on the size of files: cannot be set" ;;
*) bad "a limit on the size of files: $(cat "$out/stderr")" ;;
esac
cp "$out/before/loss.csv" "$saved" # the log of the other run was short enough to be written
untouched "full disks"
[ -z "$(ls "$saved" | grep partial)" ] && ok "no temporary file is left" || bad "no temporary file is left: $(ls "$saved")"

# ---- resuming ----
refuses 1 "--resume without a checkpoint" "no such file; .* makes a checkpoint" ./train $small --resume --out "$out/nothing" "$out/text"
refuses 1 "--resume with another dim" "has --dim 4, not 5" ./train -q --resume --dim 5 --out "$saved" "$out/text"
refuses 1 "--resume with another rate" "has --lr 0.1.*, not 0.2" ./train -q --resume --lr 0.2 --out "$saved" "$out/text"
refuses 1 "--resume with another seed" "has --seed 1, not 2" ./train -q --resume --seed 2 --out "$saved" "$out/text"
sed 's/e/E/' "$out/text" > "$out/text2"
refuses 1 "--resume with another text" "another text" ./train -q --resume --out "$saved" "$out/text2"
head -c 3999 "$out/text" > "$out/text2"
refuses 1 "--resume with a shorter text" "another text" ./train -q --resume --out "$saved" "$out/text2"
for file in model checkpoint; do
    cp -r "$saved" "$out/damaged"
    cp "$saved/model.safetensors" "$out/damaged/checkpoint.safetensors"
    refuses 1 "--resume from a model" "no checkpoint" ./train -q --resume --out "$out/damaged" "$out/text"
    cp "$saved/checkpoint.safetensors" "$out/damaged/checkpoint.safetensors"
    : > "$out/damaged/$file.safetensors"
    refuses 1 "--resume with an empty $file" "it is empty|copy the one" ./train -q --resume --out "$out/damaged" "$out/text"
    head -c 5000 "$saved/$file.safetensors" > "$out/damaged/$file.safetensors"
    refuses 1 "--resume with a $file cut short" "cut short|copy the one" ./train -q --resume --out "$out/damaged" "$out/text"
    cp "$out/text" "$out/damaged/$file.safetensors"
    refuses 1 "--resume with a text as $file" "more than 100 MB|copy the one" ./train -q --resume --out "$out/damaged" "$out/text"
    rm "$out/damaged/$file.safetensors"
    mkdir "$out/damaged/$file.safetensors"
    refuses 1 "--resume with a folder as $file" "no regular file|copy the one" ./train -q --resume --out "$out/damaged" "$out/text"
    rm -r "$out/damaged"
done
# A model that is whole but of another run: the text is the same, an option is not, or it is older than the checkpoint.
cp -r "$saved" "$out/mixed"
./train $small -s 2 --out "$out/other" "$out/text"
cp "$out/other/model.safetensors" "$out/mixed"
refuses 1 "--resume with the model of a run with another seed" "is not the model of the run" ./train -q --resume --out "$out/mixed" "$out/text"
# damaged metadata, changed without changing the file's length
rm -r "$out/mixed"
cp -r "$saved" "$out/mixed"
changed() {
    LC_ALL=C sed "$2" "$saved/checkpoint.safetensors" > "$out/mixed/checkpoint.safetensors"
    if [ "$(wc -c < "$saved/checkpoint.safetensors")" -ne "$(wc -c < "$out/mixed/checkpoint.safetensors")" ]; then
        echo "skip a checkpoint with $1: this sed is only for text"
    else
        refuses 1 "a checkpoint with $1" "$3" ./train -q --resume --out "$out/mixed" "$out/text"
    fi
}
changed "a step below zero" 's/"step":"\([0-9]\)[0-9]/"step":"-\1/' "out of range"
changed "a step beyond the end" 's/"step":"[0-9]/"step":"9/;s/"steps":/"stepz":/' "out of range"
changed "a random state that is out of range" 's/"random.position":"[0-9]/"random.position":"9/' "out of range"
changed "a dim of 0" 's/"dim":"4"/"dim":"0"/' "is no value for --dim"
changed "an order of 9" 's/"order":"3"/"order":"9"/' "missing or has another shape"
changed "a rate that is no number" 's/"lr":"0/"lr":"x/' "is no value for --lr"
changed "no dim" 's/"dim":/"din":/' "its dim is missing"
changed "no sums of rows" 's/"optimizer.embedding.weight.sum"/"optimizer.embedding.weight.sun"/' "optimizer.embedding.weight.sum is missing"
changed "neither a model nor an embedding" 's/"model":"/"modem":"/' "embedding.weight is missing"
changed "no sums" 's/"optimizer.linear.bias.sum"/"optimizer.linear.bias.sun"/' "optimizer.linear.bias.sum is missing"
changed "an escape for the terminal" "s/\"dim\":\"4\"/\"dim\":\"$(printf '\177')\"/" 'is no value for --dim'
rm -f "$saved/loss.csv"
./train -q --resume --out "$saved" "$out/text" 2> "$out/stderr" && grep -q 'loss.csv: is missing or damaged' "$out/stderr" && ok "--resume without a log says so and goes on" || bad "--resume without a log: $(cat "$out/stderr")"
cp "$out/before/loss.csv" "$saved"
untouched "resuming"

# ---- models and prompts ----
model=$saved/model.safetensors
for program in sample embed; do
    [ -x ./$program ] || continue
    case $program in sample) prompt="the" ;; *) prompt="" ;; esac
    head -c 500 "$model" > "$out/cut"
    refuses 1 "$program: no model" 'no such file; "train TEXT" makes a model' ./$program --model "$out/none" $prompt
    refuses 1 "$program: a text as model" "more than 100 MB" ./$program --model "$out/text" $prompt
    refuses 1 "$program: an empty model" "it is empty" ./$program --model "$out/empty" $prompt
    refuses 1 "$program: a model cut short" "cut short" ./$program --model "$out/cut" $prompt
    refuses 1 "$program: a folder as model" "no regular file" ./$program --model "$out" $prompt
    refuses 1 "$program: snapshots as model" "lacks embedding.weight" ./$program --model "$saved/snapshots.safetensors" $prompt
    refuses 1 "$program: a log as model" "more than 100 MB" ./$program --model "$saved/loss.csv" $prompt
    refuses 2 "$program: an unknown option" "unknown option" ./$program --wtf
done
program=sample
refuses 2 "a prompt with an unprintable character" "the prompt: U\+0001 is nothing in ASCII" ./sample --model "$model" -s 1 "$(printf 'ab\001')"
refuses 2 "a prompt in Cyrillic" "is nothing in ASCII" ./sample --model "$model" -s 1 "$(printf '\320\266')"
refuses 2 "two prompts" "too many" ./sample --model "$model" a b
refuses 2 "top-k 101" "from 0 to 100" ./sample --model "$model" -k 101
refuses 2 "top-p 1.1" "from 0 to 1" ./sample --model "$model" -p 1.1
refuses 2 "temperature -1" "from 0 to 100" ./sample --model "$model" -t -1
refuses 2 "a temperature with a decimal comma" "is not a number" ./sample --model "$model" -t 0,8
refuses 1 "scoring no file" "no such file" ./sample --model "$model" --score "$out/none"
refuses 1 "scoring an empty file" "is empty" ./sample --model "$model" --score "$out/empty"
refuses 2 "--from without --score" "belong to --score" ./sample --model "$model" --from 10
refuses 1 "scoring from beyond the end" "has only 4,000 characters" ./sample --model "$model" --score "$out/text" --from 4000
refuses 1 "scoring a program" "is not text" ./sample --model "$model" --score "$out/binary"
program=train
for file in none empty cut text; do
    tr_refuses 1 "--pretrained from a file that is $file" "no such file|is empty|cut short|more than 100 MB" --pretrained "$out/$file" "$out/text"
done
refuses 1 "--pretrained of another dim" "have 4 numbers, not 5" ./train -q --dim 5 --pretrained "$model" --out "$saved" "$out/text"
# Rows so long that a sum is no number, in bags of the validation part only: Z's, which is row 61.
at=$((8 + $(od -An -tu8 -N8 "$model") + 61 * 16))
{ head -c $at "$model"; head -c 16 /dev/zero | tr '\0' '\177'; tail -c +$((at + 17)) "$model"; } > "$out/huge"
{ head -c 3900 "$out/text" | tr Z z; printf 'Zebras, Zebras, Zebras.'; } > "$out/zebras"
tr_refuses 1 "a validation loss that is no number from the start" "validation loss after batch 0 is not a finite number" --pretrained "$out/huge" "$out/zebras"
untouched "bad models"

# ---- hostile text ----
# trains NAME OPTIONS...: either trains, and then the model scores the text, or refuses with one line
trains() {
    name=$1
    shift
    [ ! -f "$out/t/model.safetensors" ] || rm "$out/t/model.safetensors"
    ./train -q "$@" --out "$out/t" "$out/hostile" > /dev/null 2> "$out/stderr"
    status=$?
    if [ $status -eq 0 ] && [ ! -s "$out/stderr" ]; then
        ./sample --model "$out/t/model.safetensors" --score "$out/hostile" > "$out/stdout" 2> "$out/said" &&
            grep -q '^chars [0-9]* nats/char [0-9.]* bits/char [0-9.]* perplexity [0-9.inf]*$' "$out/stdout" && trained=$((trained + 1)) && return
        # rows that start far too large are trained, and the score says that something is wrong
        grep -q 'its numbers are damaged, or grew' "$out/said" && trained=$((trained + 1)) && return
        failed="$failed; $name: trained, but the model says: $(cat "$out/stdout" "$out/said")"
    elif [ $status -eq 1 ] && [ "$(wc -l < "$out/stderr")" -eq 1 ]; then
        refused=$((refused + 1))
        if [ -f "$out/t/model.safetensors" ]; then # a run that stopped keeps a good model
            ./sample --model "$out/t/model.safetensors" -n 5 -s 1 > /dev/null 2> "$out/said" || failed="$failed; $name: kept a model that says: $(cat "$out/said")"
        fi
    else
        failed="$failed; $name: status $status: $(head -n 2 "$out/stderr")"
    fi
}
begin() { trained=0 refused=0 failed=""; }
end() { if [ -z "$failed" ]; then ok "$1: $trained trained, $refused refused"; else bad "$1$failed"; fi; }

stride=7
[ -z "$dense" ] || stride=1
begin
for value in $(seq 0 $stride 255); do # one byte of each value, alone and within a text
    byte=$(printf '\\%03o' $value)
    printf "$byte" > "$out/hostile"
    trains "byte $value alone" -t 1 --dim 3 --order 2
    { head -c 100 data/text.txt; printf "$byte"; head -c 100 data/text.txt; printf "$byte"; } > "$out/hostile"
    trains "byte $value" -t 1 --dim 3 --order 2
done
end "texts with every byte value"

begin
for length in $(seq 0 200); do
    head -c $length data/text.txt > "$out/hostile"
    orders="$((length % 32 + 1))"
    [ -z "$dense" ] || orders=$(seq 32)
    for order in $orders; do trains "length $length, order $order" -t 1 --dim 2 --order $order; done
done
end "every length from 0 to 200, ${dense:-one of the} 32 orders each"

begin
head -c 100000 /dev/zero | tr '\0' a > "$out/hostile"
trains "one character 100,000 times" -t 2 --dim 4
tr -d '\n' < data/text.txt | head -c 50000 > "$out/hostile"
trains "one endless line" -t 2 --dim 4
tr -d ' \n' < data/text.txt | head -c 50000 > "$out/hostile"
trains "one endless word" -t 2 --dim 4
head -c 20000 data/text.txt | tr -c '\n' ' ' > "$out/hostile"
trains "only white space" -t 2 --dim 4
head -c 20000 data/text.txt | tr '\n' '\r' > "$out/hostile"
trains "CR as line end" -t 2 --dim 4
end "one endless line, one character, one word, only spaces, only CR"

# an end that never comes, and 2 GB of nothing on no disk space
refuses 1 "a sparse file of 2.3 GB" "is not text" sh -c "dd if=/dev/zero of='$out/sparse' bs=1 count=0 seek=2300000000 2> /dev/null; ./train -q -t 1 --dim 4 --out '$out/t' '$out/sparse'"
rm -f "$out/sparse"
if [ -c /dev/zero ]; then
    ./train -q -t 1 --out "$out/t" /dev/zero 2> "$out/stderr" &
    pid=$!
    (sleep 20; kill -9 $pid) 2> /dev/null &
    guard=$!
    wait $pid
    status=$?
    kill $guard 2> /dev/null
    [ $status -eq 1 ] && grep -q 'is not text' "$out/stderr" && ok "a device that never ends" || bad "a device that never ends: status $status, $(cat "$out/stderr")"
fi

# ---- pipes ----
(head -c 3000 "$out/text"; exec >&-; sleep 0) | ./train $small --out "$out/pipe" - 2> "$out/stderr" && [ -s "$out/pipe/model.safetensors" ] && ok "a pipe that closes is a text that ends" || bad "a pipe that closes: $(cat "$out/stderr")"
mkfifo "$out/fifo"
head -c 3000 "$out/text" > "$out/fifo" &
./train $small --out "$out/pipe2" "$out/fifo" && cmp -s "$out/pipe/model.safetensors" "$out/pipe2/model.safetensors" && ok "a named pipe gives the same bytes" || bad "a named pipe gives the same bytes"
(./train -t 1 --dim 4 --out "$out/pipe3" "$out/text"; echo $? > "$out/status") 2>&1 | head -n 1 > /dev/null
[ "$(cat "$out/status")" = 0 ] && [ -s "$out/pipe3/model.safetensors" ] && ok "who reads the messages may go: training goes on" || bad "who reads the messages may go: status $(cat "$out/status")"
./train -q -t 1 --dim 4 --out "$out/closed" "$out/text" < /dev/null >&- 2>&- && ./sample --model "$out/closed/model.safetensors" -s 1 -n 3 > /dev/null && ok "closed streams do no harm" || bad "closed streams do no harm"
program=sample
refuses 1 "standard output is closed" "standard output cannot be written" sh -c "./sample --model '$model' -s 1 >&-"
program=train

# ---- numbers ----
# learns NAME OPTIONS...: as trains; one that stops says which batch, and keeps the best model of its log; no file holds NaN or infinity
learns() {
    trains "$@"
    [ $status -eq 1 ] || return
    grep -q -E '(the loss|the validation loss|a weight) after batch [0-9]+ is not a finite number: training stops, the best model so far is kept; start again' "$out/stderr" || failed="$failed; $1: says $(cat "$out/stderr")"
    best=$(best "$out/t") kept=$(metadata "$out/t/model.safetensors" val_loss)
    [ "$best" = "$kept" ] || failed="$failed; $1: kept the model of loss $kept, not of $best"
    for file in model snapshots; do od -An -v -tf4 "$out/t/$file.safetensors" | grep -q -i 'nan\|inf' && failed="$failed; $1: $file.safetensors holds a number that is not finite"; done
    case $1 in *often) ./train -q --resume --out "$out/t" "$out/hostile" 2>&1 | grep -q 'batch [0-9]* is not a finite' || failed="$failed; $1: its checkpoint cannot be resumed" ;; esac
}
head -c 1500 data/text.txt > "$out/hostile"
begin
rates="1e-30 1e-3 1 1e2 1e4 1e8 1e16 1e24 1e30"
[ -z "$dense" ] || rates=$(for i in $(seq -45 30); do echo 1e$i 3e$i; done | grep -v 3e30)
for rate in 0 $rates; do
    for rule in adagrad sgd; do
        learns "$rule, both rates $rate" -t 1 --dim 4 --order 3 --optimizer $rule --lr $rate --set linear-lr=$rate
        learns "$rule, lr $rate" -t 1 --dim 4 --order 3 --optimizer $rule --lr $rate
        learns "$rule, linear-lr $rate" -t 1 --dim 4 --order 3 --optimizer $rule --set linear-lr=$rate
        learns "$rule, lr $rate, saves often" -t 1 --dim 4 --order 3 --optimizer $rule --lr $rate -b 16 --save-every 0
    done
    learns "accumulator $rate" -t 1 --dim 4 --order 3 --set accumulator=$rate
    learns "max-norm $rate" -t 1 --dim 4 --order 3 --max-norm $rate --norm-type 1e-3
    learns "max-norm $rate, inf" -t 1 --dim 4 --order 3 --max-norm $rate --norm-type inf
    [ "$rate" = 1e8 ] || case $rate in 3e6 | *e[789] | *e[12]? | *e30) ;; *) trains "init-std $rate" -t 1 --dim 4 --order 3 --set init-std=$rate ;; esac
done
end "learning rates, accumulators and norms from 0 to 1e30, none leaves a number that is not finite"
begin
dims="1 2 3 7 8 9 15 16 17 64 100 4095 4096"
[ -z "$dense" ] || dims="$(seq 130) $(seq 131 61 4096) 4096"
for dim in $dims; do trains "dim $dim" -t 2 --order 2 -e 1 --dim $dim; done
end "dim 1 to 4096"
begin
for order in $(seq 32); do trains "order $order" -t 2 --dim 3 --order $order; done
end "order 1 to 32"
begin
batches="1 2 3 7 100 239 240 241 1349 1350 1351 4096 1048576"
[ -z "$dense" ] || batches="$(seq 300) $(seq 301 13 1600) 65536 1048575 1048576"
for batch in $batches; do trains "batch $batch" -t 3 --dim 3 --order 3 --batch $batch; done
end "batch 1 to larger than the text"
begin
for threads in 1 2 5 16 256; do trains "$threads threads" -t $threads --dim 3 --order 3; done
for share in 0 1e-9 0.001 0.01 0.5 0.89 0.9; do trains "val $share" -t 2 --dim 3 --order 3 --val $share; done
for times in 1 2 7 1000; do trains "$times evaluations" -t 2 --dim 3 --order 3 -b 16 --set evaluations=$times; done
for least in 1 2 3 1000 4294967295; do trains "min-count $least" -t 2 --dim 3 --min-count $least; done
for most in 0 1 2 100 1000000000; do trains "max-rows $most" -t 2 --dim 3 --max-rows $most; done
for kinds in ngrams phrases echoes columns all ngrams,phrases,echoes,columns; do
    for order in 1 2 32; do trains "rows $kinds, order $order" -t 2 --dim 3 --rows $kinds --order $order; done
done
trains "a million epochs end when nothing is learned any more" -t 1 --dim 1 --order 1 --epochs 1000000 --lr 10
end "threads, shares, evaluations, counts, kinds of rows"

# ---- a locale with decimal commas, and names with spaces ----
comma=$(locale -a 2> /dev/null | grep -i -m 1 -E '^(de|fr|it|es|pt|nl|ru|pl|sv)_.*utf')
if [ -n "$comma" ]; then
    for locale in C "$comma"; do LC_ALL=$locale ./train $small --out "$out/$locale" --lr 0.05 "$out/text"; done
    cmp -s "$out/C/model.safetensors" "$out/$comma/model.safetensors" && ok "a locale with decimal commas gives the same bytes" || bad "a locale with decimal commas"
else
    grep -q setlocale ./*.c lib/*.c && bad "a program sets the locale, and no locale with decimal commas is here to try it" || ok "no program sets a locale: decimal commas cannot come in"
fi
mkdir "$out/a folder" && cp "$out/text" "$out/a folder/a text" &&
    ./train $small --out "$out/a folder/out put" "$out/a folder/a text" && ./sample -s 1 --model "$out/a folder/out put/model.safetensors" > /dev/null && ok "names with spaces" || bad "names with spaces"
untouched "in the end"
