#!/bin/sh
# docs/embed.md shows what ./embed prints after the default run; docs/files.md's reader finds the rows that ./sample finds.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
begin docs
./train -q --out $out/run data/text.txt || exit 1
model=$out/run/model.safetensors

# Indented lines: "$ command", then what it prints; "..." stands for lines left out, and its exports go elsewhere.
commands=0
compare() { # the command and the lines shown, each of which must come in the output, in this order
    [ -s $out/command ] || return
    commands=$((commands + 1))
    sh $out/command > $out/printed 2>&1 < /dev/null || echo "FAIL docs/embed.md: $(cat $out/command) fails: $(tail -n 1 $out/printed)"
    awk 'NR == FNR { printed[++n] = $0; next } { while (++at <= n && printed[at] != $0); if (at > n) { print; exit } }' \
        $out/printed $out/shown > $out/missing
    [ ! -s $out/missing ] || echo "FAIL docs/embed.md: $(cat $out/command) does not print: $(head -n 1 $out/missing)"
}
: > $out/command
: > $out/shown
while IFS= read -r line; do
    case $line in
    '    $ ./embed'*)
        compare
        printf '%s\n' "${line#    $ }" | sed "s|^./embed|./embed --model $model|" > $out/command
        : > $out/shown ;;
    '    ...' | '') ;;
    '    '*) printf '%s\n' "${line#    }" | sed "s|out/|$out/run/|" >> $out/shown ;;
    *)
        compare
        : > $out/command ;;
    esac
done < docs/embed.md > $out/said
cat $out/said
[ -s $out/said ] && exit 1
[ $commands -ge 8 ] && echo "ok docs/embed.md: $commands commands print what it shows" || { echo "FAIL docs/embed.md: only $commands commands found"; exit 1; }

$python -c 'import numpy' 2> /dev/null || { echo "skip docs/files.md: install python3-numpy"; exit 0; }
sed -n '/^```python$/,/^```$/p' docs/files.md | grep -v '^```' | sed "s|out/model|$out/run/model|" > $out/reader.py
cat >> $out/reader.py << 'END'
import subprocess, sys
names = {"space": " ", "\\t": "\t", "\\n": "\n", "\\r": "\r", "\\x0b": "\x0b", "\\x0c": "\x0c"}
text, worst, compared = open("data/text.txt").read(), 0, 0
contexts = ["", "a", "\n", "the fox and the b", "  \n\nTHE  Fox's\tden, and the fo", "x" * 100, "It's 5 o'clock; it's "]
contexts += [text[start:start + length] for start, length in ((0, 40), (5000, 333), (100000, 3000), (140000, 15000))]
for context in contexts:
    shown = subprocess.run(["./sample", "--model", sys.argv[1], "--next", context], capture_output=True, text=True, check=True).stdout
    head, tail = shown.split("\n\n")
    on = reader.rows(context)
    values = logits(arrays, on).astype(float)
    p = np.exp(values - values.max()) * (arrays["counts"][:100] > 0)  # what the text never had is not drawn
    p /= p.sum()
    for line in head.splitlines()[1:]:
        name, percent = line.split()[:2]
        worst = max(worst, abs(100 * p[reader.id[names.get(name, name)]] - float(percent[:-1])))
        compared += 1
    lines = len(tail.splitlines()) - 3  # a heading, the characters, linear.bias
    if lines != len(on):
        sys.exit(f"FAIL docs/files.md: {len(on)} rows for {context[-20:]!r}, ./sample has {lines}")
good = worst < 0.006 and compared >= 100
print("ok" if good else "FAIL", f"docs/files.md: its reader gets the probabilities of ./sample --next (largest difference {worst:.4f} percent of {compared})")
sys.exit(not good)
END
$python $out/reader.py $model | tail -n +2
