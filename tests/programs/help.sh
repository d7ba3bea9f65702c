#!/bin/sh
# What --help prints fits 80 columns and is a screen or two.
. tests/programs/lib.sh
begin help
for program in train sample embed wtf; do
    ./$program --help > $out/$program 2> $out/stderr
    [ $? -eq 0 ] && [ ! -s $out/stderr ]; that $? "$program --help goes to standard output"
    awk 'length > 80 { print; wide = 1 } END { exit wide }' $out/$program > $out/wide
    that $? "$program --help fits 80 columns" "$(cat $out/wide)"
    [ "$(grep -c '^  *-' $out/$program)" -lt 30 ]; that $? "$program --help has fewer than 30 things" "$(grep -c '^  *-' $out/$program)"
    ./$program -h | cmp -s - $out/$program; that $? "$program -h is --help"
done
finish
