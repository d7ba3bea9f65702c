#!/usr/bin/env python3
"""Protects ./wtf: its losses, its row of 'a' and its attention's gradients are PyTorch's.

Run in the project's folder after make; says "skip" where there is no PyTorch. With --print it shows
the numbers that stand in wtf.c."""
import os
import re
import string
import subprocess
import sys
import tempfile

try:
    import torch
    from torch import nn
except ImportError:
    print("skip ./wtf against PyTorch: PyTorch is not here")
    sys.exit(0)

STEPS = [0, 1, 10, 20, 50, 100, 1000]
failed = False


def check(holds, what):
    global failed
    failed = failed or not holds
    print(("ok " if holds else "FAIL ") + what)


def losses(freeze):
    """The notebook's string: each character predicts the next one, the last one the first."""
    torch.manual_seed(1)
    embedding, linear = nn.Embedding(100, 10), nn.Linear(10, 100)
    embedding.weight.requires_grad_(not freeze)
    ids = torch.tensor([string.printable.index(c) for c in "WTF does nn.Embedding do?"])
    parameters = [p for m in (embedding, linear) for p in m.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    found = []
    for step in range(STEPS[-1] + 1):
        loss = nn.functional.cross_entropy(linear(embedding(ids)), ids.roll(-1))
        if step in STEPS:
            found.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return found


free, frozen = losses(False), losses(True)
if "--print" in sys.argv:
    torch.manual_seed(1)
    print("row of 'a'", ", ".join("%.9gf" % x for x in nn.Embedding(100, 10).weight[10].tolist()))
    print("losses", ", ".join("%.5ff" % x for x in free))
    print("frozen", ", ".join("%.5ff" % x for x in frozen))
    sys.exit(0)

said = subprocess.run(["./wtf"], stdout=subprocess.PIPE, text=True).stdout
for name, ours in (("loss", free), ("loss, rows frozen", frozen)):
    numbers = re.search("^   " + name + r" +([0-9. ]+)$", said, re.M).group(1).split()
    error = max(abs(float(a) - b) for a, b in zip(numbers, ours))
    check(len(numbers) == 7 and error < 1e-4, "%s: PyTorch's, to %.0e" % (name, error))

# ---- attention: the same sentence, forward and backward -------------------------------------------
DRIVER = r"""
#include "lib/attention.h"
#include <stdio.h>
static float numbers[4][2 * CHARACTERS * HEAD + CHARACTERS];
int main(void) {
    Model model = {CHARACTERS, HEAD, numbers[0], numbers[0] + CHARACTERS * HEAD,
                   numbers[0] + 2 * CHARACTERS * HEAD};
    Model gradient = {CHARACTERS, HEAD, numbers[1], numbers[1] + CHARACTERS * HEAD,
                      numbers[1] + 2 * CHARACTERS * HEAD};
    Random random = random_seeded(3);
    model_start(&model, &random, 1);
    Sentence one = {.n = 5, .bags = {{7, 92}, {5, 93}, {8, 94}, {7, 95}, {1, 96}}};
    Sentence other = {.n = 3, .bags = {{1, 92}, {2, 93}, {8, 94}}};
    float done[HEAD], dother[HEAD];
    attention_forward(&model, &one);
    attention_forward(&model, &other);
    cosine_backward(one.mean, other.mean, 1, done, dother);
    attention_backward(&model, &gradient, &one, done);
    attention_backward(&model, &gradient, &other, dother);
    fwrite(numbers, sizeof numbers[0], 2, stdout);
    fwrite(one.mean, sizeof one.mean, 1, stdout);
    fwrite(one.a, sizeof one.a, 1, stdout);
    return 0;
}
"""
with tempfile.TemporaryDirectory() as folder:
    source, program = os.path.join(folder, "driver.c"), os.path.join(folder, "driver")
    with open(source, "w") as file:
        file.write(DRIVER)
    subprocess.run(["cc", "-std=c11", "-D_DEFAULT_SOURCE", "-w", "-ffp-contract=off", "-I.", source,
                    "lib/random.c", "-lm", "-o", program], check=True)
    output = subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout
values = torch.frombuffer(bytearray(output), dtype=torch.float32)
weights, gradient, mean, shares = values[:2100], values[2100:4200], values[4200:4210], values[4210:]
rows = weights[:1000].view(100, 10).clone().requires_grad_()
linear = nn.Linear(10, 100)
linear.weight.data, linear.bias.data = weights[1000:2000].view(100, 10).clone(), weights[2000:].clone()


def sentence(words):
    x = rows[words] + rows[92:92 + len(words)]
    query, key, value = linear(x)[:, :30].split(10, dim=1)
    share = torch.softmax(query @ key.t() / 10 ** 0.5, dim=1)
    return (x + share @ value).mean(dim=0), share


one, share = sentence([7, 5, 8, 7, 1])
other, _ = sentence([1, 2, 8])
torch.cosine_similarity(one, other, dim=0).backward()
check((one - mean).abs().max() < 1e-6, "attention: the sentence's vector is PyTorch's")
check((share - shares.view(8, 8)[:5, :5]).abs().max() < 1e-6, "attention: the shares are PyTorch's")
theirs = torch.cat([rows.grad.view(-1), linear.weight.grad.view(-1), linear.bias.grad])
error = (theirs - gradient).abs().max().item()
check(error < 1e-6 and theirs.abs().max() > 0.01,
      "attention: all 2,100 gradients are PyTorch's, to %.0e" % error)
sys.exit(failed)
