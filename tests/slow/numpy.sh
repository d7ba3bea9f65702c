#!/bin/sh
# model.safetensors read by other people's code: numpy opens the tensors and computes the logits that ./sample shows.
cd "$(dirname "$0")/../.." || exit 1
. tests/programs/lib.sh
$python -c 'import numpy' 2> /dev/null || { echo "skip numpy: install python3-numpy"; exit 0; }
begin numpy
./train -q --dim 16 --rows ngrams --out $out data/text.txt || exit 1
./sample --model $out/model.safetensors --next "the " > $out/next || exit 1
$python - $out <<'END'
import json, struct, sys
import numpy as np

printable = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\x0b\x0c"
folder = sys.argv[1]
data = open(f"{folder}/model.safetensors", "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8 : 8 + length])
assert (8 + length) % 8 == 0, "data do not start aligned"
types = {"F32": "<f4", "I32": "<i4", "U8": "u1"}
tensors, covered = {}, 0
for name, about in header.items():
    if name == "__metadata__":
        continue
    begin, end = about["data_offsets"]
    assert begin == covered, "a hole"
    covered = end
    tensors[name] = np.frombuffer(data[8 + length + begin : 8 + length + end], types[about["dtype"]]).reshape(about["shape"])
assert 8 + length + covered == len(data)
rows = {c: i for i, c in enumerate(printable)}
for i, cell in enumerate(tensors["ngrams"]):
    rows[cell.tobytes().lstrip(b"\0").decode("ascii")] = 100 + i
context = "the "
on = []
for k in range(1, len(context) + 1):
    if context[-k:] not in rows:
        break
    on.append(rows[context[-k:]])
h = tensors["embedding.weight"][on].astype(float).sum(0)
logits = tensors["linear.weight"].astype(float) @ h + tensors["linear.bias"]
logits[tensors["counts"][:100] == 0] = -np.inf  # ./sample never gives a character that the text lacks
p = np.exp(logits - logits.max())
p /= p.sum()
worst = 0
for line in open(f"{folder}/next"):
    if line.startswith("rows"):
        break
    words = line.split()
    if len(words) >= 2 and words[1].endswith("%"):
        c = {"space": " ", "\\n": "\n"}.get(words[0], words[0])
        worst = max(worst, abs(100 * p[rows[c]] - float(words[1][:-1])))
print("ok" if worst < 0.006 else "FAIL", f"numpy gets the probabilities of ./sample --next (largest difference {worst:.4f} percent, shown with two decimals)")
sys.exit(int(worst >= 0.006))
END
