# lib.sh: what the shell tests share. A test, run in the project's folder, begins with
#     . tests/programs/lib.sh
#     begin NAME
# and prints "ok NAME" or "FAIL NAME: why" for each check, which tests/run.sh counts. Its files go
# into $out.

export LC_ALL=C
program=train  # whose messages refuses expects
four="model.safetensors checkpoint.safetensors snapshots.safetensors loss.csv"  # a run's files
failures=0
python=/usr/bin/python3  # the one that Debian's python3-numpy and python3-torch belong to

begin() {
    out=build/test/$1
    rm -rf "$out"
    mkdir -p "$out"
}

ok() { echo "ok $1"; }
bad() { echo "FAIL $1"; failures=$((failures + 1)); }
finish() { exit $((failures > 0)); }  # the last line of a test that is also run by hand
has() { command -v "$1" > /dev/null; }

# that STATUS NAME [WHY]: a check that holds when STATUS is 0
that() {
    if [ "$1" -eq 0 ]; then ok "$2"; else bad "$2: ${3:-it does not hold}"; fi
}

# check NAME COMMAND...: holds when the command succeeds
check() {
    checked=$1
    shift
    "$@"
    that $? "$checked" "$*"
}

# same A B NAME: both files have the same bytes
same() {
    cmp "$1" "$2" > "$out/different" 2>&1
    that $? "$3" "$(cat "$out/different")"
}

# same_run A B: the files of two runs have the same bytes; prints the first that differs
same_run() {
    for file in model checkpoint snapshots; do
        cmp -s "$1/$file.safetensors" "$2/$file.safetensors" && continue
        echo "$file.safetensors differs"
        return 1
    done
}

# refuses STATUS NAME WORDS COMMAND...: the command ends with this status, writes nothing on
# standard output and one line on standard error that begins with the name of $program and holds
# WORDS (a pattern of grep -E).
refuses() {
    wanted=$1 name=$2 words=$3
    shift 3
    "$@" > "$out/stdout" 2> "$out/stderr" < /dev/null
    status=$?
    why=
    grep -q -E "^$program: .*($words)" "$out/stderr" || why="it does not say \"$words\""
    [ "$(wc -l < "$out/stderr")" -eq 1 ] || why="not one line"
    [ $status -eq "$wanted" ] || why="status $status instead of $wanted"
    [ ! -s "$out/stdout" ] || why="standard output has \"$(head -n 1 "$out/stdout")\""
    [ -z "$why" ]
    that $? "$name" "$why: $(head -n 3 "$out/stderr")"
}

# run FOLDER OPTIONS...: trains into $out/FOLDER without a word
run() {
    folder=$1
    shift
    ./train -q --out "$out/$folder" "$@"
}

# metadata FILE KEY: what a model or checkpoint says under this key
metadata() {
    head -c 20000 "$1" | tr -c '[:print:]' '\n' |
        sed -n "s/.*[{,]\"$2\":\"\([^\"]*\)\".*/\1/p" | head -n 1
}

# best FOLDER: the least validation loss in a run's log
best() {
    awk -F, 'NR > 1 && (NR == 2 || $5 < least) { least = $5 } END { print least }' "$1/loss.csv"
}

# lines FILE: how many there are, 0 when there is no file
lines() { if [ -f "$1" ]; then wc -l < "$1"; else echo 0; fi; }

# quoted TEXT: as a word of the shell, in quotes
quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }

# interruptible COMMAND...: becomes the command. A shell starts what runs in the background deaf to
# SIGINT; this one hears it.
interruptible() { exec perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV or die' -- "$@"; }

# background COMMAND...: starts it; its process is $pid. until_lines N FILE waits until FILE has
# more than N lines, stop SIGNAL sends the signal and returns its status.
background() {
    interruptible "$@" &
    pid=$!
}
until_lines() { until [ "$(lines "$2")" -gt "$1" ] || ! kill -0 $pid 2> /dev/null; do :; done; }
stop() {
    kill -s "$1" $pid 2> /dev/null
    wait $pid
}

# terminal COMMAND: runs it on a terminal (script's); fails where there is none to be had
terminal() { script -qec "$1" /dev/null; }
has_terminal() { terminal true > /dev/null 2>&1; }
