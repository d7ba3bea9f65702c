#!/usr/bin/env python3
"""bench/fasttext.py TEXT [CHARACTERS]: the speed of fastText, the nearest relative: characters per second.

fastText's supervised model is the same one: the rows of a bag are added up (fastText takes their mean) and
go through a linear layer with softmax. The words of a line are the n-grams of 1 to 6 characters that end at
a position of TEXT, those that occur twice or more; its label is the next character. Two threads, dim 32. The
figure is from the difference of two runs, of one pass and of three, so that reading the file is not counted.
It needs the command fasttext (Debian's package of that name)."""

import collections
import os
import shutil
import subprocess
import sys
import tempfile
import time

ORDER, DIM, THREADS = 6, 32, 2


def write_lines(text, path):
    """A line for each position but the first: the next character as a label, then the numbers of the n-grams."""
    counts = collections.Counter(text[at - n:at] for n in range(1, ORDER + 1) for at in range(n, len(text)))
    numbers = {}
    with open(path, "w") as file:
        for at in range(1, len(text)):
            grams = [text[at - n:at] for n in range(1, min(ORDER, at) + 1)]
            words = [str(numbers.setdefault(gram, len(numbers))) for gram in grams if len(gram) == 1 or counts[gram] > 1]
            file.write(f"__label__{ord(text[at])} {' '.join(words)}\n")


def seconds(folder, epochs):
    command = ["fasttext", "supervised", "-input", f"{folder}/lines", "-output", f"{folder}/model", "-loss", "softmax",
               "-dim", str(DIM), "-epoch", str(epochs), "-thread", str(THREADS), "-lr", "0.5", "-minCount", "1", "-verbose", "0"]
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if not shutil.which("fasttext"):
        sys.exit("bench/fasttext.py: the command fasttext is not here (Debian: apt-get install fasttext)")
    text = open(sys.argv[1], encoding="utf-8", errors="replace").read()
    text = text[:int(sys.argv[2]) if len(sys.argv) == 3 else 200000]
    with tempfile.TemporaryDirectory() as folder:
        write_lines(text, os.path.join(folder, "lines"))
        print(round(2 * len(text) / (seconds(folder, 3) - seconds(folder, 1))))


main()
