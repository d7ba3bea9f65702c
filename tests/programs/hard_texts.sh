#!/bin/sh
# Hard texts: too little, nothing to tell apart, nothing to learn, no lines, a validation part unlike the rest. Each run
# ends well, its numbers are finite, the model it leaves writes on, and the summary says what happened.
. tests/programs/lib.sh
begin hard_texts

# trained NAME TEXT OPTIONS...: a run, and what holds for all of them
trained() {
    name=$1 text=$2 run=$out/$1
    shift 2
    if ! ./train -t 1 --out "$run" "$@" "$out/$text" 2> "$run.said"; then bad "$name: $(tail -n 1 "$run.said")"; return; fi
    loss=$(metadata "$run/model.safetensors" val_loss)
    ! { sed 1d "$run/loss.csv" | grep -i -E 'nan|inf' || grep -i -w -E 'nan|-?inf' "$run.said"; } > $out/odd
    that $? "$name: all numbers are finite" "$(head -n 1 $out/odd)"
    check "$name: the model has the log's best loss, $loss" [ "$loss" = "$(best "$run")" ]
    check "$name: the summary says it" awk -v loss="$loss" '/^val / { near = ($2 - loss) ^ 2 < 1e-8 } END { exit !near }' "$run.said"
    ./sample --model "$run/model.safetensors" -s 1 -n 200 2> /dev/null | tail -c 201 > $out/sample
    check "$name: the model writes on" [ "$(wc -c < $out/sample)" -eq 201 ]
}
says() { check "$name: says \"$1\"" grep -q -e "$1" "$out/$name.said"; }
silent() { ! grep -q -e "$1" "$out/$name.said"; that $? "$name: does not say \"$1\""; }
below() { check "$name: $loss is below $1" awk -v a="$loss" -v b="$1" 'BEGIN { exit !(a < b) }'; }
pairs() { metadata "$out/$name/model.safetensors" conditional_entropy; }
frequencies="no better than the frequencies of characters"

for size in 300 500 2000 5000; do head -c $size data/text.txt > $out/$size; done
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "a" }' > $out/same
# A linear congruential generator's high bits: the same random text everywhere.
awk 'BEGIN { x = 1; for (i = 0; i < 30000; i++) { x = (x * 16807) % 2147483647; printf "%c", 32 + int(x / 2147483647 * 95) } }' > $out/random
tr '\n' ' ' < data/text.txt > $out/line
{ head -c 20000 data/text.txt; tail -c 3000 $out/random; } > $out/turn
printf 'abc' > $out/three
awk 'BEGIN { for (i = 0; i < 600; i++) printf "!?.,;:" }' > $out/marks

trained "5 KB" 5000; silent "$frequencies"; below "$(pairs)"

# small texts are trained in many small steps: a few hundred characters are better than their own frequencies
trained "300 characters" 300; silent "too few steps"; below 3.6
trained "500 characters" 500; below 2.3
trained "2,000 characters" 2000; below 2.35

trained "one character over and over" same
says "one character over and over"; silent "no better than the frequencies"; below 0.001

trained "random characters" random --epochs 3; says "$frequencies"; says "it stopped learning"; below 4.61
trained "a rate that is too high" 5000 --dim 4 --order 3 --lr 50; says "the learning rate is too high"
trained "random characters, order 1" random --order 1 --epochs 1; says "too few steps"
trained "a single line" line --dim 16; silent "$frequencies"; below "$(pairs)"
trained "a validation part unlike the rest" turn --dim 16; says "$frequencies"
trained "three characters" three; says "too few steps"
trained "rates of 0" three --lr 0 --set linear-lr=0; says " 0 moved"; silent "moved most"; says " are as they started"

# kinds of rows of which there is none
trained "no word, so no phrase" marks --dim 4 --rows phrases
trained "no phrase seen often enough" 5000 --dim 4 --rows ngrams,phrases --min-count 4000
trained "no room for a phrase" 5000 --dim 4 --rows ngrams,phrases --max-rows 1
finish
