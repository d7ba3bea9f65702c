#!/bin/sh
# The documents are true: docs/embed.md shows what ./embed prints after the default run; README's
# commands, in a copy of the checkout as a stranger has it, print what it shows.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
begin docs
run run data/text.txt || exit 1
model=$out/run/model.safetensors

# Indented lines: "$ command", then what it prints; "..." stands for lines left out, and its exports
# go elsewhere.
commands=0
compare() { # the command and the lines shown, each of which must come in the output, in this order
    [ -s $out/command ] || return
    commands=$((commands + 1))
    sh $out/command > $out/printed 2>&1 < /dev/null || echo fails > $out/shown
    awk 'NR == FNR { printed[++n] = $0; next }
        { while (++at <= n && printed[at] != $0); if (at > n) { print; exit } }' \
        $out/printed $out/shown > $out/missing
    [ ! -s $out/missing ] ||
        bad "docs/embed.md: $(cat $out/command) does not print: $(head -n 1 $out/missing)"
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
done < docs/embed.md
[ $failures -eq 0 ] && [ $commands -ge 8 ]
that $? "docs/embed.md: $commands commands print what it shows" "$failures do not"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git clone -q . "$copy/clone" 2> /dev/null || cp -r . "$copy/clone"
(cd "$copy/clone" && make && python3 docs/readme.py) > $out/said 2>&1
that $? "README's commands print what it shows" "$(tail -n 5 $out/said)"
(cd "$copy/clone" && ./embed report && ./wtf && { ! has gnuplot || make -s plot; }) > $out/said 2>&1
that $? "./embed report, ./wtf and make plot run" "$(tail -n 5 $out/said)"
finish
