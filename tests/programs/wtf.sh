#!/bin/sh
# ./wtf: what it says, its exit status, bad input, colours, and that each of its sections can fail.
. tests/programs/lib.sh
begin wtf
program=wtf

./wtf > $out/said 2> $out/errors
status=$?
[ $status -eq 0 ] && [ ! -s $out/errors ] && ok "wtf ends with status 0" || bad "wtf ends with status $status: $(grep FAILS $out/said; cat $out/errors)"
if [ "$(grep -c '^[1-6]  ' $out/said)" -eq 6 ] && awk '/^[1-6]  /{if (section && !held) bad = 1; section++; held = 0} /^   holds/{held = 1} END{exit bad || !held}' $out/said; then
    ok "each of its six sections ends in a check that holds"
else
    bad "six sections with checks: $(grep -c '^[1-6]  ' $out/said) found"
fi
for number in 'Input Tensor Shape: \[1, 25\]' 'Output Tensor Shape: \[1, 25, 10\]' 'tensor(\[\[\[ 1.3851, -0.8138, -0.9276,  1.1120,  1.3352,  0.6043, -0.1034,$' \
    '^   Linear     -0.2608  0.7631 -0.7580$' '^   their sum  -0.2608  0.7631 -0.7580$'; do
    grep -q "$number" $out/said && ok "wtf prints $number" || bad "wtf does not print $number"
done
[ "$(wc -l < $out/said)" -le 170 ] && [ "$(awk 'length > 110' $out/said | wc -l)" -eq 0 ] && ok "a few screens, lines of at most 110 characters" || bad "it is too long or too wide"

# the page made of it: the same words and numbers, but for times and for what rounding leaves
varying='/nanoseconds/d; s/difference [-+.0-9e]*//; s/rounding: [-+.0-9e]*//'
sh docs/wtf.sh text | sed "$varying" > $out/page
sed "$varying" docs/wtf.md > $out/kept
cmp -s $out/page $out/kept && ok "docs/wtf.md is what wtf says" || bad "docs/wtf.md is not what wtf says: run docs/wtf.sh; $(diff $out/kept $out/page | sed -n 2p)"

# other strings, other seeds: everything that is printable
for string in a aaaa 'The quick brown fox jumps over the lazy dog' "$(printf 'tab\there\nand a line')" "$(head -c 3000 data/text.txt)" '--' '\'; do
    ./wtf -s 7 -- "$string" > $out/other 2>&1 && ok "wtf holds for a string of ${#string} characters" || bad "wtf for \"$string\": $(grep FAILS $out/other || tail -n 1 $out/other)"
done

# bad input
refuses 2 "an empty string" empty ./wtf ""
refuses 2 "a byte that is not printable" 'byte 4 \(0xc3\)' ./wtf "$(printf 'caf\303\251')"
refuses 2 "a control character" 'byte 1 \(0x01\)' ./wtf "$(printf '\001')"
refuses 2 "two strings" 'one argument too many' ./wtf a b
refuses 2 "an unknown option" 'unknown option' ./wtf --dim 3
./wtf --data $out/nowhere > $out/other 2> $out/errors
[ $? -eq 1 ] && [ "$(wc -l < $out/errors)" -eq 1 ] && ok "a folder that is not there: one clear line" || bad "a folder that is not there: $(cat $out/errors)"
mkdir -p $out/data
./wtf --data $out/data aab > $out/other && head -n 1 $out/data/steps.csv | grep -qx 'step,free,frozen' && [ "$(wc -l < $out/data/steps.csv)" -eq 102 ] &&
    loss=$(sed -n 's/^   loss  .* \([0-9.]*\)$/\1/p' $out/other) && awk -F, -v loss="$loss" 'END {exit !($1 == 100 && $2 - loss < 1e-4 && loss - $2 < 1e-4)}' $out/data/steps.csv &&
    ok "--data: the losses of 100 steps, the last as it is said" || bad "--data: $(tail -n 1 $out/data/steps.csv) but $loss is said"
before=$(sed -n "s/^   'a' before *//p" $out/other | tr -s ' ')
awk -F '\t' -v before="$before" 'NF != 22 || $2 != substr("ab", NR, 1) || $1 != NR + 9 {exit 1}
    NR == 1 {for (d = 3; d <= 12; d++) line = line (d > 3 ? " " : "") sprintf("%.4f", $d); if (line != before) exit 1}
    END {if (NR != 2) exit 1}' $out/data/rows.csv && ok "--data: the rows before and after, of each character that occurs" || bad "--data: rows.csv holds $(cut -c 1-80 $out/data/rows.csv | head -n 1)"
if [ -w /dev/full ]; then
    ln -sf /dev/full $out/data/rows.csv
    ./wtf --data $out/data a > $out/other 2> $out/errors
    [ $? -eq 1 ] && [ "$(wc -l < $out/errors)" -eq 1 ] && ok "--data into a full disk: one clear line" || bad "--data into a full disk: $(cat $out/errors)"
fi
if [ -w /dev/full ]; then
    ./wtf > /dev/full 2> $out/errors
    [ $? -eq 1 ] && [ "$(wc -l < $out/errors)" -eq 1 ] && ok "a full disk: one clear line" || bad "a full disk: $(cat $out/errors)"
fi

# the same of ./train --pretrained
printf '%1000s' '' | sed 's/ /ab cd\n/g' > $out/letters
printf '%1000s' '' | sed 's/ /01101/g' > $out/digits
./train -q --order 1 --out $out/letters.model $out/letters
./train -q --order 1 --dim 3 --out $out/other.model --pretrained $out/letters.model/model.safetensors $out/letters 2> $out/errors
[ $? -eq 1 ] && [ "$(wc -l < $out/errors)" -eq 1 ] && grep -q 'have 64 numbers, not 3' $out/errors && ok "--pretrained with other dimensions: one clear line" || bad "--pretrained with other dimensions: $(cat $out/errors)"
./train -q --order 1 --out $out/other.model --pretrained $out/letters.model/model.safetensors $out/digits 2> $out/errors
[ $? -eq 1 ] && [ "$(wc -l < $out/errors)" -eq 1 ] && grep -q 'no row in common' $out/errors && ok "--pretrained with no row in common: one clear line" || bad "--pretrained with no row in common: $(cat $out/errors)"

# colours
grep -q "$(printf '\033')" $out/said && bad "colours though it is no terminal" || ok "no colours where it is no terminal"
if has_terminal; then
    NO_COLOR='' terminal ./wtf > $out/other
    grep -q "$(printf '\033')" $out/other && ok "colours on a terminal" || bad "no colours on a terminal"
    NO_COLOR=1 terminal ./wtf > $out/other
    grep -q "$(printf '\033')" $out/other && bad "colours in spite of NO_COLOR" || ok "no colours with NO_COLOR"
else
    echo "skip colours: script is not here"
fi

# each section can fail: one line of what it runs is made wrong, and the section says so
build="${CC:-cc} -std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -pthread -w -O0"
root=$PWD
mkdir -p $out/objects
(cd $out/objects && $build -c "$root"/lib/*.c) || bad "the library does not compile with $build"
broken() { # section, file, what is wrong, sed command
    rm -rf $out/src
    mkdir -p $out/src/lib
    cp model.h wtf.c $out/src
    cp lib/*.[ch] $out/src/lib
    sed "$4" "$2" > $out/src/"$2"
    sources=$out/src/wtf.c objects=$out/objects/*.o
    case $2 in lib/*) # its object gives way to the broken one
        sources="$sources $out/src/$2"
        objects=$(ls $out/objects/*.o | grep -v "/$(basename "$2" .c).o")
    esac
    if cmp -s "$2" $out/src/"$2"; then
        bad "section $1: \"$4\" changes nothing in $2"
    elif ! $build -o $out/broken $sources $objects -lm; then
        bad "section $1: it does not compile with \"$4\""
    else
        $out/broken > $out/other 2>&1
        status=$?
        found=$(awk -v section="$1" '/^[1-6]  /{at = $1} /^   FAILS/ && at == section{found = 1} END{print found + 0}' $out/other)
        [ $status -eq 1 ] && [ "$found" -eq 1 ] && ok "section $1 fails when $3" || bad "section $1: $3, but status $status"
    fi
}
broken 1 lib/characters.c "two characters change places" 's/jklmnop/jkmlnop/'
broken 2 lib/random.c "the numbers are spread too widely" 's/return (float)(random_bits(random) & 0xffffffu)/return 0.5f * (float)(random_bits(random) \& 0xffffffu)/'
broken 3 wtf.c "a product lacks its last terms" 's/for (size_t c = 0; c < CHARACTERS; c++)$/for (size_t c = 0; c + 60 < CHARACTERS; c++)/'
broken 4 model.h "a gradient has the wrong sign" 's/p\[targets\[i\]\] -= share;/p[targets[i]] += share;/'
broken 4 model.h "a frozen embedding learns" 's/if (!optimizer->freeze_embedding)//'
broken 5 model.h "rows are subtracted" 's/h\[d\] += model/h[d] -= model/'
broken 6 wtf.c "pairs have no rows" 's/if (pairs) batch/if (0) batch/'
