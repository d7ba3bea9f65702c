#!/bin/sh
# Writes docs/wtf.md, the text of a run of ./wtf, and its pictures (these need gnuplot). Run it in the project's folder after make:
#   docs/wtf.sh          writes all
#   docs/wtf.sh text     prints what docs/wtf.md should be
set -e

page() {
    cat << 'END'
<!-- written by docs/wtf.sh from a run of ./wtf -->
# WTF does nn.Embedding do?

It is a table, and looking something up in it can be learned. This page is what `./wtf` prints: every number is computed
by the functions of [model.h](../model.h) that train the real models, and what is said is checked at the end of each section.
"The notebook" is the one of this title: PyTorch's `nn.Embedding(100, 10)` looks up the 25 characters of "WTF does nn.Embedding do?".
Run `./wtf "your own text"` for other numbers. The times are those of one machine.
END
    ./wtf | awk '
        /^[1-6]  / { end_block(); number = $1; sub(/^[1-6]  /, ""); print "\n## " number ". " $0 "\n\n```text"; open = 1; blank = 0; first = 1; next }
        /^All checks hold/ { end_block(); print "\n" $0; next }
        !open { next }
        $0 == "" { blank++; next }
        { if (!first) for (; blank > 0; blank--) print ""; blank = 0; first = 0; sub(/^   /, ""); print }
        function end_block() {
            if (!open) return
            print "```"
            if (number == 4) {
                print "\n![The loss over a hundred steps, with the embedding learning and with the embedding frozen](wtf-steps.svg)"
                print "\n![The rows of the characters that occur, before and after a hundred steps, and their change](wtf-rows.png)"
            }
            open = 0
        }'
}

if [ "$1" = text ]; then
    page
    exit
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
./wtf --data "$folder" > /dev/null
gnuplot << END
set terminal svg size 720,360 dynamic font "sans-serif,13" background "white"
set output "docs/wtf-steps.svg"
set datafile separator ","
set border 3 lc rgb "#555555"
set tics nomirror
set xlabel "step"
set ylabel "loss, nats per character"
set xrange [0:100]
set yrange [0:5]
set key bottom left Left reverse spacing 1.4
set grid ytics lc rgb "#dddddd"
set label "guessing: ln 100" at 99,4.8 right textcolor rgb "#777777"
plot log(100) notitle lc rgb "#aaaaaa" dt 2 lw 1.5, \
     "$folder/steps.csv" using 1:3 every ::1 with lines lw 2.5 lc rgb "#d95f02" title "embedding frozen", \
     "$folder/steps.csv" using 1:2 every ::1 with lines lw 2.5 lc rgb "#1b6ca8" title "embedding and linear layer learn"
END
count=$(wc -l < "$folder/rows.csv")
tics=$(awk -F'\t' '{ gsub(/\\/, "\\\\", $2); gsub(/"/, "\\\"", $2); printf "%s\"%s\" %d", (NR > 1 ? ", " : ""), $2, NR - 1 }' "$folder/rows.csv")
for part in before after change; do
    awk -F'\t' -v part=$part '{ line = ""; for (d = 1; d <= 10; d++) line = line " " (part == "before" ? $(2 + d) : part == "after" ? $(12 + d) : $(12 + d) - $(2 + d)); print line }' \
        "$folder/rows.csv" > "$folder/$part"
done
gnuplot << END
set terminal pngcairo size 1080,645 fontscale 1.5 font "sans-serif,10" background "white"
set output "docs/wtf-rows.png"
set multiplot layout 1,3 margins 0.07,0.9,0.06,0.9 spacing 0.02,0
set palette defined (-2 "#b2182b", -1 "#ef8a62", 0 "#f7f7f7", 1 "#67a9cf", 2 "#2166ac")
set cbrange [-2:2]
set xrange [-0.5:9.5]
set yrange [$count-0.5:-0.5]
set xtics 0,1,9 scale 0
set ytics ($tics) scale 0 noenhanced
set border lw 0.5
unset colorbox
set title "at the start"
plot "$folder/before" matrix using 1:2:3 with image pixels notitle
unset ytics
set title "after 100 steps"
plot "$folder/after" matrix using 1:2:3 with image pixels notitle
set colorbox user origin 0.92,0.06 size 0.02,0.84
set title "what was added (colours x 4)"
plot "$folder/change" matrix using 1:2:(4 * \$3) with image pixels notitle
END
page > "$folder/page"
mv "$folder/page" docs/wtf.md
