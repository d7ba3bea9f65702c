#!/bin/sh
# The share of the product's lines that `make test` runs (gcov), file by file and in all, and each line that it does not
# run. Fails below 95 %. Works on a copy, so that nothing here is built anew.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
if ! has gcov || ! has gcc; then echo "skip coverage: needs gcc and gcov"; exit 0; fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
chmod 755 "$copy" # another user runs some of the tests
git ls-files -z | xargs -0 tar -cf - | tar -xf - -C "$copy"
cd "$copy" || exit 1
export GCOV_ERROR_FILE=/dev/null # another user of the tests may not write the counts: not on standard error
# -fprofile-update=atomic: threads count, too; -O0: a line is a line
FAULT_STRIDE=300 DEATH_STRIDE=300 KILLS=4 make CC=gcc ARCH= CFLAGS="-O0 -g --coverage -fprofile-update=atomic" test > log 2>&1 || sed -n 's/^FAIL /note with gcov in the programs: /p' log
echo "note with gcov: $(tail -n 1 log)"
find build -name '*.gcda' | while IFS= read -r counts; do gcov -t -r -o "$(dirname "$counts")" "$counts" 2> /dev/null; done > lines
awk -F: '
function strip(text) { gsub(/[ *]/, "", text); return text }
strip($1) == "-" && strip($2) == "0" && $3 == "Source" { name = $4; sub(/^lib\/\.\.\//, "", name); product = name ~ /^(lib\/)?[a-z_]+\.[ch]$/; next }
product && strip($1) != "-" && strip($2) + 0 > 0 {
    key = name SUBSEP strip($2)
    if (!(key in seen)) { seen[key] = 1; names[name] = 1; order[++keys] = key; text[key] = $0; sub(/^[^:]*:[^:]*:/, "", text[key]) }
    if ($1 !~ /[#=]/) ran[key] = 1
}
END {
    for (k = 1; k <= keys; k++) {
        split(order[k], part, SUBSEP)
        all[part[1]]++; total++
        if (order[k] in ran) { done[part[1]]++; good++ }
        else print "  not run  " part[1] ":" part[2] ": " text[order[k]]
    }
    for (name in names) printf "  %6.2f%%  %d of %d  %s\n", 100 * done[name] / all[name], done[name], all[name], name
    share = total ? 100 * good / total : 0
    printf "%s line coverage by make test: %.2f%% (%d of %d lines)\n", (share >= 95 ? "ok" : "FAIL"), share, good, total
    exit (share < 95)
}' lines
