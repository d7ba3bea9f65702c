#!/bin/sh
# The commands that README names, in a copy of the checkout as a stranger has it.
set -e
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git clone -q . "$copy/clone" 2> /dev/null || cp -r . "$copy/clone"
cd "$copy/clone"
make > /dev/null
./train data/text.txt 2> told
grep -q 'held out    1.2802 nats/char' told || { echo "FAIL README's transcript: $(grep 'held out  ' told | tail -n 1)"; exit 1; }
grep -F "$(grep '^rows        171' told)" README.md > /dev/null || { echo "FAIL README's transcript of rows"; exit 1; }
./sample -s 7 -t 0.7 -n 420 "The fox" > sampled
grep -F "    $(head -n 1 sampled)" README.md > /dev/null || { echo "FAIL README's sample: $(head -n 1 sampled)"; exit 1; }
./sample --next "the b" | grep -q '28.52%' || { echo "FAIL README's --next"; exit 1; }
./embed > /dev/null
./embed report > /dev/null
./wtf > /dev/null
[ ! -x "$(command -v gnuplot)" ] || make -s plot > /dev/null
echo "ok README's commands give what README shows"
