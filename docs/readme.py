#!/usr/bin/env python3
"""README's commands and what they print.

    python3 docs/readme.py            runs each command that stands behind "    $ " in README.md and
                                      compares what it prints with what README shows below it
    python3 docs/readme.py --update   puts what they print today into README.md

A line "..." stands for lines left out; seconds differ from run to run and are not compared. Ends with 1 when
something differs."""

import re
import subprocess
import sys

INDENT = "    "


def printed(command):
    """What a command prints on both streams, line by line, without blank lines at the ends."""
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    return done.stdout.decode().strip("\n").splitlines()


def timeless(line):
    return re.sub(r" +[0-9.]+ s\b", " S", line.rstrip())


def shortened(today, shown):
    """What is printed today, with lines left out where README leaves some out: of each part that it shows as
    many lines, found by the first word of the part's first line."""
    parts = "\n".join(shown).split("...")
    if len(parts) == 1:
        return today
    result, at = [], 0
    for number, part in enumerate(parts):
        lines = part.strip("\n").split("\n") if part.strip("\n") else []
        if number:
            result.append("...")
        if lines:
            while at < len(today) and today[at].split(" ")[0] != lines[0].split(" ")[0]:
                at += 1
            result += today[at:at + len(lines)]
            at += len(lines)
    return result


def main(update):
    lines = open("README.md").read().split("\n")
    result, failures, i = [], 0, 0
    while i < len(lines):
        result.append(lines[i])
        i += 1
        if not result[-1].startswith(INDENT + "$ "):
            continue
        shown = []
        while i < len(lines) and (lines[i] or lines[i + 1]).startswith(INDENT) and not (
                lines[i] or lines[i + 1]).startswith(INDENT + "$ "):
            shown.append(lines[i][len(INDENT):])
            i += 1
        today = shortened(printed(result[-1][len(INDENT) + 2:]), shown)
        if not update and list(map(timeless, shown)) != list(map(timeless, today)):
            failures += 1
            different = [pair for pair in zip(shown, today) if timeless(pair[0]) != timeless(pair[1])]
            print(f"FAIL {result[-1].strip()}: README shows {different[:1] or [(shown[-1:], today[-1:])]}")
        result += [(INDENT + line).rstrip() for line in (today if update else shown)]
    if update:
        open("README.md", "w").write("\n".join(result))
    elif failures == 0:
        print("ok README's commands print what README shows")
    return failures > 0


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--update"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:] == ["--update"]))
