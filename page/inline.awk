# Makes one file of page.html: each style sheet and script comes inline, in the place of its link. What stands between
# <!-- X --> and <!-- /X --> is left out when -v leave=X says so. The files are sought in the folder of page.html.
function put(name,    line, found) {
    while ((found = (getline line < name)) > 0) print line
    if (found < 0) { print FILENAME ": " name " cannot be read" > "/dev/stderr"; exit 1 }
    close(name)
}
FNR == 1 { folder = FILENAME; sub(/[^\/]*$/, "", folder) }
index($0, "<!-- " leave " -->") { hidden = 1 }
index($0, "<!-- /" leave " -->") { hidden = 0; next }
hidden || /^<!-- \/?[a-z]+ -->$/ { next }
match($0, /(href|src)="[^"]*"/) && /^<(link|script)/ {
    name = substr($0, RSTART, RLENGTH)
    gsub(/^[a-z]*="|"$/, "", name)
    if (/^<link/) print "<style>"
    else print substr($0, 1, RSTART - 2) ">"
    put(folder name)
    print /^<link/ ? "</style>" : "</script>"
    next
}
{ print }
