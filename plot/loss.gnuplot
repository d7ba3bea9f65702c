# Draws out/loss.png from out/loss.csv; the yardsticks come from the command line:
#   gnuplot -e "out='out'; unigram=3.16; pairs=2.37" plot/loss.gnuplot
set terminal pngcairo size 960,540 font "sans,11" background "#ffffff"
set output out."/loss.png"
set datafile separator ","
set xlabel "characters"
set ylabel "nats per character"
set format x "%.1s%c"
set grid ytics lc rgb "#e2e5ea"
set border 3 lc rgb "#6b7078"
set tics nomirror
set key right center
set yrange [*:4.75]
plot log(100) with lines dt 2 lw 1.5 lc rgb "#9aa0a8" title "knows nothing", \
     unigram with lines dt 2 lw 1.5 lc rgb "#a16207" title "characters' frequencies", \
     pairs with lines dt 2 lw 1.5 lc rgb "#7c3aed" title "pairs' frequencies", \
     out."/loss.csv" using 3:4 skip 1 with linespoints lw 2 pt 7 ps 0.6 lc rgb "#94a3b8" title "training", \
     "" using 3:5 skip 1 with linespoints lw 2 pt 7 ps 0.6 lc rgb "#c2410c" title "held out"
