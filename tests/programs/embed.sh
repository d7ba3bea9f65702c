#!/bin/sh
# Protects ./embed: what it says of rows, computed again by awk from its exports; all 100 characters
# through every format and back; models where little is to be seen; bad input.
. tests/programs/lib.sh
begin embed
program=embed
embed() { ./embed --model $model "$@"; }
shows() { grep -q -- "$1" "${2:-$out/said}"; } # a pattern in a file
lacks() { ! shows "$@"; }
# says NAME PATTERN ARGUMENTS...: what ./embed says then holds the pattern
says() {
    said=$1 pattern=$2
    shift 2
    embed "$@" > $out/said 2>&1
    check "$said" shows "$pattern"
}
# awk that has that(), for checks of what it reads
reads() { awk -F '\t' 'function that(h, name) {print (h ? "ok " : "FAIL ") name}'"$@"; }
# A name with a quotation mark stands in quotation marks, in which two mean one.
unquoted() {
    awk -F '\t' -v OFS='\t' '/^"/ {sub(/^"/, "", $1); sub(/"$/, "", $1); gsub(/""/, "\"", $1)} 1'
}

# ---- a text of all 100 characters, each 20 times; \r is read as a line feed, so it is never seen
awk -v text=$out/text -v names=$out/names 'BEGIN {
    printable = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
        "!\"#$%&\047()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\013\014"
    for (i = 0; i < 2000; i++)
        printf "%s", substr(printable, (i * 37 + int(i / 100) * 11) % 100 + 1, 1) > text
    for (i = 1; i <= 94; i++) print substr(printable, i, 1) > names
    print "space\n\\t\n\\n\n\\r\n\\x0b\n\\x0c" > names
}'
grep -vxF '\r' $out/names > $out/seen
run all --dim 3 --order 3 --val 0.01 $out/text || bad "a model of all characters"
all=$out/all model=$out/all/model.safetensors
for format in tsv vec map; do embed export --format $format -n 2000 || bad "$format"; done > $out/said
embed report >> $out/said || bad "report"

sed 1d $all/metadata.tsv | cut -f 1 | unquoted > $out/row_names
head -n 100 $out/row_names > $out/found
same $out/found $out/names "metadata.tsv names the 100 characters"
reads 'NR == FNR {wrong += NF != 3; next} FNR == 1 {header = $0} {fields += NF; names += !seen[$1]++}
    END {that(NR - FNR > 1000, "most rows are exported, not only characters")
         that(header == "name\tkind\tcount", "metadata.tsv has several columns, so it has a header")
         that(fields == 3 * FNR, "only tabs separate in metadata.tsv")
         that(!wrong && FNR == NR - FNR + 1, "vectors.tsv: a line for each, dim numbers in it")
         that(names == FNR, "no two rows have one name")}' $all/vectors.tsv $all/metadata.tsv
rows=$(lines $all/vectors.tsv)
{ echo "$rows 3"; sed 's/ /\\x20/g' $out/row_names | paste - $all/vectors.tsv | tr '\t' ' '; } > $out/found
same $out/found $all/embedding.vec "embedding.vec: rows and dim, the same names, \\x20 in them, and numbers"

cut -f 7 $all/map.tsv | unquoted > $out/found
same $out/found $out/seen "map.tsv names the characters seen"
reads '{x[NR] = $5; y[NR] = $6; wrong += NF != 7 || $4 != NR - (NR < 98) || /nan\t|inf\t/}
    NR == 1 {l = r = $1; b = t = $2} {l = $1 < l ? $1 : l; r = $1 > r ? $1 : r}
    {b = $2 < b ? $2 : b; t = $2 > t ? $2 : t}
    END {for (i = 1; i <= NR; i++) for (j = 1; j < i; j++)
            covered += ((x[i] - x[j]) / (r - l) * 560) ^ 2 + ((y[i] - y[j]) / (t - b) * 380) ^ 2 < 400
         that(!wrong, "map.tsv: a place for each"); that(!covered, "and no mark on another")}' $all/map.tsv

if $python -c 'import pandas' 2> /dev/null; then
    $python - $all > $out/found << 'PYTHON'
import pandas, sys
read = lambda name, **o: pandas.read_csv(f"{sys.argv[1]}/{name}.tsv", sep="\t", keep_default_na=False, **o)
names = read("metadata").name
print(len(names), len(read("vectors", header=None)), len(read("map", header=None)))
print(*names, sep="\n")
PYTHON
    { echo "$rows $rows 99"; cat $out/row_names; } > $out/expected
    same $out/found $out/expected "pandas.read_csv reads every row of every TSV, and its name"
else
    echo "skip pandas: install python3-pandas"
fi

page=$all/report.html
text_of() { sed "s/<[^>]*>//g; s/&#34;/\"/g; s/&#39;/'/g; s/&#60;/</g; s/&#62;/>/g; s/&#38;/\&/g"; }
field() { sed -n "/<pre id=\"$1\"/,/<\/pre>/p" $page; }
check "report.html: every field of the page is filled in" lacks '{{\|}}}' $page
{ cat $all/loss.csv; echo; } > $out/expected
field log | text_of > $out/found
same $out/found $out/expected "it holds loss.csv"
if $python -c '' 2> /dev/null; then
    field data | text_of | $python -c 'import json, sys
data = json.load(sys.stdin)
assert data["dim"] == 3 and data["unit"] > 0 and len(data["counts"]) == len(data["moved"]) == 100
assert data["counts"].count(0) == data["moved"].count(0) == 1
assert all(len(s["rows"]) == 300 and max(map(abs, s["rows"])) <= 999 for s in data["snapshots"])
assert [s["step"] for s in data["snapshots"]] == sorted(s["step"] for s in data["snapshots"])'
    that $? "in the shape that docs/embed.md describes"
fi
sed '/^<style>/,/^<\/style>/d; /^<script>/,/^<\/script>/d' $page > $out/text_only
check "what must be escaped is" lacks '&[^a-z#]\|<[^a-z/!]' $out/text_only
tr -d '\n\t' < $page > $out/one_line
check "no control characters" lacks '[[:cntrl:]]' $out/one_line
grep -v 'createElementNS' $page > $out/text_only
check "nothing is fetched from anywhere" lacks 'src=\|href=\|@import\|url(\|https*:' $out/text_only

awk 'NR <= 100 || NR % 97 == 1' $out/row_names > $out/some
while IFS= read -r name; do embed row "$name" 2>&1 | head -n 1; done < $out/some > $out/said
sed 's/^row [0-9]*, //' $out/said > $out/found
same $out/found $out/some "row finds each of the 100 characters by its name, and others by theirs"
check "and says which row it is" \
    awk 'NR <= 100 && $2 + 0 != NR - 1 {exit 1} END {exit NR < 110}' $out/said

# ---- numbers, again from the exported ones (model of real text)

head -c 30000 data/text.txt > $out/prose
run prose_run --dim 5 --order 3 --rows ngrams $out/prose || bad "a model of prose"
model=$out/prose_run/model.safetensors
embed export -n 1000000 > /dev/null
sed 1d $out/prose_run/metadata.tsv | unquoted | paste - $out/prose_run/vectors.tsv > $out/rows
embed row e > $out/said
awk -F '\t' '$1 == "e" {printf "tensor([%8.4f,%8.4f,%8.4f,%8.4f,%8.4f])\n", $4, $5, $6, $7, $8
    printf "norm %.4f, seen ", sqrt($4 ^ 2 + $5 ^ 2 + $6 ^ 2 + $7 ^ 2 + $8 ^ 2)
    printf "%d,%03d times in training\n", $3 / 1000, $3 % 1000}' $out/rows > $out/expected
sed -n 's/, moved .*//; 2,3p' $out/said > $out/found
same $out/found $out/expected "row: the numbers, their norm, the count"
check "row: eight up, eight down" [ $(grep -c '^  .* [+-][0-9.]* *.* -[0-9.]*$' $out/said) -eq 8 ]

nearest() { # of one row among those of a kind: the name, the kind, options of ./embed near
    awk -F '\t' -v name="$1" -v kind="$2" '
        {norm = sqrt($4 ^ 2 + $5 ^ 2 + $6 ^ 2 + $7 ^ 2 + $8 ^ 2)}
        NR == FNR {if ($1 == name) for (d = 4; d <= 8; d++) own[d] = $d / norm; next}
        $1 != name && (kind == "any" || $2 == kind) && $3 > 0 {
            sum = 0; for (d = 4; d <= 8; d++) sum += own[d] * $d / norm; printf "%+.4f\n", sum}' \
        $out/rows $out/rows | sort -rg | head -n 6 > $out/expected
    embed near -n 6 $3 "$1" | sed -n '2,$s/^  \([+-][0-9.]*\) .*/\1/p' > $out/found
    same $out/found $out/expected "near $3 $1: the cosines of the nearest, $2"
}
nearest e characters
nearest '"th"' n-grams
nearest e any --any
[ "$(embed near e | wc -l)" -eq 13 ] && [ "$(embed near -n 1000000 e | wc -l)" -ge 30 ]
that $? "near: 12 rows, or as many as -n says"

# a text without a row: the sum of the rows in its bag, here those of b, "ab" and " ab"
embed near --any -n 1000000 "q ab" | awk '$2 == "a" {print $1}' > $out/found
reads 'NR == FNR {found = $1; next} {for (d = 4; d <= 8; d++) at[$1, d] = $d}
    END {for (d = 4; d <= 8; d++) {x = at["b", d] + at["\"ab\"", d] + at["\" ab\"", d]; y = at["a", d]
            xy += x * y; xx += x * x; yy += y * y}
         that((found - xy / sqrt(xx * yy)) ^ 2 < 4e-8, "near: the cosine with the sum of rows")}' \
    $out/found $out/rows
says "near: a text without a row is the sum of its rows" 'the sum for "qqqq"' near qqqq

# ---- whole texts

cosine() { embed compare "$1" "$2" | cut -d ' ' -f 2; }
one=$(cosine "the fox and the hen" "the hen") other=$(cosine "a hen ran away" "the fox ran away")
says "compare: a text with itself is 1" '^cosine +1.000000 ' compare "to be or not" "to be or not"
check "compare: either way round" [ "$one" = "$(cosine "the hen" "the fox and the hen")" ]
check "compare: not only the end counts" [ "$(cosine "the hen ran away" "the fox ran away")" != $other ]
printf 'the fox and the hen\tthe hen\nto be\tto be\r\n' > $out/pairs
printf '%s\n%s\n' "${one#+}" 1.000000 > $out/expected
embed compare --pairs $out/pairs > $out/found 2> $out/errors
same $out/found $out/expected "compare --pairs: a cosine for each line, the same as of two texts"
head -n 40 $out/prose > $out/lines
line=$(sed -n 17p $out/lines)
says "lines: a line of the file is nearest to itself" "^  +1.0000       17  $line$" lines $out/lines "$line"
embed lines $out/lines -n 3 "the hen" >> $out/said
embed lines $out/lines -n 40 "the hen" > $out/found
check "lines: ten, or as many as -n says" [ "$(lines $out/said) $(lines $out/found)" = "13 40" ]
check "lines: the nearest first" awk 'NR > 1 && $1 > last {exit 1} {last = $1}' $out/found
tr A-Z a-z < $out/prose > $out/small_letters
run small_run --dim 5 --order 3 $out/small_letters
model=$out/small_run/model.safetensors
says "compare: capitals that the training text lacks" '^cosine +1.000000 ' compare "The HEN" "the hen"
model=$out/prose_run/model.safetensors
if has taskset && taskset -c 0,1 true 2> /dev/null; then
    for threads in 0 0,1; do
        taskset -c $threads ./embed -m $model lines $out/prose "the hen" > $out/lines.$threads
    done
    same $out/lines.0 $out/lines.0,1 "lines: the same on one processor as on two"
else
    echo "skip threads of lines: there is one processor"
fi
printf 'a\tb\nno tab here\n' > $out/pairs
: > $out/nothing
refuses 1 "a pair without a tab" 'line 2 has no tab' embed compare --pairs $out/pairs
refuses 1 "no lines" 'nothing|empty|no lines' embed lines $out/nothing "a text"
refuses 2 "--pairs and two texts" 'compare takes 0 texts' embed compare --pairs $out/pairs a b

# ---- what moved, sizes

says "near: thousands are separated" ' seen [0-9],[0-9]* times$' near -n 30 e
says "and in the summary" '^trained .* 27,000 characters, epochs [0-9]*, batch [0-9]*, adagrad$'
embed export -n 1234 | tr -d , > $out/said
for path in $out/prose_run/vectors.tsv $out/prose_run/metadata.tsv; do
    check "export says what it wrote, and its size" shows "^$path: $(wc -c < $path) bytes$"
done
embed moved > $out/said
check "moved: 100 rows in order, exactly those at 0 that were never seen" awk '
    !/seen/ {next} NR > 2 && $2 > last || ($4 == "0") != ($2 == "0.0000") {exit 1}
    {last = $2; n++} END {exit n != 100}' $out/said
still=$(awk -F '\t' '$2 == "characters" && $3 == 0' $out/rows | wc -l)
check "moved: $still did not move by one bit" shows "^$still rows did not move by one bit$"
run frozen --dim 5 --order 3 --freeze-embedding $out/prose
run adopted --dim 5 --order 3 --pretrained $out/frozen/model.safetensors $out/prose
model=$out/frozen/model.safetensors
says "moved: a frozen embedding is exactly where the seed put it" '^100 rows did not move' moved
model=$out/adopted/model.safetensors
says "row: the start of a --pretrained run is not known" 'its start is not known' row a
refuses 1 "moved after --pretrained" 'not known' embed moved
embed report > $out/said
check "and report has no distances" lacks '^&#34;moved&#34;' $out/adopted/report.html

# ---- where little is to be seen, or too much

model=$out/small/model.safetensors
narrow() { ! sed '/^file /d' $out/said | grep -q '.\{81\}'; }
for run in "--dim 1" "--dim 2" "--order 1 --dim 10" "--dim 3 --order 1"; do
    run small $run $out/prose || bad "train $run"
    for verb in "" "row a" "near a" "near zq" "moved" "compare ab ba" "lines $out/prose ab" \
        "export" "export --format map" "report"; do
        embed $verb > $out/said 2>&1 && lacks '[Nn]a[Nn]\|[^a-z]inf[^a-z]' $out/said && narrow ||
            bad "$run: embed $verb: $(tail -n 1 $out/said)"
    done
    sed -n '/<pre id="data"/,/<\/pre>/p' $out/small/report.html > $out/found
    check "$run: every verb has something to say" lacks 'nan\|inf' $out/found
done
model=$out/prose_run/model.safetensors
says "without a verb, the verbs are named" '^verbs *row, near, moved, .*, export, report; see --help$'
narrow && lacks "$(printf '\033')"
that $? "piped: 80 columns, no colours"
sed -n '/^map/,$p' $out/said > $out/found
for c in a e T , '\\n' space; do check "the map shows $c" shows "$c" $out/found; done
if has_terminal; then
    for columns in 40 120 300; do
        terminal "stty cols $columns; ./embed --model $model moved" | tr -d '\r' | grep seen |
            awk '{if (length > l) l = length} END {print l}' > $out/found
        most=$((columns < 160 ? columns : 160)) wide=$(cat $out/found)
        check "on a terminal of $columns columns moved is as wide" \
            [ "$wide" -le $most -a "$wide" -ge $((most - 20)) ]
    done
else
    echo "skip a terminal's width: script is not here"
fi

# the same file with other words in its metadata, of the same length
changed() { # name, from, to
    model=$out/$1.safetensors
    sed "s|$2|$3|" $out/prose_run/model.safetensors > $model
    [ "$(wc -c < $model)" -eq "$(wc -c < $out/prose_run/model.safetensors)" ] && return
    echo "skip $1: this sed is only for text"
    return 1
}
loss=$(metadata $model val_loss)
if changed uncounted '"counts":' '"countz":'; then
    says "a model without counts: the map shows all characters" '^map of the 100 characters'
    says "and no count is invented" 'seen 0 times' row e
fi
if changed html "\"$loss\"" '"<img/x=>"'; then
    embed report --out $out/html > $out/said
    lacks '<img' $out/html/report.html && shows '&#60;img/x=&#62; nats' $out/html/report.html
    that $? "report: what the file says is text, never an element"
fi
if changed escape "\"$loss\"" '"\\u001b[1"'; then
    says "embed: nor a command to the terminal" '^validation  ?\[1 nats'
    check "in no line" lacks "$(printf '\033')"
fi

# a name that no page and no terminal should see as it is
odd="$out/$(printf 'bell\007escape\033del\177cut\342')"
cp $all/model.safetensors "$odd"
run odd --dim 3 --order 3 --pretrained "$odd" $out/prose
model=$out/odd/model.safetensors
embed report > $out/said
tr -d '\n\t' < $out/odd/report.html > $out/one_line
lacks '[[:cntrl:]]' $out/one_line && grep -qF 'bell\x07escape\x1bdel\x7fcut\xe2' $out/odd/report.html
that $? "report: no control characters of a file's name"

mkdir -p $out/alone
cp $all/model.safetensors $out/alone
model=$out/alone/model.safetensors page=$out/alone/report.html
embed report > $out/said
check "report of a model alone: one moment, the rows as they are" \
    [ "$(grep -c '&#34;step&#34;' $page)" -eq 1 ]
cp $all/snapshots.safetensors $out/alone
{ head -n 2 $all/loss.csv; echo '5,0.5,90,nan,inf,1,0.1,1'; echo '6,0.6,100,1e300,1e300,1,0.1,1'
  echo '7,0.7,110,-5,70,1,0.1,1'; } > $out/alone/loss.csv
embed report > $out/said
field data > $out/found
[ "$(wc -c < $page)" -lt 300000 ] && lacks 'nan\|inf' $out/found
that $? "report of a run that diverged"
head -c 100 $all/snapshots.safetensors > $out/alone/snapshots.safetensors
embed report > $out/said 2> $out/errors && [ "$(lines $out/errors)" -eq 1 ] &&
    shows 'snapshots.safetensors: is not used' $out/errors
that $? "damaged snapshots: one clear line, and the page without them" "$(cat $out/errors)"

# ---- bad input

model=$out/prose_run/model.safetensors
refuses 1 "an n-gram without a row" 'has no row .*; embed --model .* near zqzq' embed row zqzq
refuses 1 "a name with blanks without a row" "; embed --model $model near 'no such row'" \
    embed row "no such row"
for count in 0 -1 x 1.5 '' 1000000001; do
    refuses 2 "near: $count rows" "--count: \"$count\" is not a whole number from 1" \
        embed near e -n "$count"
done
while IFS='|' read -r status name words arguments; do
    eval "refuses $status \"$name\" '$words' embed $arguments"
done << 'END'
2|export of no rows|not a whole number from 1|export -n 0
2|an option of another verb|--format does nothing for near|near e --format vec
2|an option that no verb is given for|--count does nothing for embed without a verb|-n 5
2|a folder of no name|--out: its value is empty: give DIR|export --out ''
2|a model of no name|--model: its value is empty: give FILE|--model ''
2|a character that is none|U\+0001 is nothing in ASCII|near "$(printf '\001')"
1|a code that is none|none of the 100|near '\x01'
1|nothing|nothing in it|near ''
2|a verb that is none|is no verb; see --help|look
2|a mistyped verb|did you mean report|repot
2|a text too few|row takes 1 text after it|row
2|a text too many|moved takes 0 texts after it|moved a
2|a format that is none|none of tsv|export --format xml
1|a folder that cannot be made|cannot be made|export --out $out/no/such
1|a folder that cannot be made, for the page|cannot be made|report --out $out/no/such
1|a file that is no model|is not a model|--model $out/prose
1|no file|no/such|--model $out/no/such
END
check "a letter beyond ASCII is the one that a reader would write" \
    [ "$(embed near "$(printf '\303\251')")" = "$(embed near e)" ]
embed export --format map --out $out/new > $out/said
check "export makes the folder" [ -s $out/new/map.tsv ]
[ ! -c /dev/full ] || refuses 1 "a full disk: one clear line" 'cannot be written' \
    sh -c "./embed --model $model moved > /dev/full"
./embed --help > $out/said
for verb in "row a" 'near "the "' moved 'compare "to be" "or not"' "export --format" report; do
    check "--help has an example of $verb" shows "embed $verb" $out/said
done
finish
