#!/bin/sh
# The playground, docs/playground.html: it is what the sources give, it computes what the native program computes, bit for bit,
# and it does in headless Chromium what a person does with it.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
begin playground
page=docs/playground.html npm=build/npm

that "$([ "$(wc -c < $page)" -le 450000 ]; echo $?)" "it has at most 450 KB" "$(wc -c < $page) bytes"
! grep -q "script-src[^;]*'unsafe-inline'" $page
that $? "its policy lets no other script run than its own"
if clang --version 2> /dev/null | grep -q 'version 14\.' && has wasm-ld && [ -d /usr/include/wasm32-wasi ]; then
    page/build $out/again.html
    same $page $out/again.html "built again it has the same bytes (else: make playground)"
else
    echo "skip building the playground again: install clang (14, as it was built with), lld, wasi-libc, libclang-rt-14-dev-wasm32"
fi

has node || { echo "skip the playground: install nodejs"; finish; }
# compare NAME [OPTION VALUE]...: the trainer of the page, in Node, and ./train with these options
compare() {
    name=$1
    shift
    ./train -q "$@" --out $out/run data/text.txt
    node tests/slow/playground.mjs $page "$name" $out/run "$@" < data/text.txt
}
compare "order 1" --order 1 --dim 10 --seed 1 --epochs 2
compare "sgd" --optimizer sgd --seed 3 --epochs 1
compare "the default"

has chromium || { echo "skip the playground in a browser: install chromium"; finish; }
has npm && [ -d $npm/node_modules/axe-core ] ||
    timeout 100 npm install --prefix $npm --fetch-retries 1 --no-audit --no-fund --silent puppeteer-core@24.43.1 axe-core@4.14.1 > $out/npm 2>&1 ||
    { echo "skip the playground in a browser: npm cannot install puppeteer-core and axe-core"; finish; }
node tests/slow/playground_page.mjs $page $npm $out "$(best $out/run)"
that $? "the browser's test came to its end"
node tests/slow/playground_others.mjs $page $npm
that $? "the test of other browsers came to its end"
finish
