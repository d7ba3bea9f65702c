# Draws out/loss.png from out/loss.csv; the baselines come from the command line:
#   gnuplot -e "out='out'; unigram=3.16; pairs=2.37" plot/loss.gnuplot
set terminal pngcairo size 960,540 font "sans,11" background "#ffffff"
set output out."/loss.png"
set datafile separator ","
set xlabel "characters"
set ylabel "nats per character"
set format x "%.0s%c"
set grid ytics lc rgb "#e2e5ea"
set border 3 lc rgb "#6b7078"
set tics nomirror
set key outside top right horizontal
set xrange [0:*] noextend
set yrange [*:*]
# each baseline is named at its line, the lowest below it: an order-1 model ends right above
set label 1 sprintf("knows nothing %.3f", log(100)) at graph 1, first log(100) right offset -0.5, 0.6 front tc rgb "#6b7078"
set label 2 sprintf("characters' frequencies %.3f", unigram) at graph 1, first unigram right offset -0.5, 0.6 front tc rgb "#6b7078"
set label 3 sprintf("pairs' frequencies %.3f", pairs) at graph 1, first pairs right offset -0.5, -0.7 front tc rgb "#6b7078"
set arrow 1 from graph 0, first log(100) to graph 1, first log(100) nohead dt 2 lc rgb "#9aa0a8"
set arrow 2 from graph 0, first unigram to graph 1, first unigram nohead dt 2 lc rgb "#9aa0a8"
set arrow 3 from graph 0, first pairs to graph 1, first pairs nohead dt 2 lc rgb "#9aa0a8"
plot out."/loss.csv" using 3:4 skip 1 with linespoints lw 2 pt 7 ps 0.6 lc rgb "#94a3b8" title "training", \
     "" using 3:5 skip 1 with linespoints lw 2 pt 7 ps 0.6 lc rgb "#c2410c" title "validation", \
     log(100) + 0.15 with lines lc rgb "#ff000000" notitle # not seen: room for the highest name
