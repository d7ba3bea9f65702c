#!/bin/sh
# Hard texts: too little, nothing to tell apart, nothing to learn, no lines, a validation part unlike the rest. Each run
# ends well, its numbers are finite, the model it leaves writes on, and the summary says what happened.
. tests/programs/lib.sh
begin hard_texts

# trained NAME TEXT OPTIONS...: a run, and what holds for all of them
trained() {
    name=$1 text=$2
    shift 2
    if ! ./train -t 1 --out "$out/$name" "$@" "$out/$text" 2> "$out/$name.said"; then bad "$name: $(tail -n 1 "$out/$name.said")"; return; fi
    if awk -F, 'NR > 1 && tolower($0) ~ /nan|inf/ { n++ } END { exit n > 0 }' "$out/$name/loss.csv" &&
        ! grep -E -i -w 'nan|-?inf' "$out/$name.said" > /dev/null; then ok "$name: all numbers are finite"; else bad "$name: a number is not finite"; fi
    loss=$(metadata "$out/$name/model.safetensors" val_loss) best=$(best "$out/$name")
    [ "$loss" = "$best" ]
    that $? "$name: the model has the log's best loss, $loss" "the log's best is $best"
    awk -v loss="$loss" '/^val / { close_to = ($2 - loss) ^ 2 < 1e-8 } END { exit !close_to }' "$out/$name.said"
    that $? "$name: the summary says it" "$(grep '^val ' "$out/$name.said")"
    [ "$(./sample --model "$out/$name/model.safetensors" -s 1 -n 200 2> /dev/null | tail -c 201 | wc -c)" -eq 201 ] && ok "$name: the model writes on" ||
        bad "$name: the model does not write on"
}
says() { grep -q -e "$1" "$out/$name.said" && ok "$name: says \"$1\"" || bad "$name: does not say \"$1\": $(grep -A 1 '^val  ' "$out/$name.said" | tr '\n' ' ')"; }
silent() { grep -q -e "$1" "$out/$name.said" && bad "$name: says \"$1\"" || ok "$name: does not say \"$1\""; }
below() { awk -v a="$loss" -v b="$1" 'BEGIN { exit !(a < b) }' && ok "$name: $loss is below $1" || bad "$name: $loss is not below $1"; }
pairs() { metadata "$out/$name/model.safetensors" conditional_entropy; }

head -c 5000 data/text.txt > $out/short
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "a" }' > $out/same
# A linear congruential generator's high bits: the same random text everywhere.
awk 'BEGIN { x = 1; for (i = 0; i < 30000; i++) { x = (x * 16807) % 2147483647; printf "%c", 32 + int(x / 2147483647 * 95) } }' > $out/random
tr '\n' ' ' < data/text.txt > $out/line
{ head -c 20000 data/text.txt; tail -c 3000 $out/random; } > $out/turn
printf 'abc' > $out/three
awk 'BEGIN { for (i = 0; i < 600; i++) printf "!?.,;:" }' > $out/marks

trained "5 KB" short
silent "no better than the frequencies of characters"
below "$(pairs)"

# small texts are trained in many small steps: a few hundred characters are better than their own frequencies
for size in 300 500 2000; do head -c $size data/text.txt > $out/first$size; done
trained "300 characters" first300
silent "too few steps"
below 3.6
trained "500 characters" first500
below 2.3
trained "2,000 characters" first2000
below 2.35

trained "one character over and over" same
says "one character over and over"
silent "no better than the frequencies"
below 0.001

trained "random characters" random --epochs 3
says "no better than the frequencies of characters"
says "it stopped learning"
below 4.61
trained "a rate that is too high" short --dim 4 --order 3 --lr 50
says "the learning rate is too high"
trained "random characters, order 1" random --order 1 --epochs 1
says "too few steps"

trained "a single line" line --dim 16
silent "no better than the frequencies of characters"
below "$(pairs)"

trained "a validation part unlike the rest" turn --dim 16
says "no better than the frequencies of characters"

trained "three characters" three
says "too few steps"
trained "rates of 0" three --lr 0 --set linear-lr=0
says " 0 moved"
silent "moved most"
says " are as they started"

# kinds of rows of which there is none
trained "no word, so no phrase" marks --dim 4 --rows phrases
trained "no phrase seen often enough" short --dim 4 --rows ngrams,phrases --min-count 4000
trained "no room for a phrase" short --dim 4 --rows ngrams,phrases --max-rows 1
