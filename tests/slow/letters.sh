#!/bin/sh
# lib/letters_table.h is what lib/letters_table.py makes, where this Python has the same version of Unicode.
cd "$(dirname "$0")/../.." || exit 1
mkdir -p build/test
if ! python3 lib/letters_table.py > build/test/letters_table.h 2> /dev/null; then
    echo "skip the table of letters: there is no python3"
elif cmp -s lib/letters_table.h build/test/letters_table.h; then
    echo "ok the table of letters is what its script makes"
elif [ "$(head -n 1 lib/letters_table.h)" != "$(head -n 1 build/test/letters_table.h)" ]; then
    echo "skip the table of letters: this Python has another version of Unicode"
else
    echo "FAIL the table of letters is not what its script makes"
    exit 1
fi
