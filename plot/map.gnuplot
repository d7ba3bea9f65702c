# Draws out/map.png from out/map.tsv (./embed export --format map): x, y, kind, id, name.
#   gnuplot -e "out='out'" plot/map.gnuplot
set encoding utf8
set terminal pngcairo size 960,640 font "sans,11" background "#ffffff"
set output out."/map.png"
set datafile separator "\t"
set border 0
unset tics
unset key
set offsets graph 0.02, graph 0.02, graph 0.03, graph 0.03
set margins 1, 1, 1, 1
kind(k) = k == 0 ? 0xc2410c : k == 1 ? 0x1d4ed8 : k == 2 ? 0x047857 : k == 3 ? 0x7c3aed : k == 4 ? 0xa16207 : 0x6b7280
# by id, for gnuplot would take a quotation mark in the data for a quotation, and \n for a new line
names = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~␣⇥↵␍␋␌'
plot out."/map.tsv" using 1:2:(substr(names, int($4) + 1, int($4) + 1)):(kind($3)) with labels textcolor rgb variable font "monospace bold,15" noenhanced
