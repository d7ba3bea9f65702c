#!/bin/sh
# The share of the product's lines that `make test` runs (gcov), file by file and in all, and each line that it does not
# run. Fails below 95%. Works on a copy, so that nothing here is built anew.
cd "$(dirname "$0")/../.." || exit 1
if ! command -v gcov > /dev/null || ! command -v gcc > /dev/null; then echo "skip coverage: needs gcc and gcov"; exit 0; fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
chmod 755 "$copy" # another user runs some of the tests
cp -r Makefile data lib tests ./*.c ./*.h "$copy"
[ ! -d docs ] || cp -r docs README.md "$copy" 2> /dev/null
cd "$copy" || exit 1
find . -name '*.o' -exec rm {} +
rm -rf build/test
export GCOV_ERROR_FILE=/dev/null # another user of the tests may not write the counts: not on standard error
# -fprofile-update=atomic: threads count, too; -O0: a line is a line
make CC=gcc ARCH= CFLAGS="-O0 -g --coverage -fprofile-update=atomic" test > log 2>&1 || sed -n 's/^FAIL /note with gcov in the programs: /p' log
tail -n 1 log
for source in *.c lib/*.c; do
    object=${source%.c}
    [ -f "$object.gcda" ] || { echo "never run: $source"; continue; }
    gcov -o "$(dirname "$source")" "$source" > /dev/null 2>&1
    # headers with code (model.h) are counted once, by whoever runs most of them: gcov joins their counts by file
done
for header in model.h exact.h; do
    for source in *.c lib/*.c; do
        [ -f "${source%.c}.gcda" ] && gcov -o "$(dirname "$source")" "$source" > /dev/null 2>&1 && [ -f $header.gcov ] && cp $header.gcov "$(basename "$source").$header.part" && rm -f $header.gcov
    done
done
awk -F: '
function strip(text) { gsub(/[ *]/, "", text); return text }
FNR == 1 { name = FILENAME; sub(/\.gcov$/, "", name); if (name ~ /\.part$/) { sub(/\.part$/, "", name); sub(/^.*\.c\./, "", name) } }
{
    count = strip($1); line = strip($2) + 0
    if (count == "-" || line == 0) next
    key = name SUBSEP line
    if (!(key in seen)) { seen[key] = 1; names[name] = 1; order[++keys] = key; text[key] = $0; sub(/^[^:]*:[^:]*:/, "", text[key]) }
    if (count !~ /[#=]/) ran[key] = 1
}
END {
    for (k = 1; k <= keys; k++) {
        split(order[k], part, SUBSEP)
        all[part[1]]++; total++
        if (order[k] in ran) { done[part[1]]++; good++ }
        else print "  not run  " part[1] ":" part[2] ": " text[order[k]]
    }
    for (name in names) printf "  %6.2f%%  %d of %d  %s\n", 100 * done[name] / all[name], done[name], all[name], name
    share = 100 * good / total
    printf "%s line coverage by make test: %.2f%% (%d of %d lines)\n", (share >= 95 ? "ok" : "FAIL"), share, good, total
    exit (share < 95)
}' ./*.c.gcov ./*.part
