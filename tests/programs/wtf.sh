#!/bin/sh
# Protects ./wtf: that it holds for any string and seed, its numbers, options, bad input, colours, docs/wtf.md.
# tests/mutate --tests ./wtf breaks model.h line by line; tests/slow/wtf.py compares with PyTorch.
. tests/programs/lib.sh
begin wtf
program=wtf

./wtf > $out/said 2> $out/errors && [ ! -s $out/errors ]
that $? "wtf ends with status 0" "$(grep FAILS $out/said; cat $out/errors)"
awk '/^[1-9]  / {bad += section++ > 0 && !held; held = 0} /^   holds/ {held = 1}
    END {exit bad || !held || section != 9}' $out/said
that $? "each of its nine sections has checks that hold"
while IFS= read -r words; do
    tr -s ' ' < $out/said | grep -q -- "$words"
    that $? "wtf prints $words"
done << 'END'
Input Tensor Shape: \[1, 25\]
^ m b e d d i n g space d o ?$
^ 22 11 14 13 13 18 23 16 94 13 24 82$
Output Tensor Shape: \[1, 25, 10\]
tensor(\[\[\[ 1.3851, -0.8138, -0.9276, 1.1120, 1.3352, 0.6043, -0.1034,$
'T' follows, p = 0.0046
Not below 0.4855
^ loss .* 1.5251 0.5018$
^ loss, rows frozen .* 1.6736 0.5701$
^ 'n' after 'n': counted 0.3333, learned p = 0.33
^ Linear -0.2608 0.7631 -0.7580$
^ their sum -0.2608 0.7631 -0.7580$
rows frozen 3.02
rows learn 2.48
END
fits() { [ "$(lines "$1")" -le "$2" ] && ! grep -q '.\{81\}' "$1"; }
check "a few screens, lines of at most 80 characters" fits $out/said 300
sh docs/wtf.sh text > $out/page
same $out/page docs/wtf.md "docs/wtf.md is what wtf says"

# other strings, other seeds: everything that is printable
for string in a aaaa ' begins with a space' 'The quick brown fox jumps over the lazy dog' \
    "$(printf 'tab\there\nand a line')" "$(head -c 3000 data/text.txt)" '\' 7; do
    ./wtf -s 7 1 "$string" > $out/other 2>&1 && fits $out/other 30 &&
        ./wtf -s 7 -- "$string " > $out/other 2>&1 && fits $out/other 300
    that $? "wtf holds, and is no longer, for a string of ${#string} characters" \
        "$(grep FAILS $out/other || grep '.\{81\}' $out/other || tail -n 1 $out/other)"
done
./wtf 1 ' ab' > $out/other
grep -q '^   space     a     b$' $out/other && grep -q '^      94    10    11$' $out/other
that $? "columns line up when the string begins with a space" "$(cat $out/other)"

# sections and pauses
section() { awk '/^4  /,/^[5A]/' "$1" | grep -v '^[5A]'; }
./wtf 4 > $out/other
section $out/other > $out/alone
section $out/said > $out/section
same $out/alone $out/section "wtf 4 shows section 4"
check "and no other" [ "$(grep -c '^[1-9]  ' $out/other)" -eq 1 ]
pauses() { grep -c 'Press Enter' $out/other; }
yes '' | head -n 8 | ./wtf --pause > $out/other && [ "$(pauses)" -eq 8 ]
that $? "--pause waits between the sections" "$(pauses) times"
./wtf --pause < /dev/null > $out/other
that $? "--pause without anybody to press Enter goes on"
mkdir -p $out/elsewhere
(cd $out/elsewhere && "$OLDPWD/wtf" > ../other) && grep -q 'data/text.txt is not here' $out/other
that $? "without data/text.txt, section 8 says so" "$(tail -n 3 $out/other)"

# bad input
refuses 2 "an empty string" empty ./wtf ""
refuses 2 "three words" 'one argument too many' ./wtf 1 a b
refuses 2 "a section that is none" 'not a section' ./wtf a b
refuses 2 "an unknown option" 'unknown option' ./wtf --dim 3
refuses 2 "a character that is nothing in ASCII" 'nothing in ASCII' ./wtf "$(printf '\346\227\245')"
refuses 2 "a control character" 'U\+0001' ./wtf "$(printf 'a\001')"
./wtf 1 "$(printf '\342\200\234caf\303\251\342\200\235')" > $out/other
check "quotes and letters beyond ASCII become ASCII" \
    grep -q '^ *"     c     a     f     e     "$' $out/other
[ ! -w /dev/full ] ||
    refuses 1 "a full disk: one clear line" 'cannot be written' sh -c './wtf > /dev/full'

# --pretrained takes rows only where they fit
printf '%1000s' '' | sed 's/ /ab cd\n/g' > $out/letters
printf '%1000s' '' | sed 's/ /01101/g' > $out/digits
program=train
run() { ./train -q --order 1 --out $out/other.model --pretrained $out/letters.model/model.safetensors "$@"; }
./train -q --order 1 --out $out/letters.model $out/letters
refuses 1 "--pretrained with other dimensions" 'have [0-9]+ numbers, not 3' run --dim 3 $out/letters
refuses 1 "--pretrained with no row in common" 'no row in common' run $out/digits

# colours
colours() { grep -c "$(printf '\033')" $1; }
check "no colours where it is no terminal" [ "$(colours $out/said)" -eq 0 ]
if has_terminal; then
    NO_COLOR='' terminal ./wtf > $out/other
    check "colours on a terminal" [ "$(colours $out/other)" -gt 0 ]
    NO_COLOR=1 terminal ./wtf > $out/other
    check "no colours with NO_COLOR" [ "$(colours $out/other)" -eq 0 ]
else
    echo "skip colours: script is not here"
fi
finish
