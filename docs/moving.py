#!/usr/bin/python3
"""The rows of the characters as they move while they are trained: an animated picture (SVG).

    ./train --order 1 --dim 10 --set init-std=0.3 --epochs 6 --set evaluations=8 data/text.txt
    /usr/bin/python3 docs/moving.py out > docs/pictures/moving.svg

It reads OUT/snapshots.safetensors (the 100 character rows at up to 40 moments), OUT/model.safetensors
(which characters occur) and OUT/loss.csv; it needs python3-numpy. All moments are drawn on one plane,
the one on which the rows of the last moment differ most."""

import csv
import json
import string
import sys

import numpy

WIDTH, HEIGHT, MAP = 760, 400, 330
SECONDS = 9.0
REST = 0.25  # the share of the time for which the last moment stays
DTYPES = {"F32": "<f4", "I64": "<i8", "I32": "<i4"}
KINDS = {  # class, light, dark
    "vowel": ("#be123c", "#ff7a93"), "consonant": ("#1d4ed8", "#7aa7ff"), "capital": ("#047857", "#4ade80"),
    "digit": ("#7c3aed", "#c4a5ff"), "punctuation": ("#92600a", "#eab308"), "space": ("#5d626b", "#a3a9b2")}


def tensors(path):
    """The tensors of a safetensors file by name (those of the types above)."""
    data = open(path, "rb").read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    found = {}
    for name, about in header.items():
        if name != "__metadata__" and about["dtype"] in DTYPES:
            begin, end = about["data_offsets"]
            numbers = numpy.frombuffer(data[8 + length + begin:8 + length + end], DTYPES[about["dtype"]])
            found[name] = numbers.reshape(about["shape"])
    return found


def kind(character):
    if character in "aeiou":
        return "vowel"
    if character in string.ascii_lowercase:
        return "consonant"
    if character in string.ascii_uppercase:
        return "capital"
    if character in string.digits:
        return "digit"
    return "space" if character in string.whitespace else "punctuation"


def shown(character):
    return {" ": "space", "\n": "\\n", "\t": "\\t", "&": "&amp;", "<": "&lt;"}.get(character, character)


def planes(snapshots):
    """Places [moment, character, 2] on the plane of the last moment, in pixels."""
    last = snapshots[-1] - snapshots[-1].mean(0)
    axes = numpy.linalg.svd(last, full_matrices=False)[2][:2]
    places = (snapshots - snapshots.mean(1, keepdims=True)) @ axes.T
    reach = numpy.abs(places).max((0, 1))
    return places / reach * [WIDTH / 2 - 40, MAP / 2 - 20] + [WIDTH / 2, MAP / 2 + 5]


def main(out):
    saved = tensors(f"{out}/snapshots.safetensors")
    seen = [c for c in range(100) if tensors(f"{out}/model.safetensors")["counts"][c] > 0]
    places = planes(saved["snapshots"][:, seen].astype(float))
    steps = saved["steps"]
    log = list(csv.DictReader(open(f"{out}/loss.csv")))
    losses = [(float(row["step"]), float(row["val_loss"])) for row in log]
    times = list(numpy.arange(len(places)) / (len(places) - 1) * (1 - REST)) + [1.0]
    key_times = ";".join(f"{time:.3f}" for time in times)
    animate = f'dur="{SECONDS}s" repeatCount="indefinite" keyTimes="{key_times}"'

    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
          'aria-label="The rows of the characters move from a random start to groups of letters that are used alike">')
    print("<style>text{font:600 15px ui-monospace,monospace;text-anchor:middle;dominant-baseline:central}"
          ".note{font:12px system-ui,sans-serif;text-anchor:start;fill:#5d626b}.line{fill:none;stroke:#94a3b8;stroke-width:1.5}"
          ".dot{fill:#c2410c}" + "".join(f".{name}{{fill:{light}}}" for name, (light, _) in KINDS.items()) +
          "@media(prefers-color-scheme:dark){.note{fill:#a3a9b2}.dot{fill:#fb923c}" +
          "".join(f".{name}{{fill:{dark}}}" for name, (_, dark) in KINDS.items()) + "}</style>")
    for i, row in enumerate(seen):
        character = string.printable[row]
        path = [f"{x:.0f},{y:.0f}" for x, y in places[:, i]]
        print(f'<text class="{kind(character)}">{shown(character)}<animateTransform attributeName="transform" '
              f'type="translate" values="{";".join(path + path[-1:])}" {animate}/></text>')

    low, high = min(loss for _, loss in losses), max(loss for _, loss in losses)
    # Snapshots are dense at the start; so is this axis.
    across = [60 + (WIDTH - 130) * (step / losses[-1][0]) ** 0.5 for step, _ in losses]
    down = [MAP + 15 + 40 * (high - loss) / (high - low) for _, loss in losses]
    print(f'<path class="line" d="M{" L".join(f"{x:.0f},{y:.0f}" for x, y in zip(across, down))}"/>')
    moments_across = [60 + (WIDTH - 130) * (float(step) / losses[-1][0]) ** 0.5 for step in steps]
    moments_down = list(numpy.interp(moments_across, across, down))
    for name, values in (("cx", moments_across), ("cy", moments_down)):
        moments = [f"{value:.1f}" for value in values]
        animation = f'<animate attributeName="{name}" values="{";".join(moments + moments[-1:])}" {animate}/>'
        print(f'<circle class="dot" r="4">{animation}' if name == "cx" else f"{animation}</circle>")
    print(f'<text class="note" x="4" y="{down[0]:.0f}">{high:.2f}</text>')
    print(f'<text class="note" x="{WIDTH - 62}" y="{down[-1]:.0f}">{low:.2f} nats</text>')
    print("</svg>")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
