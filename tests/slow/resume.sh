#!/bin/sh
# resume.sh RUNS SEED: a run with options drawn at random is stopped at random moments by TERM, INT, HUP or KILL and resumed, with
# other threads and other times to save, until it is done: then all its four files are those of an undisturbed run (of loss.csv
# all but the seconds). Shards are small, so that texts have several. Exit status 1 when a run differs.
. tests/programs/lib.sh
begin resume
runs=${1:-200} seed=${2:-1}
train=build/test/train_sharded
[ -x $train ] || make -s $train || exit 1

# draw N: a number from 0 to N - 1; each comes from the seed and how many were drawn
drawn=0
draw() {
    drawn=$((drawn + 1))
    number=$(awk -v seed="$((seed * 100003 + drawn))" -v n="$1" 'BEGIN { srand(seed); rand(); rand(); print int(rand() * n) }')
}
pick() { # one of the arguments
    draw $#
    shift "$number"
    picked=$1
}

draw_options() { # into $options
    set -- "-s $seed"
    pick 1 2 3 5 && set -- "$@" "--order $picked"
    pick 1 3 8 16 && set -- "$@" "--dim $picked"
    pick 16 33 64 200 && set -- "$@" "-b $picked"
    pick 1 2 3 && set -- "$@" "-e $picked"
    pick 3 7 20 60 && set -- "$@" "--set evaluations=$picked"
    pick adagrad sgd adagrad && set -- "$@" "--optimizer $picked"
    pick ngrams phrases,columns ngrams,echoes all && set -- "$@" "--rows $picked"
    pick "" "--max-norm 2" "--scale-grad-by-freq" "" && set -- "$@" "$picked"
    options=$*
}

# differs: the first of the four files that is not the undisturbed run's
differs() {
    for file in model checkpoint snapshots; do
        cmp -s $out/broken/$file.safetensors $out/whole/$file.safetensors || echo $file.safetensors
    done
    cut -d, -f1-7 $out/whole/loss.csv > $out/whole.log
    cut -d, -f1-7 $out/broken/loss.csv | cmp -s - $out/whole.log || echo loss.csv
}

stops=0
for run in $(seq "$runs"); do
    rm -rf $out/whole $out/broken
    draw 90000 && start=$number
    draw 20000 && tail -c +$((start + 1)) data/text.txt | head -c $((3000 + number)) > $out/text
    draw_options
    begun=$(date +%s%N)
    $train -q -t 2 $options --out $out/whole $out/text || { bad "run $run: $options: cannot run"; continue; }
    milliseconds=$((($(date +%s%N) - begun) / 1000000))
    history="" resume=""
    for stop in 1 2 3 4; do
        pick 1 2 3 && threads=$picked
        pick 0 0 0.005 0.02 1000000 && every=$picked
        pick TERM INT HUP KILL KILL && signal=$picked
        draw $((milliseconds + 1)) && wait=$number
        $train -q -t "$threads" $resume $options --save-every "$every" --out $out/broken $out/text 2> $out/said &
        pid=$!
        sleep "$(awk -v t="$wait" 'BEGIN { print t / 1000 }')"
        kill -s $signal $pid 2> /dev/null && stops=$((stops + 1))
        wait $pid 2> /dev/null
        history="$history, $signal after $wait ms (-t $threads, --save-every $every)"
        resume=$([ -f $out/broken/checkpoint.safetensors ] && echo --resume)
    done
    $train -q -t 1 $resume $options --out $out/broken $out/text 2> $out/said
    status=$?
    different=$(differs)
    [ $status -eq 0 ] && [ -z "$different" ] && [ -z "$(ls $out/broken | grep partial)" ] && [ ! -s $out/said ] || bad "run $run: $options$history: status $status, $different: $(cat $out/said)"
done
[ $failures -eq 0 ] && ok "$runs runs of options drawn with seed $seed, stopped $stops times and resumed: all four files are an undisturbed run's"
finish
