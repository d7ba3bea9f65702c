#!/bin/bash
# What ./embed writes, opened with the real things: numpy (exports, distances, the map's axes, by
# docs/files.md's own reader, which finds what ./sample finds), gnuplot (both pictures) and Chromium
# (the page: slider, play, pause, pointing, both themes, without script).
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
begin slow_embed
./train -q --out $out data/text.txt || exit 1
embed() { ./embed --model $out/model.safetensors "$@"; }
for format in tsv vec map; do embed export --format $format > /dev/null || exit 1; done
embed report > /dev/null || exit 1
embed moved > $out/moved
grep . data/text.txt | head -n 600 | awk 'NR % 2 { printf "%s\t", $0; next } { print }' > $out/pairs
embed compare --pairs $out/pairs > $out/cosines
embed row "the " > $out/row
head -c 15000 data/text.txt > $out/text
./sample --model $out/model.safetensors --score $out/text --from 14000 > $out/score || exit 1

if $python -c 'import numpy' 2> /dev/null; then
    # the reader's last line is an example; its model is this one
    sed -n '/^```python$/,/^```$/p' docs/files.md |
        sed "/^\`\`\`/d; /^print(/d; s|out/model|$out/model|" > $out/reader.py
    $python - $out << 'PYTHON' || failures=1
import csv, json, re, struct, subprocess, sys
import numpy as np

folder, status = sys.argv[1], 0
sys.path.insert(0, folder)
from reader import arrays as model, load, logits, metadata as about, reader


def check(holds, name):
    global status
    print("ok" if holds else "FAIL", name)
    status |= not holds


def aligned(path):
    data = open(path, "rb").read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__")
    ends = [0]
    for begin, end in (about["data_offsets"] for about in header.values()):
        assert begin == ends[-1], "a hole"
        ends.append(end)
    whole = start + ends[-1] == len(data) and start % 8 == 0
    check(whole, f"{path}: data are aligned, without holes")


aligned(f"{folder}/model.safetensors")
aligned(f"{folder}/snapshots.safetensors")
table, ngrams = model["embedding.weight"], reader.ngram
shots, _ = load(f"{folder}/snapshots.safetensors")

# ---- docs/files.md's reader: the loss of the end of a text, and what follows many contexts


def log_softmax(logits):
    return logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())


text = open(f"{folder}/text").read()
losses = [log_softmax(logits(model, reader.rows(text[:i])).astype(float))[reader.id[text[i]]]
          for i in range(14000, len(text))]
loss, said = -np.mean(losses), float(open(f"{folder}/score").read().split()[3])
check(abs(loss - said) < 1e-5, f"docs/files.md is enough for a reader: {loss:.6f} nats/char, ./sample --score says {said:.6f}")

names = {"space": " ", "\\t": "\t", "\\n": "\n", "\\r": "\r", "\\x0b": "\x0b", "\\x0c": "\x0c"}
text, worst, compared, rows_agree = open("data/text.txt").read(), 0, 0, True
contexts = ["", "a", "\n", "the ", "the fox and the b", "  \n\nTHE  Fox's\tden, and the fo",
            "x" * 100, "It's 5 o'clock; it's "]
contexts += [text[:40], text[5000:5333], text[100000:103000], text[140000:155000]]
for context in contexts:
    command = ["./sample", "--model", f"{folder}/model.safetensors", "--next", context]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    head, tail = shown.stdout.split("\n\n")
    on = reader.rows(context)
    values = logits(model, on).astype(float)
    values[model["counts"][:100] == 0] = -np.inf  # what the text never had is not drawn
    p = np.exp(log_softmax(values))
    for line in head.splitlines()[1:]:
        name, percent = line.split()[:2]
        worst = max(worst, abs(100 * p[reader.id[names.get(name, name)]] - float(percent[:-1])))
        compared += 1
    rows_agree &= len(tail.splitlines()) - 3 == len(on)  # a heading, the characters, linear.bias
check(rows_agree, "docs/files.md: its reader finds as many rows as ./sample --next")
check(worst < 0.006 and compared >= 100,
      f"and the probabilities (largest difference {worst:.4f} percent of {compared})")

# ---- exports
metadata = list(csv.reader(open(f"{folder}/metadata.tsv", newline=""), delimiter="\t"))[1:]
names = [line[0] for line in metadata]
vectors = np.loadtxt(f"{folder}/vectors.tsv", dtype="f4", delimiter="\t")
check(vectors.shape == (len(names), int(about["dim"])) and (vectors[:100] == table[:100]).all(), "vectors.tsv: the rows, to the bit")
vec = open(f"{folder}/embedding.vec").read().split("\n")
pairs = [line.split(" ", 1) for line in vec[1:-1]]
check(vec[0] == f"{len(names)} {about['dim']}" and [p[0].replace("\\x20", " ") for p in pairs] == names and all(not re.search(r"\s", p[0]) for p in pairs), "embedding.vec: word2vec's rules")
check((np.array([p[1].split(" ") for p in pairs], dtype="f4") == vectors).all(), "embedding.vec: the same bits")
by_name = {**{n: i for n, i in zip(names[:100], range(100))}, **{f'"{repr(t)[1:-1]}"': r for t, r in ngrams.items() if t.isalpha()}}
sampled = [i for i in range(len(names)) if names[i] in by_name]
check(len(sampled) > 1000 and all((vectors[i] == table[by_name[names[i]]]).all() and int(metadata[i][2]) == model["counts"][by_name[names[i]]] for i in sampled), f"each name stands by its own row and count ({len(sampled)} looked up)")

# ---- what moved: the first snapshot is the start
check(shots["steps"][0] == 0 and shots["steps"][-1] == int(about["steps"]) and len(shots["steps"]) == min(40, 1000000 // (400 * int(about["dim"]))), f"{len(shots['steps'])} snapshots from the start to the end")
moved = np.sqrt(((table[:100].astype(float) - shots["snapshots"][0]) ** 2).sum(1))
said = dict(re.findall(r"^  (\S+) +([0-9.]+)  seen", open(f"{folder}/moved").read(), re.M))
check(len(said) == 100 and all(abs(float(said[n]) - m) < 1e-4 for n, m in zip(names, moved)), "embed moved: the distances from the first snapshot, so the seed gives the start to the bit")

# ---- what a row makes likelier: its way through linear.weight
logits = model["linear.weight"].astype(float) @ table[ngrams["the "]].astype(float)
order = np.argsort(-logits)
lines = [line.split() for line in open(f"{folder}/row")][-8:]
expected = [[names[order[i]], f"{logits[order[i]]:+.3f}", names[order[-1 - i]], f"{logits[order[-1 - i]]:+.3f}"] for i in range(8)]
check(lines == expected, "embed row: what it adds to the logits")

# ---- whole texts: lib/sentence.h followed to the letter
n = len(ngrams)
rows, count = table[100 : 100 + n].astype(float), model["counts"][100 : 100 + n].astype(float)
weight = 1e-4 / (1e-4 + count / model["counts"][:100].sum())
moment = (rows * (count * weight**2)[:, None]).T @ rows
whiten = np.linalg.inv(np.linalg.cholesky(moment + np.eye(len(moment)) * 1e-6 * np.trace(moment) / len(moment)))


def vector(text):
    text = "\n" + text
    found = {ngrams[text[i:j]] - 100 for j in range(1, len(text) + 1) for i in range(max(0, j - 7), j - 1) if text[i:j] in ngrams}
    y = whiten @ sum(weight[r] * rows[r] for r in found)
    return y / np.sqrt(y @ y)


two = [line.split("\t") for line in open(f"{folder}/pairs").read().split("\n")[:-1]]
expected = np.array([vector(a) @ vector(b) for a, b in two])
said = np.loadtxt(f"{folder}/cosines")
check(len(two) > 100 and abs(expected - said).max() < 1e-4, f"embed compare: the cosines by numpy (largest difference {abs(expected - said).max():.1e})")

# ---- the map: numpy's singular value decomposition
points = list(csv.reader(open(f"{folder}/map.tsv", newline=""), delimiter="\t"))
seen = [int(p[3]) for p in points]
rows = table[seen].astype(float)
centred = rows - rows.mean(0)
_, s, axes = np.linalg.svd(centred, full_matrices=False)
expected = centred @ axes[:2].T
found = np.array([[float(p[0]), float(p[1])] for p in points])
check(all(min(abs(expected[:, a] - found[:, a]).max(), abs(expected[:, a] + found[:, a]).max()) < 1e-3 for a in range(2)), "the map's axes are numpy's principal components")
sys.exit(status)
PYTHON
else
    echo "skip numpy: install python3-numpy"
fi

if command -v gnuplot > /dev/null; then
    make -s plot OUT=$out > /dev/null 2> $out/errors && [ ! -s $out/errors ]
    that $? "make plot draws both pictures" "$(head -n 1 $out/errors)"
    for picture in map loss; do
        [ "$(head -c 8 $out/$picture.png | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] &&
            [ "$(wc -c < $out/$picture.png)" -gt 10000 ]
        that $? "$picture.png is a picture"
    done
else
    echo "skip gnuplot: install gnuplot-nox"
fi
PATH=$out/nothing:/bin make -s plot OUT=$out > /dev/null 2> $out/errors
if command -v gnuplot > /dev/null && [ -x /bin/gnuplot ]; then
    mkdir -p $out/few
    for tool in make sh test cc awk cksum cmp mkdir dirname sed; do ln -sf "$(command -v $tool)" $out/few/; done
    PATH=$PWD/$out/few make -s -o embed plot OUT=$out > /dev/null 2> $out/errors
fi
grep -q 'needs gnuplot' $out/errors && [ "$(grep -vc '^make: ' $out/errors)" -eq 1 ]
that $? "without gnuplot make plot says in one line how to get it" "$(cat $out/errors)"

mkdir -p $out/unlogged
cp $out/model.safetensors $out/unlogged
make -s plot OUT=$out/unlogged > /dev/null 2> $out/errors
grep -q 'no curve to draw' $out/errors && [ ! -f $out/unlogged/loss.png ]
that $? "make plot without a log says so, and draws nothing" "$(cat $out/errors)"

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$chromium" ]; then
    browse() { timeout 60 "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir=$out/profile "$@" 2> /dev/null; }
    # a copy of the page with a hand on its slider and keys; what it finds goes into the document
    said=$({ embed row e; embed near e; } | awk '/^norm/ { seen = $4; moved = sprintf("%.2f", $9) } # "e: row 14, seen 12,450 times, ..."
        /^near/ { for (n = 0; n < 3; n++) { getline; nearest = nearest (n ? ", " : "") sprintf("%s (%.2f)", $2, $1) } }
        END { printf "e: row 14, seen %s times, moved %s in all. Nearest now: %s", seen, moved, nearest }')
    { cat $out/report.html; printf '<script>const said = "%s";</script>\n' "$said"; cat; } > $out/driven.html << 'HTML'
<script>
// frames come by the clock, which runs ahead while nothing happens
requestAnimationFrame = f => setTimeout(() => f(performance.now()), 16);
cancelAnimationFrame = clearTimeout;
const marks = map.marks.filter(mark => !mark.ghost), last = lastMoment(shown.run);
const where = () => marks.map(m => m.drawn.getAttribute('transform')).join(), bars = () => $('bars').querySelector('path').getAttribute('d');
const found = [], say = (name, holds) => found.push((holds ? 'ok ' : 'FAIL ') + 'page: ' + name);
const wait = ms => new Promise(done => setTimeout(done, ms));
const slide = t => { $('slider').value = t; $('slider').dispatchEvent(new Event('input')); return wait(50); };
const key = (part, name) => { $(part).dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true })); return wait(50); };
const chosen = () => map.marks.filter(m => m.drawn.getAttribute('aria-checked') === 'true').map(m => nameOf(m.id)).join();
addEventListener('error', event => say(`no error, but ${event.message}`, false));
(async () => {
  wanted = 0; // no frame is asked for by now
  await slide(last);
  const end = where(), rowAtEnd = bars();
  await slide(0);
  const start = where();
  say('the slider at 0 shows the start', start !== end && $('moment').textContent === 'batch 0');
  say('the start is as wide as the map', Math.max(...marks.map(m => map.places.get(m.id)[1])) - Math.min(...marks.map(m => map.places.get(m.id)[1])) > map.height / 2);
  say('and the row as it was then', bars() !== rowAtEnd);
  await slide(last);
  say('the slider at its end shows the end', where() === end && bars() === rowAtEnd && $('moment').textContent === `batch ${number(shown.run.steps)}`);
  await slide(2.5);
  say('between two moments marks are between', where() !== start && where() !== end);
  await slide(last);
  await key('map', 'e');
  say('typing e shows its row', $('what').textContent.startsWith(said) && document.activeElement.getAttribute('aria-label').startsWith('e: row 14') && chosen() === 'e');
  await key('map', 'ArrowRight');
  say('an arrow key goes to the next mark', chosen() === 'f');
  await key('heat', 'T');
  say('a character typed on the table is found', chosen() === 'T');
  const box = marks[5].drawn.getBoundingClientRect();
  $('map').dispatchEvent(new PointerEvent('pointerdown', { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 }));
  say('touching a mark shows its row', chosen() === nameOf(marks[5].id));
  const places = marks.map(m => map.places.get(m.id)); // 20 pixels around each mark: no other is nearer there than half-way
  say('marks are far enough from each other to be touched', places.every((p, i) => places.every((q, j) => i === j || Math.hypot(p[0] - q[0], p[1] - q[1]) > 12)));
  $('play').click();
  say('Play becomes Pause', $('play').textContent === 'Pause');
  await wait(700);
  say('Play moves the marks', where() !== end);
  $('play').click();
  await wait(50);
  const still = where();
  await wait(500);
  say('Pause holds them', where() === still && $('play').textContent === 'Play');
  $('play').click();
  await wait(9000);
  say('Play ends at the end', where() === end && $('play').textContent === 'Play');
  for (const [hash, to] of [['#5', 5], ['#7', 7], ['#-3', 0], ['#1000', last], ['#x', last]]) {
    location.hash = hash;
    await wait(100);
    say(`${hash} is snapshot ${to}`, shown.moment === to && +$('slider').value === to);
  }
  say('nothing is wider than the window', document.documentElement.scrollWidth <= innerWidth);
  const boxes = marks.map(m => m.drawn.querySelector('ellipse').getBoundingClientRect());
  say('no mark covers another', !boxes.some((p, i) => boxes.some((q, j) => j < i &&
    Math.hypot((p.x + p.width / 2 - q.x - q.width / 2) / (p.width + q.width) * 2, (p.y - q.y) / p.height) < .85)));
  const small = [...document.querySelectorAll('button, input, summary')].filter(e => e.getBoundingClientRect().height < 40);
  say('buttons and the like are at least 40 pixels high', small.length === 0);
  say('both curves are drawn', document.querySelectorAll('#curve .curve').length === 2);
  document.body.innerHTML = '<pre id=found>' + found.join('\n') + '\n</pre>';
})();
</script>
HTML
    for size in 1280,900 500,844; do # headless windows are at least 500 wide
        browse --virtual-time-budget=20000 --window-size=$size --dump-dom "file://$PWD/$out/driven.html" | sed -n '/<pre id="found">/,/<\/pre>/p' | sed 's/<[^>]*>//g' | grep -v '^$' | sed "s/$/ (window $size)/" > $out/found
        cat $out/found
        [ "$(grep -c '^ok' $out/found)" -eq 23 ] || bad "the page in a window of $size: $(grep -c '^ok' $out/found) of 23 hold"
    done
    # both themes: the colour of the corner; without script: marks and curve are there
    for theme in 0 1; do
        browse --blink-settings=preferredColorScheme=$theme --screenshot=$out/theme$theme.png --window-size=390,844 "file://$PWD/$out/report.html"
    done
    [ -s $out/theme0.png ] && [ -s $out/theme1.png ] && ! cmp -s $out/theme0.png $out/theme1.png
    that $? "page: a light and a dark theme"
    # what is shown without script
    sed '/^<script>/,/^<\/script>/d; s/<\/*noscript>//' $out/report.html > $out/without.html
    browse --dump-dom "file://$PWD/$out/without.html" > $out/still.html
    for words in 'map of the 64 characters' 'rows did not move by one bit' '^1094,2.0000'; do
        grep -q "$words" $out/still.html || echo "no $words"
    done > $out/lacks
    [ ! -s $out/lacks ]
    that $? "page: without script the map, the moves and the losses are there as text" \
        "$(cat $out/lacks)"
else
    echo "skip the page in a browser: install chromium"
fi
finish
