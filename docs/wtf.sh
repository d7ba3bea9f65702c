#!/bin/sh
# Writes docs/wtf.md, the text of a run of ./wtf, and its pictures (these need gnuplot). Run it in the project's folder after make:
#   docs/wtf.sh          writes all
#   docs/wtf.sh text     prints what docs/wtf.md should be
set -e

page() {
    cat << 'END'
<!-- written by docs/wtf.sh from a run of ./wtf -->
# WTF does nn.Embedding do?

It is a table, and looking something up in it can be learned. This page is what `./wtf` prints. The models in it run on
the functions of [model.h](../model.h) that train the real ones; attention is in [lib/attention.h](../lib/attention.h).
"The notebook" is the one of this title: PyTorch's `nn.Embedding(100, 10)` looks up the 25 characters of its name.
`./wtf "your own text"` gives other numbers, `./wtf 4` shows one section, `./wtf --pause` waits after each.
END
    ./wtf | awk '
        /^[1-9]  / { end_block(); number = $1; sub(/^[1-9]  /, ""); print "\n## " number ". " $0 "\n\n```text"; open = 1; blank = 0; first = 1; next }
        /^All checks hold/ { end_block(); print "\n" $0; next }
        !open { next }
        $0 == "" { blank++; next }
        { if (!first) for (; blank > 0; blank--) print ""; blank = 0; first = 0; sub(/^   /, ""); print }
        function end_block() {
            if (!open) return
            print "```"
            if (number == 5) {
                print "\n![The loss over a thousand steps](wtf-steps.svg)\n"
                print "Both lines fall fast in the first 100 steps. The blue one, whose rows learn too, stays lower and ends at the least"
                print "loss that there is, the grey line. The steps are drawn on a scale on which 10 to 100 is as wide as 100 to 1,000."
            }
            if (number == 9) {
                print "\n![The cosines of the pairs before and after training](wtf-pairs.svg)\n"
                print "Before training (hollow) all pairs are near 1, whether they mean the same or not. After it (filled) those that mean"
                print "the same (blue) are still there, and those that mean something else (orange) have gone to 0, although their words"
                print "are the same. The two new pairs, at the bottom, went the same ways."
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
./wtf > "$folder/said"
# the losses: a line "step free frozen" for each column of section 5's table
awk '/^   steps / { for (i = 2; i <= NF; i++) step[i] = $i }
     /^   loss  / { for (i = 2; i <= NF; i++) free[i] = $i }
     /^   loss, rows frozen  *[0-9]*\.[0-9]* *[0-9]*\.[0-9]* / { for (i = 4; i <= NF; i++) frozen[i - 2] = $i }
     /Not below/ { sub(/.*Not below /, ""); least = $1 + 0 }
     END { for (i = 2; i in step; i++) print step[i], free[i], frozen[i], least }' "$folder/said" > "$folder/losses"
# the pairs: "name;label;before;after"
sed -n '/label  before/,/^$/p' "$folder/said" | sed 1d | sed 's/^   //; s/   *\([01]\)  *\(-*[0-9.]*\)  *\(-*[0-9.]*\)/;\1;\2;\3;/; s/   */ \/ /; s/;  new$/;(new)/' |
    awk -F';' 'NF > 3 { print $1 " " $5 ";" $2 ";" $3 ";" $4 }' > "$folder/pairs"
gnuplot << END
set terminal svg size 720,360 dynamic font "sans-serif,13" background "white"
set output "docs/wtf-steps.svg"
set border 3 lc rgb "#555555"
set tics nomirror
set xlabel "steps"
set ylabel "loss, nats per character"
set logscale x
set xrange [1:1000]
set yrange [0:5]
set key at graph 0.03,0.45 left Left reverse spacing 1.4
set grid ytics lc rgb "#dddddd"
set label "guessing: ln 100" at 950,4.8 right textcolor rgb "#777777"
set label "the table of pairs, counted" at 950,0.27 right textcolor rgb "#777777"
least = system("awk 'NR == 1 { print \$4 }' $folder/losses") + 0
plot log(100) notitle lc rgb "#aaaaaa" dt 2 lw 1.5, least notitle lc rgb "#aaaaaa" dt 2 lw 1.5, \
     "$folder/losses" using 1:3 every ::1 with linespoints pt 7 ps 0.5 lw 2.5 lc rgb "#d95f02" title "rows frozen", \
     "$folder/losses" using 1:2 every ::1 with linespoints pt 7 ps 0.5 lw 2.5 lc rgb "#1b6ca8" title "rows learn"
set output "docs/wtf-pairs.svg"
set terminal svg size 720,420 dynamic font "sans-serif,12" background "white"
unset label
unset logscale
unset key
unset ylabel
set datafile separator ";"
set lmargin 44
set xlabel "cosine of the two sentences"
set xrange [-0.3:1.05]
set yrange [14:-1]
set grid xtics lc rgb "#dddddd"
colour(label) = label == 1 ? 0x1b6ca8 : 0xd95f02
plot "$folder/pairs" using 3:0:(\$4 - \$3):(0):(colour(\$2)) with vectors nohead lw 1.5 lc rgb variable title "change", \
     "$folder/pairs" using 3:0:(colour(\$2)):yticlabels(1) with points pt 6 ps 0.8 lc rgb variable title "before", \
     "$folder/pairs" using 4:0:(colour(\$2)) with points pt 7 ps 0.9 lc rgb variable title "after"
END
# where the reader's screen is dark, so are they
dark="#gnuplot_canvas>rect{fill:#0d1117}text{fill:#c9d1d9}[stroke^='rgb( 85']{stroke:#8b949e}[stroke^='rgb(221']{stroke:#30363d}"
dark="$dark[stroke^='rgb( 27'],[color^='rgb( 27']{stroke:#58a6ff;color:#58a6ff}[stroke^='rgb(217'],[color^='rgb(217']{stroke:#f0883e;color:#f0883e}"
sed -i "s|^<title>Gnuplot.*|<style>@media(prefers-color-scheme:dark){$dark}</style>|; /<desc>/d" docs/wtf-steps.svg docs/wtf-pairs.svg
page > "$folder/page"
mv "$folder/page" docs/wtf.md
