#!/bin/sh
# The commands that README names, in a copy of the checkout as a stranger has it.
set -e
cd "$(dirname "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git clone -q . "$copy/clone" 2> /dev/null || cp -r . "$copy/clone"
cd "$copy/clone"
make > /dev/null
# shown FILE PATTERN: each line of the file that matches stands in README.md
shown() {
    grep -e "$2" "$1" | while IFS= read -r line; do grep -q -F -e "$line" README.md || echo "FAIL README.md does not show: $line"; done
}
./train data/text.txt 2> said
shown said '^rows \|^parameters \|^val \|^files \|^next ' > missing
./sample -s 7 -t 0.7 -n 420 "The fox" > sampled
head -n 1 sampled > first
shown first . >> missing
./sample --next "the b" > next
shown next . >> missing
cat missing
[ ! -s missing ] || exit 1
./embed > /dev/null
./embed report > /dev/null
./wtf > /dev/null
[ ! -x "$(command -v gnuplot)" ] || make -s plot > /dev/null
echo "ok README's commands give what README shows"
