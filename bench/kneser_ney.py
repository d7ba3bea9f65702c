#!/usr/bin/env python3
"""bench/kneser_ney.py LMPLZ TEXT [ORDER...]: a character n-gram model with modified Kneser-Ney smoothing, by KenLM.

LMPLZ is KenLM's program of that name; its program query must stand beside it. The model is estimated on the first 90% of the
text as one sentence and scores the rest as one stream of characters, going on from the training part; it learns
nothing there. Prints nats per character for each order and, last, the best. Without orders: 4 to 12, then 14, 16, 18, 20
as long as the last one was the best."""
import math, os, subprocess, sys, tempfile


def words(text):
    """One token a character; white space and < > (KenLM's own tokens) get names."""
    names = {" ": "SP", "\n": "NL", "\t": "TB", "\v": "VT", "\f": "FF", "\r": "CR"}
    return " ".join(names.get(c, c) for c in text)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    lmplz, path, orders = sys.argv[1], sys.argv[2], [int(o) for o in sys.argv[3:]]
    query = os.path.join(os.path.dirname(lmplz), "query")
    text = open(path, encoding="ascii", errors="ignore", newline="").read().replace("\r\n", "\n")
    split = int(len(text) * 0.9)
    before = text[max(0, split - 64):split]  # only context: not counted
    tail = text[split:]
    losses = {}
    with tempfile.TemporaryDirectory() as folder:
        train, val, arpa = (os.path.join(folder, name) for name in ("train", "val", "arpa"))
        open(train, "w").write(words(text[:split]) + "\n")
        open(val, "w").write(words(before + tail) + "\n")
        for order in orders or [*range(4, 13), 14, 16, 18, 20]:
            if not orders and order > 12 and max(losses) != min(losses, key=losses.get):
                break
            made = subprocess.run([lmplz, "-o", str(order), "--discount_fallback", "-S", "2G", "-T", folder, "--text", train, "--arpa", arpa],
                                  capture_output=True, text=True)
            if made.returncode:
                print(f"order {order}: lmplz failed: {made.stderr.strip().splitlines()[-1]}")
                continue
            scored = subprocess.run([query, "-n", "-v", "word", arpa], stdin=open(val), capture_output=True, text=True)
            # token=id length log10 p, separated by tabs
            logs = [float(field.rsplit(" ", 1)[1]) for field in scored.stdout.split("\n")[0].split("\t") if field.count(" ") >= 2 and "=" in field]
            if len(logs) != len(before + tail):
                sys.exit(f"query scored {len(logs)} of {len(before + tail)} characters")
            losses[order] = -sum(logs[len(before):]) * math.log(10) / len(tail)
            print(f"order {order} {losses[order]:.4f}", flush=True)
    if losses:
        best = min(losses, key=losses.get)
        print(f"best {best} {losses[best]:.4f}")


main()
