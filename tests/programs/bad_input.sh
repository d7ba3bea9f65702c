#!/bin/sh
# Every bad input through the real programs: one clear line, the right status, and what was saved
# before is as it was. With the argument "all" lengths and numbers are tried densely.
dense=${1:-}
. tests/programs/lib.sh
begin bad_input

# A finished run, which nothing that follows may harm.
saved=$out/saved text=$out/text model=$saved/model.safetensors
small="-q -t 1 --dim 4 --order 3 -b 256 -e 2"
head -c 4000 data/text.txt > $text
./train $small -s 1 --out $saved $text || bad "a small run to start with"
mkdir $out/before
cp $saved/*.safetensors $saved/loss.csv $out/before
untouched() {
    changes=
    for file in $four; do cmp -s $saved/$file $out/before/$file || changes="$changes $file"; done
    [ -z "$changes" ]
    that $? "$1: what was saved is as it was" "changed:$changes"
    cp $out/before/* $saved
}
# no NAME WORDS ARGUMENTS...: a new run into the folder of the one above is refused
no() {
    name=$1 words=$2
    shift 2
    refuses 1 "$name" "$words" ./train $small --out $saved "$@"
}
# usage NAME WORDS ARGUMENTS...: a wrong use of $program
usage() {
    name=$1 words=$2
    shift 2
    refuses 2 "$name" "$words" ./$program "$@"
}
# resumes FOLDER NAME WORDS ARGUMENTS...: --resume is refused
resumes() {
    folder=$1 name=$2 words=$3
    shift 3
    refuses 1 "--resume $name" "$words" ./train -q --resume --out $folder "$@"
}
no_partial() { ! ls $1 | grep -q partial; }

# ---- texts ----
: > $out/empty
printf 'a' > $out/one
printf 'ab' > $out/two
head -c 100000 ./train > $out/binary
printf 'the\320\266 and so on and on and on and on' > $out/zhe
no "no such file" "no such file" $out/none
no "a directory as text" "directory" $out
no "an empty text" "is empty" $out/empty
no "empty standard input" "is empty" -
no "a text of one character" "too few" $out/one
no "a text of two characters" "too few" $out/two
no "a program as text" "is not text" $out/binary
no "--strict: a character that is nothing in ASCII" "at offset 3 is nothing" --strict $out/zhe
no "a file that cannot be read" "cannot be read|no such file" /proc/self/mem
no "a text below a file" "cannot be read" $text/x
as= # who may not do everything
[ "$(id -u)" -ne 0 ] || as="setpriv --reuid=65534 --regid=65534 --clear-groups"
if $as ./train --version > /dev/null 2>&1; then
    mkdir -m 777 $out/nobody && mkdir -m 555 $out/readonly
    cp $text $out/unreadable && chmod 000 $out/unreadable
    refuses 1 "a text without permission" "permissions" \
        $as ./train $small --out $out/nobody $out/unreadable
    refuses 1 "a folder without permission" "cannot be written" \
        $as ./train $small --out $out/readonly $text
else
    echo "skip a text without permission: root reads everything, and there is no other user to be"
fi
untouched "bad texts"

# ---- the command line ----
usage "no text" "name a text"
usage "two texts" "too many" $text $text
usage "an unknown option" "unknown option --wtf" --wtf $text
usage "an unknown letter" "unknown option -Z" -Z $text
usage "a flag with a value" "takes no value" --quiet=1 $text
usage "a value is missing" "needs a value" $text --dim
while read -r option words values; do
    for value in $values; do
        usage "--$option $value" "$words" "--$option=$value" --out $saved $text
    done
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
for value in "" " 8"; do usage "--dim \"$value\"" "is not a whole number" "--dim=$value" $text; done
for value in "" " 1"; do usage "--lr \"$value\"" "is not a number" "--lr=$value" $text; done
usage "no kinds" "--rows: its value is empty: give KINDS, or leave" --rows "" --out $saved $text
usage "a norm of no type" "--norm-type: its value is empty" --norm-type= --out $saved $text
long=$(printf '%05000d' 0)
no "a text whose name is too long" "cannot be read" $long
refuses 1 "a folder whose name is too long" "too long" ./train $small --out $long $text
usage "a folder of no name" "--out: its value is empty: give DIR" $small --out "" $text
program='x{1,100}'
! has bash || refuses 2 "a program's name of 3000 characters" "name a text" \
    bash -c "exec -a $(printf '%03000d' 0 | tr 0 x) ./train"
program=train
usage "controls are not printed" 'unknown option --a\?b\?' "--a$(printf '\nb\033')c" $text
untouched "wrong use"

# ---- folders and disks ----
in_vain() { refuses 1 "a folder $1" "$2" ./train $small --out $3 $text; }
in_vain "that is a file" "cannot be opened: Not a directory" $text
in_vain "below a file" "cannot be made" $text/x
in_vain "where none can be made" "cannot be made" /proc/none
check "folders are made, with spaces in their names" \
    ./train $small --out "$out/new/and deep/folder" $text
check "and hold the model" [ -s "$out/new/and deep/folder/model.safetensors" ]
./train $small --out $out/slash/ $text
check "a folder's name may end with a slash" [ -s $out/slash/model.safetensors ]
# A full disk: a small one, where it can be mounted; tests/programs/faults.sh lets each write fail.
cat > $out/disk.sh << 'EOF'
mount -t tmpfs -o size=4m none $1 || exit 9
cp $2/before/* $1
head -c 10000000 /dev/zero > $1/much 2> /dev/null
disk=$1 before=$2/before
shift 2
./train "$@" --out $disk 2> $said
status=$?
for file in loss.csv model.safetensors snapshots.safetensors checkpoint.safetensors; do
    cmp -s $disk/$file $before/$file || echo "$file is not as it was" >> $said
done
! ls $disk | grep -q partial || echo "a temporary file is left" >> $said
exit $status
EOF
mkdir -p $out/disk
said=$out/stderr
if unshare -rm mount -t tmpfs none $out/disk 2> /dev/null; then
    said=$said unshare -rm sh $out/disk.sh $out/disk $out $small -s 1 --save-every 0 $text
    [ $? -eq 1 ] && [ "$(lines $said)" -eq 1 ] &&
        grep -q 'cannot be written .*No space.*was saved before is untouched.*free some' $said
    that $? "a full disk: all four files are as they were" "$(cat $said)"
else
    echo "skip a full disk for files: none can be mounted"
fi
if [ -c /dev/full ]; then
    for file in $four; do ln -s /dev/full $saved/$file.partial; done
    ./train $small -s 1 --save-every 0 --out $saved $text 2> $said && no_partial $saved
    that $? "links under temporary names are neither followed nor left" "$(cat $said)"
    rm -rf $saved/previous
    cp $out/before/* $saved
    while read -r program words; do
        refuses 1 "$program $words into a full disk" "standard output cannot be written" \
            sh -c "./$program $words > /dev/full"
    done << EOF
sample --model $model -s 1
sample --model $model -s 1 -n 100000
sample --model $model --next a
sample --model $model --score $text
sample --help
sample --version
train $small -s 1 --set batch-losses=5 --out $saved $text
train $small -s 1 -b 1 --set batch-losses=5000 --out $out/many $text
EOF
    program=train
else
    echo "skip a full disk: there is no /dev/full"
fi
# A file size limit: writes fail with EFBIG.
(
    trap '' XFSZ
    export GCOV_PREFIX=/dev/null # the counts of tests/slow/coverage.sh would be cut off, too
    ulimit -f 8 2> /dev/null || exit 9
    ./train $small -s 1 --dim 32 --out $saved $text 2> $said
    [ $? -eq 1 ] && [ "$(lines $said)" -eq 1 ] &&
        grep -q 'cannot be written (write: File too large)' $said
)
status=$?
if [ $status -eq 9 ]; then echo "skip a limit on the size of files: cannot be set"
else that $status "a limit on the size of files" "$(cat $said)"
fi
cp $out/before/loss.csv $saved # the log of the other run was short enough to be written
untouched "full disks"
check "no temporary file is left" no_partial $saved

# ---- resuming ----
resumes $out/nothing "without a checkpoint" "no such file; .* makes a checkpoint" $text
resumes $saved "with another dim" "has --dim 4, not 5" --dim 5 $text
resumes $saved "with another rate" "has --lr 0.1.*, not 0.2" --lr 0.2 $text
resumes $saved "with another seed" "has --seed 1, not 2" --seed 2 $text
sed 's/e/E/' $text > $out/text2
resumes $saved "with another text" "another text" $out/text2
head -c 3999 $text > $out/text2
resumes $saved "with a shorter text" "another text" $out/text2
damaged=$out/damaged
cp -r $saved $damaged
cp $model $damaged/checkpoint.safetensors
resumes $damaged "from a model" "no checkpoint" $text
for kind in model checkpoint; do
    file=$damaged/$kind.safetensors
    cp $saved/*.safetensors $damaged
    : > $file
    resumes $damaged "with an empty $kind" "it is empty|copy the one" $text
    head -c 5000 $saved/$kind.safetensors > $file
    resumes $damaged "with a $kind cut short" "cut short|copy the one" $text
    cp $text $file
    resumes $damaged "with a text as $kind" "more than 100 MB|copy the one" $text
    rm $file
    mkdir $file
    resumes $damaged "with a folder as $kind" "no regular file|copy the one" $text
    rmdir $file
done
# a model that is whole but of another run: the text is the same, an option is not
cp $saved/*.safetensors $damaged
./train $small -s 2 --out $out/other $text
cp $out/other/model.safetensors $damaged
resumes $damaged "with the model of another seed" "is not the model of the run" $text
rm -f $saved/loss.csv
./train -q --resume --out $saved $text 2> $said && grep -q 'loss.csv: is missing or damaged' $said
that $? "--resume without a log says so and goes on" "$(cat $said)"
cp $out/before/loss.csv $saved
untouched "resuming"

# ---- models and prompts ----
head -c 500 $model > $out/cut
for program in sample embed; do
    [ $program = embed ] || prompt=the
    while IFS=: read -r name words file; do
        refuses 1 "$program: $name" "$words" ./$program --model $file $prompt
    done << EOF
no model:no such file; "train TEXT" makes a model:$out/none
a text as model:more than 100 MB:$text
an empty model:it is empty:$out/empty
a model cut short:cut short:$out/cut
a folder as model:no regular file:$out
snapshots as model:lacks embedding.weight:$saved/snapshots.safetensors
a log as model:more than 100 MB:$saved/loss.csv
EOF
    usage "$program: an unknown option" "unknown option" --wtf
    prompt=
done
program=sample of="--model $model"
usage "an unprintable character" "the prompt: U\+0001 is nothing in ASCII" $of "$(printf 'ab\001')"
usage "a prompt in Cyrillic" "is nothing in ASCII" $of -s 1 "$(printf '\320\266')"
usage "two prompts" "too many" $of a b
usage "top-k 101" "from 0 to 100" $of -k 101
usage "top-p 1.1" "from 0 to 1" $of -p 1.1
usage "temperature -1" "from 0 to 100" $of -t -1
usage "a temperature with a decimal comma" "is not a number" $of -t 0,8
usage "--from without --score" "belong to --score" $of --from 10
refuses 1 "scoring no file" "no such file" ./sample $of --score $out/none
refuses 1 "scoring an empty file" "is empty" ./sample $of --score $out/empty
refuses 1 "scoring from the end" "only 4,000 characters" ./sample $of --score $text --from 4000
refuses 1 "scoring a program" "is not text" ./sample $of --score $out/binary
program=train
for file in none empty cut text; do
    no "--pretrained from a file that is $file" "no such file|is empty|cut short|more than 100 MB" \
        --pretrained $out/$file $text
done
no "--pretrained of another dim" "have 4 numbers, not 5" --dim 5 --pretrained $model $text
# Rows so long that a sum is no number, in bags of the validation part only: Z's, which is row 61.
at=$((8 + $(od -An -tu8 -N8 $model) + 61 * 16))
{
    head -c $at $model
    head -c 16 /dev/zero | tr '\0' '\177'
    tail -c +$((at + 17)) $model
} > $out/huge
{ head -c 3900 $text | tr Z z; printf 'Zebras, Zebras, Zebras.'; } > $out/zebras
no "a validation loss that is no number" "validation loss after batch 0 is not a finite number" \
    --pretrained $out/huge $out/zebras
untouched "bad models"

# ---- hostile text ----
hostile=$out/hostile tried=$out/t said=$out/said
trained=0 refused=0 failed=
# conclude NAME: a check of all that was tried since the last one
conclude() {
    [ -z "$failed" ]
    that $? "$1: $trained trained, $refused refused" "$failed"
    trained=0 refused=0 failed=
}
fails() { failed="$failed; $name: $1"; }
scores() {
    ./sample --model $tried/model.safetensors --score $hostile > $out/stdout 2> $said &&
        grep -q '^chars [0-9]* nats/char [0-9.]* bits/char [0-9.]* perplexity [0-9.inf]*$' \
            $out/stdout
}
# trains NAME OPTIONS...: trains, and then the model scores the text, or refuses with one line
trains() {
    name=$1
    shift
    rm -f $tried/model.safetensors
    ./train -q "$@" --out $tried $hostile > $out/stdout 2> $out/stderr
    status=$?
    if [ $status -eq 0 ] && [ ! -s $out/stderr ]; then
        # rows that start far too large are trained, and the score says that something is wrong
        if scores || grep -q 'its numbers are damaged, or grew' $said; then trained=$((trained + 1))
        else fails "trained, but the model says: $(cat $out/stdout $said)"
        fi
    elif [ $status -eq 1 ] && [ "$(lines $out/stderr)" -eq 1 ]; then
        refused=$((refused + 1))
        [ ! -f $tried/model.safetensors ] || # a run that stopped keeps a good model
            ./sample --model $tried/model.safetensors -n 5 -s 1 > $out/stdout 2> $said ||
            fails "kept a model that says: $(cat $said)"
    else
        fails "status $status: $(head -n 2 $out/stderr)"
    fi
}

stride=7
[ -z "$dense" ] || stride=1
for value in $(seq 0 $stride 255); do # one byte of each value, alone and within a text
    byte=$(printf '\\%03o' $value)
    printf "$byte" > $hostile
    trains "byte $value alone" -t 1 --dim 3 --order 2
    for part in 1 2; do head -c 100 data/text.txt; printf "$byte"; done > $hostile
    trains "byte $value" -t 1 --dim 3 --order 2
done
conclude "texts with every byte value"

for length in $(seq 0 200); do
    head -c $length data/text.txt > $hostile
    orders=$((length % 32 + 1))
    [ -z "$dense" ] || orders=$(seq 32)
    for order in $orders; do
        trains "length $length, order $order" -t 1 --dim 2 --order $order
    done
done
conclude "every length from 0 to 200, ${dense:-one of the} 32 orders each"

head -c 100000 /dev/zero | tr '\0' a > $hostile
trains "one character 100,000 times" -t 2 --dim 4
tr -d '\n' < data/text.txt | head -c 50000 > $hostile
trains "one endless line" -t 2 --dim 4
tr -d ' \n' < data/text.txt | head -c 50000 > $hostile
trains "one endless word" -t 2 --dim 4
head -c 20000 data/text.txt | tr -c '\n' ' ' > $hostile
trains "only white space" -t 2 --dim 4
head -c 20000 data/text.txt | tr '\n' '\r' > $hostile
trains "CR as line end" -t 2 --dim 4
conclude "one endless line, one character, one word, only spaces, only CR"

# an end that never comes, and 2 GB of nothing on no disk space
dd if=/dev/zero of=$out/sparse bs=1 count=0 seek=2300000000 2> $said
refuses 1 "a sparse file of 2.3 GB" "is not text" ./train -q -t 1 --dim 4 --out $tried $out/sparse
rm -f $out/sparse
[ ! -c /dev/zero ] || refuses 1 "a device that never ends" "is not text" \
    timeout -s KILL 20 ./train -q -t 1 --out $tried /dev/zero

# ---- pipes ----
{ head -c 3000 $text; exec >&-; } | ./train $small --out $out/pipe - 2> $said
that $? "a pipe that closes is a text that ends" "$(cat $said)"
mkfifo $out/fifo
head -c 3000 $text > $out/fifo &
./train $small --out $out/pipe2 $out/fifo
same $out/pipe/model.safetensors $out/pipe2/model.safetensors "a named pipe gives the same bytes"
quiet="-t 1 --dim 4"
{ ./train $quiet --out $out/pipe3 $text; echo $? > $out/status; } 2>&1 | head -n 1 > $said
[ "$(cat $out/status)" = 0 ] && [ -s $out/pipe3/model.safetensors ]
that $? "who reads the messages may go: training goes on" "status $(cat $out/status)"
./train -q $quiet --out $out/closed $text < /dev/null >&- 2>&- &&
    ./sample --model $out/closed/model.safetensors -s 1 -n 3 > $said
that $? "closed streams do no harm"
program=sample
refuses 1 "standard output is closed" "standard output cannot be written" \
    sh -c "./sample --model $model -s 1 >&-"
program=train

# ---- numbers ----
# learns NAME OPTIONS...: as trains; a run that stops says which batch, and keeps the best model of
# its log; no file holds NaN or infinity
stops='(the loss|the validation loss|a weight) after batch [0-9]+ is not a finite number: training'
stops="$stops stops, the best model so far is kept; start again"
learns() {
    trains "$@" -t 1 --dim 4 --order 3
    [ $status -eq 1 ] || return
    grep -q -E "$stops" $out/stderr || fails "says $(cat $out/stderr)"
    best=$(best $tried) kept=$(metadata $tried/model.safetensors val_loss)
    [ "$best" = "$kept" ] || fails "kept the model of loss $kept, not of $best"
    for file in model snapshots; do
        od -An -v -tf4 $tried/$file.safetensors | grep -q -i 'nan\|inf' && fails "NaN in $file"
    done
    case $name in
    *often)
        ./train -q --resume --out $tried $hostile 2>&1 | grep -q 'batch [0-9]* is not a finite' ||
            fails "its checkpoint cannot be resumed"
        ;;
    esac
}
head -c 1500 data/text.txt > $hostile
rates="1e-30 1e-3 1 1e2 1e4 1e8 1e16 1e24 1e30"
[ -z "$dense" ] || rates=$(for i in $(seq -45 30); do echo 1e$i 3e$i; done | grep -v 3e30)
for rate in 0 $rates; do
    for rule in adagrad sgd; do
        learns "$rule, both $rate" -o $rule --lr $rate --set linear-lr=$rate
        learns "$rule, lr $rate" -o $rule --lr $rate
        learns "$rule, linear-lr $rate" -o $rule --set linear-lr=$rate
        learns "$rule, lr $rate, saves often" -o $rule --lr $rate -b 16 --save-every 0
    done
    learns "accumulator $rate" --set accumulator=$rate
    learns "max-norm $rate" --max-norm $rate --norm-type 1e-3
    learns "max-norm $rate, inf" --max-norm $rate --norm-type inf
    case $rate in
    3e6 | *e[789] | *e[12]? | *e30) ;;
    *) trains "init-std $rate" -t 1 --dim 4 --order 3 --set init-std=$rate ;;
    esac
done
conclude "learning rates, accumulators and norms from 0 to 1e30, none leaves a number that is not finite"
# each OPTIONS NAME VALUES...: trains with each value of an option
each() {
    options=$1 option=$2
    shift 2
    for value in "$@"; do
        trains "$option $value" -t 2 --dim 3 $options "$option$value"
    done
}
dims="1 2 3 7 8 9 15 16 17 64 100 4095 4096"
[ -z "$dense" ] || dims="$(seq 130) $(seq 131 61 4096) 4096"
each "--order 2 -e 1" --dim= $dims
conclude "dim 1 to 4096"
each "" --order= $(seq 32)
conclude "order 1 to 32"
batches="1 2 3 7 100 239 240 241 1349 1350 1351 4096 1048576"
[ -z "$dense" ] || batches="$(seq 300) $(seq 301 13 1600) 65536 1048575 1048576"
each "-t 3 --order 3" --batch= $batches
conclude "batch 1 to larger than the text"
each "--order 3" --threads= 1 2 5 16 256
each "--order 3" --val= 0 1e-9 0.001 0.01 0.5 0.89 0.9
each "--order 3 -b 16 --set" evaluations= 1 2 7 1000
each "" --min-count= 1 2 3 1000 4294967295
each "" --max-rows= 0 1 2 100 1000000000
for order in 1 2 32; do
    each "--order $order" --rows= ngrams phrases echoes columns all ngrams,phrases,echoes,columns
done
trains "epochs end when nothing is learned" -t 1 --dim 1 --order 1 --epochs 1000000 --lr 10
conclude "threads, shares, evaluations, counts, kinds of rows"

# ---- a locale with decimal commas, and names with spaces ----
comma=$(locale -a 2> /dev/null | grep -i -m 1 -E '^(de|fr|it|es|pt|nl|ru|pl|sv)_.*utf')
if [ -n "$comma" ]; then
    for locale in C "$comma"; do LC_ALL=$locale run $locale $small --lr 0.05 $text; done
    same $out/C/model.safetensors $out/$comma/model.safetensors "decimal commas: the same bytes"
else
    ! grep -q setlocale ./*.c lib/*.c
    that $? "no program sets a locale: decimal commas cannot come in"
fi
mkdir "$out/a folder" && cp $text "$out/a folder/a text" &&
    ./train $small --out "$out/a folder/out put" "$out/a folder/a text" &&
    ./sample -s 1 --model "$out/a folder/out put/model.safetensors" > $said
that $? "names with spaces"
untouched "in the end"
