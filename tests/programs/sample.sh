#!/bin/sh
# Sampling: what is written never has a character that the training text lacks, begins as such a text
# begins, ends where it is asked to, and --next and --score say what the model computes.
. tests/programs/lib.sh
begin sample
program=sample

./train -q -t 1 --out $out/one data/text.txt
model="--model $out/one/model.safetensors"
# alike NAME OPTIONS OPTIONS: with both the same follows
alike() {
    ./sample $model $2 "The fox" > $out/a 2> $out/said
    ./sample $model $3 "The fox" > $out/b
    same $out/a $out/b "$1"
}
alike "the same seed samples the same text" "-s 5" "-s 5"
check "with a seed nothing is said" [ ! -s $out/said ]
alike "temperature 0 is top-k 1" "-s 1 -t 0" "-s 2 -k 1"
alike "temperature near 0 is temperature 0" "-s 1 -t 0" "-s 3 -t 0.0001"
alike "top-p 0 leaves the likeliest" "-s 1 -t 0" "-s 4 -p 0"
./sample $model "The fox" > $out/a 2> $out/said
./sample $model -s "$(tr -cd '0-9' < $out/said)" "The fox" > $out/b
same $out/a $out/b "the seed on standard error repeats the sample"
check "length 0 is the prompt" [ "$(./sample $model -s 1 -n 0 "The fox")" = "The fox" ]
check "length 1234 is 1234 characters and an end of line" [ "$(./sample $model -s 1 -n 1234 "" | wc -c)" -eq 1235 ]
(./sample $model -s 1 -n 1000000; echo $? > $out/status) 2> $out/said | head -c 100 > /dev/null
[ "$(cat $out/status)" -eq 0 ] && [ ! -s $out/said ]
that $? "a closed pipe ends sampling quietly" "status $(cat $out/status), $(cat $out/said)"

# prompts
printf 'The fox' > $out/prompt
./sample $model -s 5 "The fox" > $out/a
./sample $model -s 5 - < $out/prompt > $out/b
same $out/a $out/b "a prompt from standard input"
./sample $model -s 5 --prompt $out/prompt > $out/b
same $out/a $out/b "a prompt from a file"
check "a prompt that begins with a dash" [ "$(./sample $model -s 5 -n 0 -- "-- the fox")" = "-- the fox" ]
refuses 2 "two prompts" "two prompts" ./sample $model --prompt $out/prompt "The fox"
refuses 2 "--adapt without --score" "belong to --score" ./sample $model --adapt

# where it ends
./sample $model -s 1 -n 100000 --until '.\n\n' > $out/a
[ "$(tail -c 4 $out/a | od -An -c | tr -d ' ')" = '.\n\n\n' ] && [ "$(wc -c < $out/a)" -lt 50000 ]
that $? "--until ends with its text"
refuses 2 "--until with what is no character" "printable" ./sample $model --until "$(printf 'a\001')"
./sample $model -s 1 -t 0 -n 3000 > $out/a
./sample $model -s 1 -t 0 -n 3000 --no-repeat 20 > $out/b
# repeated FILE: how many strings of 20 characters stand in it twice or more
repeated() { awk 'BEGIN { RS = "\001" } { for (i = 1; i + 19 <= length; i++) if (++n[substr($0, i, 20)] == 2) r++ } END { print r + 0 }' "$1"; }
[ "$(repeated $out/a)" -gt 0 ] && [ "$(repeated $out/b)" -eq 0 ]
that $? "--no-repeat 20: no 20 characters twice" "$(repeated $out/b) of them"

# what comes next, and why: as README shows it; tests/unit/sampling.c has the numbers' definitions
./sample $model --next "the b" > $out/next
{ head -n 6 $out/next; sed -n '/^what/,$p' $out/next; } > $out/a
awk '/^    \$/ { shown = /--next "the b"/; next } !/^    / { shown = 0 }
    shown { print substr($0, 5) }' README.md > $out/b
same $out/a $out/b "--next shows what README shows: probabilities, and what the rows add to them"
check "--next shows twelve characters" [ "$(grep -c '%' $out/next)" -eq 12 ]
check "--next fits 80 columns" awk 'length > 80 { exit 1 }' $out/next
check "--next with an empty prompt: only linear.bias speaks" [ "$(./sample $model --next "" | sed -n '/^what/,$p' | wc -l)" -eq 3 ]

# learning while reading
plain=$(./sample $model --score data/text.txt --from 139873)
adapting=$(./sample $model --score data/text.txt --from 139873 --adapt)
check "a plain score is not marked" [ "$plain" = "${plain% adapting}" ]
check "a score that adapts is marked" [ "$adapting" != "${adapting% adapting}" ]
echo "$plain $adapting" | awk '{ exit !($4 - $12 > 0.0005) }'
that $? "rows that go on learning predict better" "$plain; $adapting"
check "adapting does not change the file" [ "$plain" = "$(./sample $model --score data/text.txt --from 139873)" ]
head -c 139905 data/text.txt > $out/text # one batch of 32 characters behind the training part
check "each character is scored before it is learned from" [ "$(./sample $model --score $out/text --from 139873)" = "$(./sample $model --score $out/text --from 139873 --adapt | sed 's/ adapting$//')" ]

# a sample has no character that the training text lacks, on texts of all sizes and kinds
# noise FOLDER TEXT: the characters of ten samples that are not in the text
noise() {
    for seed in 1 2 3 4 5 6 7 8 9 10; do ./sample --model "$1/model.safetensors" -s $seed -n 500 -t 1.5; done > "$1/samples"
    ./sample --model "$1/model.safetensors" -s 1 -n 500 "{~}" | tail -c +4 >> "$1/samples"
    { cat "$2"; echo; } | fold -w 1 | sort -u > "$1/have"
    fold -w 1 "$1/samples" | sort -u | comm -13 "$1/have" - | tr -d '\n'
}
for size in 300 1000 3000 10000; do
    head -c $size data/text.txt > $out/text
    run small -t 1 $out/text
    check "the first $size characters: a sample has no other" [ -z "$(noise $out/small $out/text)" ]
done
awk 'BEGIN { srand(1); for (i = 0; i < 300; i++) { s = ""; for (j = 0; j < 60; j++) s = s substr("ACGT", 1 + int(4 * rand()), 1); print s } }' > $out/text
run small -t 1 $out/text
check "four letters: a sample has no other" [ -z "$(noise $out/small $out/text)" ]
./sample --model $out/small/model.safetensors --next A | awk '/^what/ { exit } NR > 1 && NF && $1 !~ /^([ACGT]|\\n)$/ { exit 1 }'
that $? "--next shows only what may be drawn"

# finite numbers of 1e18 (another exponent) are no model's
head -c 3000 data/text.txt > $out/text
./train -q -t 1 --order 1 --dim 8 --out $out/absurd $out/text
adapting=$(./sample --model $out/absurd/model.safetensors --score data/text.txt --adapt)
echo "$adapting" | awk '{ exit !($4 < 2.15) }' # no model of characters comes below 2.3
that $? "n-grams that a model of characters lacks are learned while it reads" "$adapting"
tr '\075\275' '\135\335' < $out/absurd/model.safetensors > $out/absurd.safetensors
program=sample refuses 1 "--score says that a model of finite but absurd numbers is damaged" 'nats/char, where knowing nothing gives 4.6' ./sample --model $out/absurd.safetensors --score $out/text

# a sample without a prompt begins as such a text begins
for i in $(seq 500); do printf 'hello world '; done > $out/text
run small -t 1 $out/text
check "hello world begins with hello world" [ "$(./sample --model $out/small/model.safetensors -s 1 -n 35)" = "hello world hello world hello world" ]
tr -s ' \n' '\n' < data/text.txt | head -n 3000 > $out/text
run small -t 1 $out/text
for seed in 1 2 3 4 5; do ./sample --model $out/small/model.safetensors -s $seed -t 0.5 --until '\n'; done | grep -vc '^$' > $out/a
check "a list of words: a sample begins with a word" [ "$(cat $out/a)" -eq 5 ]

# rows that are longer than --max-norm are shortened when they are looked up
{ yes abcdef | head -n 200; yes 0123456789 | head -n 200; } > $out/halves
./train -q --order 1 --dim 8 --max-norm 0.5 --val 0.5 --epochs 1 --lr 0.5 --out $out/short $out/halves
sed 's/"max-norm":"0.5"/"max-norm":"0.0"/' $out/short/model.safetensors > $out/long.safetensors
score() { ./sample --model "$1" --score $out/halves; }
[ -n "$(score $out/long.safetensors)" ] &&
    [ "$(score $out/short/model.safetensors)" != "$(score $out/long.safetensors)" ]
that $? "--score looks rows up as training does: --max-norm shortens them"
