# The manual page of a program, made from its --help:  ./train --help | awk -f docs/man.awk > train.1
# The help begins "NAME [OPTIONS] ...: what it does. More." up to a blank line; a line of words alone is a heading.
function plain(text) { gsub(/\\/, "\\e", text); gsub(/-/, "\\-", text); return text }
NR == 1 {
    colon = index($0, ": ")
    printf ".TH %s 1\n.SH NAME\n", toupper($1)
    usage = substr($0, 1, colon - 1)
    $0 = substr($0, colon + 2)
}
!described && NF { about = about (about ? " " : "") $0; next }
!described {
    dot = match(about, /\.( |$)/)
    if (!dot) dot = length(about) + 1
    name = usage
    sub(/ .*/, "", name)
    print plain(name " - " substr(about, 1, dot - 1))
    print ".SH SYNOPSIS\n" plain(usage)
    print ".SH DESCRIPTION\n" plain(about) "\n.nf"
    described = 1
    next
}
/^[A-Z][A-Za-z. ]*:?$/ { sub(/:$/, ""); print ".fi\n.SH " toupper($0) "\n.nf"; next }
{ print "\\&" plain($0) }
