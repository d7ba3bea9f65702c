#!/bin/sh
# The commands that README names, in a copy of the checkout as a stranger has it.
set -e
cd "$(dirname "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git clone -q . "$copy/clone" 2> /dev/null || cp -r . "$copy/clone"
cd "$copy/clone"
make > /dev/null
./train data/text.txt 2> told
grep -q 'val         1.2802 nats/char' told || { echo "FAIL README's transcript: $(grep '^val  ' told | tail -n 1)"; exit 1; }
grep -F "$(grep '^rows        171' told)" README.md > /dev/null || { echo "FAIL README's transcript of rows"; exit 1; }
for line in files next; do grep -F "$(grep "^$line  " told)" README.md > /dev/null || { echo "FAIL README's transcript: $(grep "^$line  " told)"; exit 1; }; done
./sample -s 7 -t 0.7 -n 420 "The fox" > sampled
grep -F "    $(head -n 1 sampled)" README.md > /dev/null || { echo "FAIL README's sample: $(head -n 1 sampled)"; exit 1; }
./sample --next "the b" > next
grep -q '28.52%' next || { echo "FAIL README's --next"; exit 1; }
sed '1,/^rows on/d' next | while IFS= read -r line; do grep -F -e "$line" README.md > /dev/null || echo "$line"; done > missing
[ ! -s missing ] || { echo "FAIL README's --next: $(head -n 1 missing)"; exit 1; }
./embed > /dev/null
./embed report > /dev/null
./wtf > /dev/null
[ ! -x "$(command -v gnuplot)" ] || make -s plot > /dev/null
echo "ok README's commands give what README shows"
