# Draws out/map.png from out/map.tsv (./embed export --format map): x, y, kind, id, x and y where marks do
# not cover each other, name.
#   gnuplot -e "out='out'" plot/map.gnuplot
set terminal pngcairo size 960,660 font "sans,11" background "#ffffff"
set output out."/map.png"
set datafile separator "\t"
set border 0
unset tics
unset key
set offsets graph 0.03, graph 0.03, graph 0.04, graph 0.04
set lmargin 1; set rmargin 1; set tmargin 1; set bmargin 3
colour(k) = int(word("0xc81e4a 0x1d4ed8 0x047857 0x7c3aed 0xa16207 0x6b7280", int(k) + 1))
kinds = "vowel consonant capital digit punctuation whitespace"
do for [k = 0:5] { set label word(kinds, k + 1) at screen 0.14 + 0.145 * k, screen 0.03 center textcolor rgb colour(k) }
# by id, for gnuplot would take a quotation mark in the data for a quotation; in labels a backslash is written twice
names = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~'
invisible = 'space \\t \\n \\r \\x0b \\x0c'
name(id) = id == 85 ? '\\' : id < 94 ? substr(names, id + 1, id + 1) : word(invisible, id - 93)
plot out."/map.tsv" using 5:6:(0xd4000000 + colour($3)) with points pt 7 ps 4 lc rgb variable, \
     "" using 5:6:($4 < 94 ? name(int($4)) : ""):(colour($3)) with labels textcolor rgb variable font "DejaVu Sans Mono:Bold,14" noenhanced, \
     "" using 5:6:($4 < 94 ? "" : name(int($4))):(colour($3)) with labels textcolor rgb variable font "DejaVu Sans Mono:Bold,10" noenhanced
