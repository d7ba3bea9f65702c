#!/bin/bash
# What ./embed writes, opened with the real things: numpy (exports, distances, the map's axes, and docs/files.md as a reader),
# gnuplot (both pictures) and Chromium (the page: slider, play, pause, pointing, both themes, without script).
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
./sample --model $out/model.safetensors --score data/text.txt --from 154000 > $out/score || exit 1
./sample --model $out/model.safetensors --next "the " > $out/next || exit 1

if $python -c 'import numpy' 2> /dev/null; then
    $python - $out << 'PYTHON' || failures=1
import bisect, csv, json, re, string, struct, sys
import numpy as np

folder, status = sys.argv[1], 0


def check(holds, name):
    global status
    print("ok" if holds else "FAIL", name)
    status |= not holds


def read(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    about = header.pop("__metadata__")
    types, arrays, covered = {"F32": "<f4", "I32": "<u4", "U8": "u1", "I64": "<i8"}, {}, 0
    for name, a in header.items():
        begin, end = a["data_offsets"]
        assert begin == covered, "a hole"
        covered = end
        arrays[name] = np.frombuffer(data[8 + length :][begin:end], types[a["dtype"]]).reshape(a["shape"])
    check(8 + length + covered == len(data) and length % 8 == 0, f"{path}: data are aligned, without holes")
    return arrays, about


model, about = read(f"{folder}/model.safetensors")
table = model["embedding.weight"]
shots, _ = read(f"{folder}/snapshots.safetensors")

# ---- docs/files.md, followed to the letter: the loss of the end of the text, and what follows "the "
ids = {c: i for i, c in enumerate(string.printable)}
ngrams = {bytes(cell).lstrip(b"\0").decode(): 100 + i for i, cell in enumerate(model["ngrams"])}
phrases, phrase = {}, ""
for i, (length, character) in enumerate(model["phrases"]):
    phrase = phrase[: length - 1] + chr(character)
    phrases[phrase] = 100 + len(ngrams) + i
echoes = 100 + len(ngrams) + len(phrases)
columns = echoes + 100 * len(model["echoes"])
word = re.compile(r"(?<![A-Za-z0-9'_])[A-Za-z0-9'_]")


def logits_of(text, i, starts):
    """starts: where words begin. text[:i] is the context."""
    on = [ids[text[i - 1]]]
    for k in range(2, int(about["order"]) + 1):
        if text[i - k : i] not in ngrams:
            break
        on.append(ngrams[text[i - k : i]])
    plain = re.sub("[ \t\n\r\x0b\x0c]+", " ", text[max(0, i - 400) : i].lower())
    on += [phrases[plain[m.start() :]] for m in list(word.finditer(plain))[-2:] if plain[m.start() :] in phrases]
    last = starts[: bisect.bisect_left(starts, i)][-2:][::-1]
    begin = text.rfind("\n", 0, i) + 1
    for e, key in enumerate(map(int, model["echoes"])):
        if key == 103:
            above = text.rfind("\n", 0, max(0, begin - 1)) + 1 + i - begin
            on.append(echoes + 100 * e + ids[text[above] if above < begin else "\n"])
            continue
        first = i - key if key < 100 else last[key - 101] if len(last) > key - 101 else -1
        f = i - 1
        while first >= 0 and i - first <= 40:
            at = text.rfind(text[first:i], 0, f)
            f = at + i - first
            if at < 0 or i - f >= 1 << 22:
                break
            if key < 100 or at in starts:
                on.append(echoes + 100 * e + ids[text[f]])
                break
            f -= 1
    on.append(columns + min(80, i - begin))
    return model["linear.weight"].astype(float) @ table[on].astype(float).sum(0) + model["linear.bias"]


def log_softmax(logits):
    return logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())


text = open("data/text.txt").read()
starts = [m.start() for m in word.finditer(text)]
loss = -np.mean([log_softmax(logits_of(text, i, starts))[ids[text[i]]] for i in range(154000, len(text))])
said = float(open(f"{folder}/score").read().split()[3])
check(abs(loss - said) < 1e-5, f"docs/files.md is enough for a reader: {loss:.6f} nats/char, ./sample --score says {said:.6f}")
logits = logits_of("the ", 4, [0])
logits[model["counts"][:100] == 0] = -np.inf  # ./sample never gives a character that the text lacks
said = dict(re.findall(r"^  (\S+) +([0-9.]+)%", open(f"{folder}/next").read(), re.M))
p = 100 * np.exp(log_softmax(logits))
worst = max(abs(p[ids[{"space": " ", "\\n": "\n"}.get(c, c)]] - float(percent)) for c, percent in said.items())
check(len(said) > 5 and worst < 0.006, f"numpy gets the probabilities of ./sample --next, to {worst:.4f} percent")

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
    make -s plot OUT=$out > /dev/null 2> $out/errors && [ ! -s $out/errors ] && ok "make plot draws both pictures" || bad "make plot: $(head -n 1 $out/errors)"
    for picture in map loss; do
        [ "$(head -c 8 $out/$picture.png | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] && [ "$(wc -c < $out/$picture.png)" -gt 10000 ] && ok "$picture.png is a picture" || bad "$picture.png"
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
grep -q 'needs gnuplot' $out/errors && [ "$(grep -vc '^make: ' $out/errors)" -eq 1 ] && ok "without gnuplot make plot says in one line how to get it" || bad "without gnuplot: $(cat $out/errors)"

mkdir -p $out/unlogged
cp $out/model.safetensors $out/unlogged
make -s plot OUT=$out/unlogged > /dev/null 2> $out/errors
grep -q 'no curve to draw' $out/errors && [ ! -f $out/unlogged/loss.png ] && ok "make plot without a log says so, and draws nothing" || bad "make plot without a log: $(cat $out/errors)"

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
    [ -s $out/theme0.png ] && [ -s $out/theme1.png ] && ! cmp -s $out/theme0.png $out/theme1.png && ok "page: a light and a dark theme" || bad "page: themes look the same"
    sed '/^<script>/,/^<\/script>/d; s/<\/*noscript>//' $out/report.html > $out/without.html # what is shown without script
    browse --dump-dom "file://$PWD/$out/without.html" > $out/still.html
    grep -q 'map of the 64 characters' $out/still.html && grep -q 'rows did not move by one bit' $out/still.html && grep -q '^1094,2.0000' $out/still.html &&
        ok "page: without script the map, the moves and the losses are there as text" || bad "page: without script"
else
    echo "skip the page in a browser: install chromium"
fi
finish
