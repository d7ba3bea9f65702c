#!/bin/sh
# Texts as people have them: in any encoding and with any line ends the same characters are trained on; prompts and texts to
# score are read by the same rules.
. tests/programs/lib.sh
begin texts

# like NAME FILE WORDS: a small run with the ASCII text's characters, which says WORDS (grep -E), or nothing for ""
like() {
    ./train -t 1 --dim 4 --order 2 --out "$out/run" "$2" 2> "$out/said" || { bad "$1: $(tail -n 1 "$out/said")"; return; }
    line=$(grep '^train: ' "$out/said")
    if [ -z "$3" ]; then [ -z "$line" ]; else echo "$line" | grep -q -E "$3"; fi
    that $? "$1: says \"$3\"" "$line"
    fingerprint=$(metadata "$out/run/model.safetensors" text_fingerprint)
    check "$1: the same characters" [ "$fingerprint" = "${ascii:=$fingerprint}" ]
}

# bytes in octal: e acute, u umlaut, sharp s, a curly apostrophe, a dash, an ellipsis
for i in $(awk 'BEGIN { for (i = 0; i < 40; i++) print i }'); do
    printf "Cafe no. $i: Strasse, uber; it's -- well... so\n" >> $out/ascii
    printf "Caf\303\251 no. $i: Stra\303\237e, \303\274ber; it\342\200\231s \342\200\224 well\342\200\246 so\n" >> $out/utf8
    printf "Caf\351 no. $i: Stra\337e, \374ber; it\222s \227 well\205 so\n" >> $out/windows
    printf "Cafe\314\201 no. $i: Strasse, u\314\210ber; it's -- well... so\n" >> $out/combining
done
{ printf '\357\273\277'; cat $out/utf8; } > $out/mark
tr '\n' '\r' < $out/utf8 > $out/cr
awk '{ printf "%s\r\n", $0 }' $out/utf8 > $out/crlf
awk '{ printf "%s\342\200\250", $0 }' $out/utf8 > $out/separator
like "ASCII" $out/ascii ""
like "UTF-8" $out/utf8 "240 characters beyond ASCII .letters, quotes, dashes, spaces. became ASCII"
like "UTF-8 with a mark" $out/mark "read as UTF-8 with a byte order mark; 240 characters"
like "Windows-1252" $out/windows "read 240 bytes .not UTF-8. as Windows-1252; 240 characters beyond ASCII"
like "marks that combine" $out/combining "80 characters"
like "lone CR" $out/cr "40 line ends"
like "CR LF" $out/crlf "40 line ends"
like "line separators" $out/separator "40 line ends"
for order in LE BE; do
    for text in utf8 mark; do
        has iconv || { echo "skip UTF-16: there is no iconv"; break 2; }
        iconv -f UTF-8 -t UTF-16$order $out/$text > $out/utf16
        like "UTF-16$order of $text" $out/utf16 "read as UTF-16, .*; 240 characters"
    done
done
like "from standard input" - "240 characters" < $out/utf8

# prompts and scores
sample() { ./sample --model $out/run/model.safetensors -s 1 -n 0 "$@" 2> /dev/null; }
check "a prompt with a curly apostrophe" [ "$(sample "$(printf 'it\342\200\231s \303\274ber')")" = "it's uber" ]
check "a prompt with CR LF" [ "$(sample "$(printf 'The end.\r\nSo')" | od -An -c | tr -d ' \n')" = 'Theend.\nSo\n' ]
for text in ascii utf8 windows crlf; do sample --score $out/$text; done | sort -u > $out/scores
check "scores are those of the same characters" [ "$(wc -l < $out/scores)" -eq 1 ]
finish
