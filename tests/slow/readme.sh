#!/bin/sh
# README is true: its commands, in a copy of the checkout as a stranger has it, print what it shows.
set -e
cd "$(dirname "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git clone -q . "$copy/clone" 2> /dev/null || cp -r . "$copy/clone"
cd "$copy/clone"
make > /dev/null
python3 docs/readme.py
./embed report > /dev/null
./wtf > /dev/null
[ ! -x "$(command -v gnuplot)" ] || make -s plot > /dev/null
echo "ok ./embed report, ./wtf and make plot run"
