#!/bin/sh
# What --help prints fits 80 columns and is a screen or two; the manual pages have all of it; install puts all, uninstall
# removes it.
. tests/programs/lib.sh
begin help
installed=$out/root/usr
make -s install DESTDIR=$out/root PREFIX=/usr 2>&1 > $out/a | grep -v jobserver > $out/stderr # make -j2 test shares no jobs with it, and says so
check "make install" [ ! -s $out/stderr ]
for program in train sample embed wtf; do
    ./$program --help > $out/$program 2> $out/stderr
    check "$program --help goes to standard output" [ $? -eq 0 -a ! -s $out/stderr ]
    check "$program --help fits 80 columns" awk 'length > 80 { print; wide = 1 } END { exit wide }' $out/$program
    check "$program --help has fewer than 30 things" [ "$(grep -c '^  *-' $out/$program)" -lt 30 ]
    ./$program -h > $out/a
    same $out/a $out/$program "$program -h is --help"
    page=$installed/share/man/man1/$program.1
    check "$program is installed" [ -x $installed/bin/$program ]
    # the page without its marks has each line of the help behind the first paragraph
    sed 's/^\\&//; s/\\-/-/g; s/\\e/\\/g' $page > $out/a
    sed '1,/^$/d; s/^[A-Z][A-Za-z. ]*:*$//' $out/$program | grep . | grep -vxFf $out/a > $out/missing
    check "man $program says what --help says" [ ! -s $out/missing ]
    ! has groff || groff -man -ww -Tascii $page 2>&1 > $out/a | cmp -s - /dev/null
    that $? "man $program has no faults"
done
make -s uninstall DESTDIR=$out/root PREFIX=/usr > $out/a
check "make uninstall removes it all" [ -z "$(find $out/root -type f)" ]
finish
