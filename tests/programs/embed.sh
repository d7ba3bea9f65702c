#!/bin/sh
# ./embed: what it says of rows, computed again by awk from its exports; all 100 characters through every format and back;
# models where little is to be seen; bad input.
. tests/programs/lib.sh
begin embed
program=embed

# a text of all 100 characters, each 20 times, and their names; \r is read as a line feed, so it is never seen
awk 'BEGIN {
    printable = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&\047()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\013\014"
    for (i = 0; i < 2000; i++) printf "%s", substr(printable, (i * 37 + int(i / 100) * 11) % 100 + 1, 1) > "'$out/text'"
    for (i = 1; i <= 94; i++) print substr(printable, i, 1) > "'$out/names'"
    print "space\n\\t\n\\n\n\\r\n\\x0b\n\\x0c" > "'$out/names'"
}'
grep -vxF '\r' $out/names > $out/seen
./train -q --dim 3 --order 3 --val 0.01 --out $out/all $out/text || bad "a model of all characters"
embed() { ./embed --model $out/all/model.safetensors "$@"; }
for format in tsv vec map; do embed export --format $format -n 2000 > $out/said || bad "export --format $format: $(cat $out/said)"; done
embed report > $out/said || bad "report"
tab=$(printf '\t')
rows=$(wc -l < $out/all/vectors.tsv)
[ "$rows" -ge 1000 ]; that $? "most rows are exported, not only characters" "$rows rows"

# ---- all 100 characters, there and back

# a name with a quotation mark stands in quotation marks, in which two mean one, as readers of TSV expect
unquoted() { sed 's/^"\(.*\)"$/\1/; s/""/"/g'; }
sed 1d $out/all/metadata.tsv | cut -f 1 | unquoted > $out/row_names
head -n 100 $out/row_names > $out/found
same $out/found $out/names "metadata.tsv names the 100 characters"
head -n 1 $out/all/metadata.tsv | grep -qx "name${tab}kind${tab}count"; that $? "metadata.tsv has several columns, so it has a header"
awk -F '\t' 'NF != 3' $out/all/metadata.tsv | grep -q .; [ $? -eq 1 ]; that $? "only tabs separate in metadata.tsv"
awk -F '\t' -v rows="$rows" 'NF != 3 {wrong = 1} END {exit wrong}' $out/all/vectors.tsv && [ "$(wc -l < $out/all/metadata.tsv)" -eq $((rows + 1)) ]
that $? "vectors.tsv: as many lines as metadata.tsv has names, dim numbers in each"
[ "$(sort $out/row_names | uniq -d | wc -l)" -eq 0 ]; that $? "no two rows have one name" "$(sort $out/row_names | uniq -d | head -n 3)"

head -n 1 $out/all/embedding.vec | grep -qx "$rows 3"; that $? "embedding.vec begins with rows and dim"
sed 1d $out/all/embedding.vec | awk -F ' ' 'NF != 4 || /\t/ || gsub(/ /, " ") != 3 {wrong = 1} END {exit wrong}'; that $? "embedding.vec: no name holds white space"
sed 1d $out/all/embedding.vec | cut -d ' ' -f 1 | sed 's/\\x20/ /g' > $out/found
same $out/found $out/row_names "embedding.vec names the same rows, \\x20 for a space"
sed 1d $out/all/embedding.vec | cut -d ' ' -f 2- | tr ' ' '\t' > $out/found
same $out/found $out/all/vectors.tsv "and holds the same numbers"

cut -f 7 $out/all/map.tsv | unquoted > $out/found
same $out/found $out/seen "map.tsv names the characters seen"
awk -F '\t' 'NF != 7 || $4 != NR - (NR < 98) || $1 "" $2 "" $5 "" $6 ~ /nan|inf/ {wrong = 1} END {exit wrong}' $out/all/map.tsv; that $? "map.tsv: a place for each"
awk -F '\t' '{x[NR] = $5; y[NR] = $6; if (NR == 1 || $1 < l) l = $1; if (NR == 1 || $1 > r) r = $1; if (NR == 1 || $2 < b) b = $2; if (NR == 1 || $2 > t) t = $2}
    END {for (i = 1; i <= NR; i++) for (j = 1; j < i; j++) if (((x[i] - x[j]) / (r - l) * 560) ^ 2 + ((y[i] - y[j]) / (t - b) * 380) ^ 2 < 400) exit 1}' $out/all/map.tsv
that $? "and no mark on another"

if $python -c 'import pandas' 2> /dev/null; then
    $python - $out/all << 'PYTHON' > $out/found
import pandas, sys
folder = sys.argv[1]
metadata = pandas.read_csv(f"{folder}/metadata.tsv", sep="\t", keep_default_na=False)
vectors = pandas.read_csv(f"{folder}/vectors.tsv", sep="\t", header=None)
marks = pandas.read_csv(f"{folder}/map.tsv", sep="\t", header=None, keep_default_na=False)
print(len(metadata), len(vectors), len(marks))
print(*metadata.name, sep="\n")
PYTHON
    { echo "$rows $rows 99"; cat $out/row_names; } > $out/expected
    same $out/found $out/expected "pandas.read_csv reads every row of every TSV, and its name"
else
    echo "skip pandas: install python3-pandas"
fi

page=$out/all/report.html
grep -q '{{\|}}}' $page; [ $? -eq 1 ]; that $? "report.html: every field of the page is filled in" "$(grep '{{' $page)"
text_of() { sed 's/<[^>]*>//g; s/&#34;/"/g; s/&#39;/'"'"'/g; s/&#60;/</g; s/&#62;/>/g; s/&#38;/\&/g'; }
field() { sed -n "/<pre id=\"$1\"/,/<\/pre>/p" $page | text_of; }
{ cat $out/all/loss.csv; echo; } > $out/expected
field log > $out/found
same $out/found $out/expected "it holds loss.csv"
if $python -c '' 2> /dev/null; then
    field data | $python -c 'import json, sys
data = json.load(sys.stdin)
assert data["dim"] == 3 and data["unit"] > 0 and len(data["counts"]) == len(data["moved"]) == 100
assert data["counts"].count(0) == data["moved"].count(0) == 1
assert all(len(s["rows"]) == 300 and max(map(abs, s["rows"])) <= 999 for s in data["snapshots"])
assert [s["step"] for s in data["snapshots"]] == sorted(s["step"] for s in data["snapshots"])'
    that $? "in the shape that docs/embed.md describes"
fi
sed '/^<style>/,/^<\/style>/d; /^<script>/,/^<\/script>/d' $page | grep -q '&[^a-z#]\|<[^a-z/!]'; [ $? -eq 1 ]; that $? "what must be escaped is"
tr -d '\n\t' < $page | grep -q '[[:cntrl:]]'; [ $? -eq 1 ]; that $? "no control characters"
grep -v 'createElementNS' $page | grep -q 'src=\|href=\|@import\|url(\|https*:'; [ $? -eq 1 ]; that $? "nothing is fetched from anywhere"

id=0
while IFS= read -r name; do
    embed row "$name" > $out/said 2>&1 && [ "$(head -n 1 $out/said)" = "row $id, $name" ] || { bad "row $name: $(head -n 1 $out/said)"; break; }
    id=$((id + 1))
done < $out/names
[ $id -eq 100 ]; that $? "row finds each of the 100 characters by its name"
sed -n '101,2000p' $out/row_names | awk 'NR % 97 == 1' > $out/some
while IFS= read -r name; do
    embed row "$name" > $out/said 2>&1 && [ "$(head -n 1 $out/said | sed 's/^row [0-9]*, //')" = "$name" ] || bad "row $name: $(head -n 1 $out/said)"
done < $out/some
[ "$(wc -l < $out/some)" -ge 10 ]; that $? "and others by theirs"

# ---- numbers, again from the exported ones (model of real text)

head -c 30000 data/text.txt > $out/prose
./train -q --dim 5 --order 3 --rows ngrams --out $out/prose_run $out/prose || bad "a model of prose"
embed() { ./embed --model $out/prose_run/model.safetensors "$@"; }
embed export -n 1000000 > /dev/null
unquoted_names() { awk -F '\t' -v OFS='\t' '/^"/ { sub(/^"/, "", $1); sub(/"$/, "", $1); gsub(/""/, "\"", $1) } { print }'; }
sed 1d $out/prose_run/metadata.tsv | unquoted_names | paste - $out/prose_run/vectors.tsv > $out/rows

embed row e > $out/said
awk -F '\t' '$1 == "e" {printf "tensor([%8.4f,%8.4f,%8.4f,%8.4f,%8.4f])\n", $4, $5, $6, $7, $8
    printf "norm %.4f, seen %s times in training\n", sqrt($4 ^ 2 + $5 ^ 2 + $6 ^ 2 + $7 ^ 2 + $8 ^ 2), grouped($3)}
    function grouped(n) {return n < 1000 ? n : grouped(int(n / 1000)) "," sprintf("%03d", n % 1000)}' $out/rows > $out/expected
sed -n 's/, moved .*//; 2,3p' $out/said > $out/found
same $out/found $out/expected "row: the numbers, their norm, the count"
[ "$(grep -c '^  .* [+-][0-9.]* *.* -[0-9.]*$' $out/said)" -eq 8 ]; that $? "row: eight characters up, eight down"

nearest() { # of one row among those of a kind: the name, the kind
    awk -F '\t' -v name="$1" -v kind="$2" '
        {norm = sqrt($4 ^ 2 + $5 ^ 2 + $6 ^ 2 + $7 ^ 2 + $8 ^ 2)}
        NR == FNR {if ($1 == name) for (d = 4; d <= 8; d++) own[d] = $d / norm; next}
        $1 != name && (kind == "any" || $2 == kind) && $3 > 0 {sum = 0; for (d = 4; d <= 8; d++) sum += own[d] * $d / norm; printf "%+.4f\n", sum}' $out/rows $out/rows | sort -rg | head -n 6
}
for name in e '"th"'; do
    kind=characters
    [ "$name" = e ] || kind=n-grams
    nearest "$name" $kind > $out/expected
    embed near -n 6 "$name" | sed -n '2,$s/^  \([+-][0-9.]*\) .*/\1/p' > $out/found
    same $out/found $out/expected "near $name: the cosines of the nearest $kind"
done
nearest e any > $out/expected
embed near -n 6 --any e | sed -n '2,$s/^  \([+-][0-9.]*\) .*/\1/p' > $out/found
same $out/found $out/expected "near --any e: among all rows"
[ "$(embed near e | wc -l)" -eq 13 ] && [ "$(embed near -n 1000000 e | wc -l)" -ge 30 ]; that $? "near: 12 rows, or as many as -n says"

# a text without a row: the sum of the rows in its bag, here those of b, "ab" and " ab"
awk -F '\t' '$1 == "b" || $1 == "a" || $1 == "\"ab\"" || $1 == "\" ab\"" {for (d = 4; d <= 8; d++) sum[$1, d] = $d; n[$1] = 1}
    END {for (d = 4; d <= 8; d++) {x = sum["b", d] + sum["\"ab\"", d] + sum["\" ab\"", d]; y = sum["a", d]; xy += x * y; xx += x * x; yy += y * y}
    printf "%.4f\n", xy / sqrt(xx * yy)}' $out/rows > $out/expected
embed near --any -n 1000000 "q ab" | awk '$2 == "a" { print $1 + 0 }' > $out/found
awk 'NR == FNR {x = $1; next} {exit !(x - $1 < 2e-4 && $1 - x < 2e-4)}' $out/found $out/expected; that $? "near: the cosine with the sum of rows" "$(cat $out/found $out/expected | tr '\n' ' ')"
embed near qqqq | head -n 1 | grep -q 'the sum for "qqqq"'; that $? "near: a text without a row is the sum of its rows"

# ---- whole texts

cosine() { embed compare "$1" "$2" | sed -n 's/^cosine \([+-][0-9.]*\) .*/\1/p'; }
[ "$(cosine "to be or not to be" "to be or not to be")" = +1.000000 ]; that $? "compare: a text with itself is 1"
[ "$(cosine "the fox and the hen" "the hen")" = "$(cosine "the hen" "the fox and the hen")" ]; that $? "compare: either way round"
[ "$(cosine "the hen ran away" "the fox ran away")" != "$(cosine "a hen ran away" "the fox ran away")" ]; that $? "compare: the whole text counts, not its end"
printf 'the fox and the hen\tthe hen\nto be\tto be\r\n' > $out/pairs
{ cosine "the fox and the hen" "the hen"; echo +1.000000; } | tr -d + > $out/expected
embed compare --pairs $out/pairs > $out/found
same $out/found $out/expected "compare --pairs: a cosine for each line, the same as of two texts"
head -n 40 $out/prose > $out/lines
line=$(sed -n 17p $out/lines)
[ "$(embed lines $out/lines "$line" | head -n 1)" = "$(printf '  +1.0000       17  %s' "$line")" ]; that $? "lines: a line of the file is nearest to itself" "$(embed lines $out/lines "$line" | head -n 1)"
[ "$(embed lines $out/lines "the hen" | wc -l)" -eq 10 ] && [ "$(embed lines $out/lines -n 3 "the hen" | wc -l)" -eq 3 ]; that $? "lines: ten, or as many as -n says"
embed lines $out/lines -n 40 "the hen" | awk '{if (NR > 1 && $1 > last) exit 1; last = $1}'; that $? "lines: the nearest first"
tr A-Z a-z < $out/prose > $out/small_letters
./train -q --dim 5 --order 3 --out $out/small_run $out/small_letters
same_cosine() { [ "$(./embed -m $out/small_run/model.safetensors compare "$1" "$2" | cut -d ' ' -f 2)" = +1.000000 ]; }
same_cosine "The HEN" "the hen"; that $? "compare: capitals that the training text lacks are small letters"
for threads in 0 0,1; do # the same numbers on one processor
    if has taskset && taskset -c $threads true 2> /dev/null; then taskset -c $threads ./embed -m $out/prose_run/model.safetensors lines $out/prose "the hen" > $out/lines.$threads; fi
done
if [ -s $out/lines.0,1 ]; then same $out/lines.0 $out/lines.0,1 "lines: the same on one processor as on two"; else echo "skip threads of lines: there is one processor"; fi
printf 'a\tb\nno tab here\n' > $out/pairs
refuses 1 "a pair without a tab" 'line 2 has no tab' embed compare --pairs $out/pairs
: > $out/nothing
refuses 1 "no lines" 'nothing|empty|no lines' embed lines $out/nothing "a text"
refuses 2 "--pairs and two texts" 'compare takes 0 texts' embed compare --pairs $out/pairs a b

embed near -n 30 e | grep -q ' seen [0-9],[0-9]* times$'; that $? "near: thousands are separated" "$(embed near -n 30 e)"
embed | grep -q '^trained  *on 27,000 characters, epochs [0-9]*, batch [0-9]*, adagrad$'; that $? "thousands are separated in the summary of the file"
embed export -n 1234 > $out/said
for file in vectors metadata; do
    size=$(wc -c < $out/prose_run/$file.tsv | awk '{ n = $1; text = ""; while (n > 999) { text = sprintf(",%03d%s", n % 1000, text); n = int(n / 1000) } print n text }')
    grep -qx "$out/prose_run/$file.tsv: $size bytes" $out/said; that $? "export says what it wrote, and its size: $file.tsv" "$(cat $out/said)"
done

embed moved > $out/said
awk '/seen/ {if (last != "" && $2 > last) exit 1; last = $2; if (($4 == "0") != ($2 == "0.0000")) exit 1; n++} END {exit n != 100}' $out/said
that $? "moved: 100 rows in order, exactly those at 0 that were never seen"
still=$(sed 1d $out/prose_run/metadata.tsv | awk -F '\t' '$2 == "characters" && $3 == 0' | wc -l)
tail -n 1 $out/said | grep -qx "$still rows did not move by one bit"; that $? "moved: $still did not move by one bit"
./train -q --dim 5 --order 3 --freeze-embedding --out $out/frozen $out/prose
./embed --model $out/frozen/model.safetensors moved | tail -n 1 | grep -qx '100 rows did not move by one bit'; that $? "moved: a frozen embedding is exactly where the seed put it"
./train -q --dim 5 --order 3 --pretrained $out/frozen/model.safetensors --out $out/adopted $out/prose
./embed --model $out/adopted/model.safetensors row a | grep -q 'its start is not known'; that $? "row: the start of a --pretrained run is not known"
./embed --model $out/adopted/model.safetensors report > /dev/null && ! grep -q '^&#34;moved&#34;' $out/adopted/report.html; that $? "and report has no distances"

# ---- where little is to be seen, or too much

for run in "--dim 1" "--dim 2" "--order 1 --dim 10" "--dim 3 --order 1"; do
    ./train -q $run --out $out/small $out/prose || bad "train $run"
    whole=0
    for verb in "" "row a" "near a" "near zq" "moved" "compare ab ba" "lines $out/prose ab" "export" "export --format map" "report"; do
        ./embed --model $out/small/model.safetensors $verb > $out/said 2>&1 || { bad "$run: embed $verb: $(tail -n 1 $out/said)"; continue; }
        if grep -qi 'nan\|[^a-z]inf[^a-z]' $out/said; then bad "$run: embed $verb shows what is no number"; fi
        if sed '/^file /d' $out/said | awk 'length > 80' | grep -q .; then bad "$run: embed $verb is wider than 80 columns"; fi
        whole=$((whole + 1))
    done
    [ $whole -eq 10 ] && ! sed -n '/<pre id="data"/,/<\/pre>/p' $out/small/report.html | grep -qi 'nan\|inf'; that $? "$run: every verb has something to say"
done
embed > $out/said
sed '/^file /d' $out/said | awk 'length > 80' | grep -q .; [ $? -eq 1 ] && ! grep -q "$(printf '\033')" $out/said; that $? "piped: 80 columns, no colours"
if has_terminal; then
    for columns in 40 120 300; do
        terminal "stty cols $columns; ./embed --model $out/prose_run/model.safetensors moved" | tr -d '\r' | grep seen | awk '{if (length > l) l = length} END {print l}' > $out/found
        [ "$(cat $out/found)" -le $columns ] && [ "$(cat $out/found)" -le 160 ] && [ "$(cat $out/found)" -ge $((columns < 160 ? columns - 20 : 140)) ]
        that $? "on a terminal of $columns columns moved is as wide" "it has $(cat $out/found)"
    done
else
    echo "skip a terminal's width: script is not here"
fi
tail -n 1 $out/said | grep -qx 'verbs  *row, near, moved, compare, lines, export, report; see --help'; that $? "without a verb, the verbs are named"
for c in a e T , '\\n' space; do sed -n '/^map/,$p' $out/said | grep -qF -- "$(printf "$c")"; that $? "the map shows $c"; done

# a file of another program, which does not say how often each row was seen (the same length: a tensor gets another name)
sed 's/"counts":/"countz":/' $out/prose_run/model.safetensors > $out/uncounted
if [ "$(wc -c < $out/uncounted)" -eq "$(wc -c < $out/prose_run/model.safetensors)" ]; then
    ./embed --model $out/uncounted > $out/said && grep -q '^map of the 100 characters' $out/said; that $? "a model without counts: the map shows all characters"
    ./embed --model $out/uncounted row e | grep -q 'seen 0 times'; that $? "and no count is invented"
else
    echo "skip a model without counts: this sed is only for text"
fi

# a name that no page and no terminal should see as it is
odd="$out/$(printf 'bell\007escape\033del\177cut\342')"
cp $out/all/model.safetensors "$odd"
./train -q --dim 3 --order 3 --pretrained "$odd" --out $out/odd $out/prose && ./embed --model $out/odd/model.safetensors report > /dev/null
tr -d '\n\t' < $out/odd/report.html | LC_ALL=C grep -q '[[:cntrl:]]'; [ $? -eq 1 ] && grep -qF 'bell\x07escape\x1bdel\x7fcut\xe2' $out/odd/report.html
that $? "report: no control characters of a file's name"

# metadata that would command a page or a terminal (the same length: "0.123456" becomes eight other bytes)
poison() { # name, what stands for val_loss
    loss=$(metadata $out/prose_run/model.safetensors val_loss)
    sed "s|\"val_loss\":\"$loss\"|\"val_loss\":\"$2\"|" $out/prose_run/model.safetensors > $out/$1.safetensors
    [ "$(wc -c < $out/$1.safetensors)" -eq "$(wc -c < $out/prose_run/model.safetensors)" ]
}
if poison html '<img/x=>' && poison escape '\\u001b[1'; then
    ./embed --model $out/html.safetensors report --out $out/html > /dev/null && ! grep -q '<img' $out/html/report.html && grep -q '&#60;img/x=&#62; nats' $out/html/report.html
    that $? "report: what the file says is text, never an element"
    ./embed --model $out/escape.safetensors > $out/said && ! grep -q "$(printf '\033')" $out/said && grep -q '^validation  ?\[1 nats' $out/said; that $? "embed: nor a command to the terminal" "$(grep validation $out/said)"
else
    echo "skip metadata that commands: this sed is only for text"
fi

mkdir -p $out/alone
cp $out/all/model.safetensors $out/alone
./embed --model $out/alone/model.safetensors report > /dev/null && [ "$(grep -c '&#34;step&#34;' $out/alone/report.html)" -eq 1 ]
that $? "report of a model alone: one moment, the rows as they are"
cp $out/all/snapshots.safetensors $out/alone
{ head -n 2 $out/all/loss.csv; echo '5,0.5,90,nan,inf,1,0.1,1'; echo '6,0.6,100,1e300,1e300,1,0.1,1'; echo '7,0.7,110,-5,70,1,0.1,1'; } > $out/alone/loss.csv
./embed --model $out/alone/model.safetensors report > /dev/null && [ "$(wc -c < $out/alone/report.html)" -lt 300000 ] && ! sed -n '/<pre id="data"/,/<\/pre>/p' $out/alone/report.html | grep -q 'nan\|inf' 
that $? "report of a run that diverged"
head -c 100 $out/all/snapshots.safetensors > $out/alone/snapshots.safetensors
./embed --model $out/alone/model.safetensors report > $out/said 2> $out/errors
[ $? -eq 0 ] && [ "$(wc -l < $out/errors)" -eq 1 ] && grep -q 'snapshots.safetensors: is not used' $out/errors; that $? "damaged snapshots: one clear line, and the page without them" "$(cat $out/errors)"

# ---- bad input

refuses 1 "an n-gram without a row" 'has no row in this model; ./embed --model .* near zqzq shows' embed row zqzq
refuses 1 "a name with blanks without a row" "; ./embed --model $out/prose_run/model.safetensors near 'no such row' shows" embed row "no such row"
for count in 0 -1 x 1.5 '' 1000000001; do refuses 2 "near: $count rows" '--count: "'"$count"'" is not a whole number from 1' embed near e -n "$count"; done
refuses 2 "export of no rows" 'not a whole number from 1' embed export -n 0
refuses 2 "an option of another verb" '--format does nothing for near' embed near e --format vec
refuses 2 "an option that no verb is given for" '--count does nothing for embed without a verb' embed -n 5
refuses 2 "a folder of no name" '--out: its value is empty: give DIR' embed export --out ''
refuses 2 "a model of no name" '--model: its value is empty: give FILE' embed --model ''
refuses 2 "a character that is none" 'U\+0001 is nothing in ASCII' embed near "$(printf '\001')"
refuses 1 "a code that is none" 'none of the 100' embed near '\x01'
[ "$(embed near "$(printf '\303\251')")" = "$(embed near e)" ]; that $? "a letter beyond ASCII is the one that a reader would write"
refuses 1 "nothing" 'nothing in it' embed near ''
refuses 2 "a verb that is none" 'is no verb; see --help' embed look
refuses 2 "a mistyped verb" 'did you mean report' embed repot
refuses 2 "a text too few" 'row takes 1 text after it' embed row
refuses 2 "a text too many" 'moved takes 0 texts after it' embed moved a
refuses 2 "a format that is none" 'none of tsv' embed export --format xml
embed export --format map --out $out/new > /dev/null && [ -s $out/new/map.tsv ]; that $? "export makes the folder"
refuses 1 "a folder that cannot be made" 'cannot be made' embed export --out $out/no/such
refuses 1 "a folder that cannot be made, for the page" 'cannot be made' embed report --out $out/no/such
refuses 1 "a file that is no model" 'is not a model' embed --model $out/prose
refuses 1 "no file" 'no/such' embed --model $out/no/such
refuses 1 "moved after --pretrained" 'not known' embed --model $out/adopted/model.safetensors moved
if [ -c /dev/full ]; then embed moved > /dev/full 2> $out/errors; [ $? -eq 1 ] && [ "$(wc -l < $out/errors)" -eq 1 ]; that $? "a full disk: one clear line"; fi
./embed --help > $out/said
for verb in "row a" 'near "the "' moved 'compare "to be" "or not"' "export --format" report; do grep -q "embed $verb" $out/said; that $? "--help has an example of $verb"; done
exit 0
