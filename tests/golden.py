#!/usr/bin/env python3
"""Prints tests/unit/golden.h: numbers that PyTorch computes and tests/unit/twin.c holds the C program to, where there is no PyTorch.

    tests/golden.py > tests/unit/golden.h

Again after a change of data/text.txt, of the rows (tests/rows.py) or of the training (tests/twin.py)."""
import math
from types import SimpleNamespace

import torch
from torch import nn

import rows as kinds_of_rows
import twin

TEXT, BATCHES, VAL = "data/text.txt", 1000, 0.1
SAMPLED = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 800, 1000]     # whose losses are kept; and the mean of all

# what a run has if nothing else is said; rates as ./train has them
COMMON = dict(order=6, dim=32, batch=256, epochs=2, optimizer="adagrad", lr=0.1, linear_lr=0.02, final_lr=0.1, accumulator=1e-5,
              init_std=0.1, val=VAL, seed=1, min_count=1, max_rows=3000000, rows="all", pretrained="", freeze_embedding=False,
              max_norm=0.0, norm_type=2.0, scale_grad_by_freq=False)
SGD = dict(optimizer="sgd", lr=10.0, linear_lr=0.5)
CHARACTERS = dict(order=1, init_std=1.0, accumulator=0.0)

RUNS = [dict(**(CHARACTERS if order == 1 else {}), **(SGD if sgd else {}), dim=dim, batch=batch)
        for order in (1, 6) for sgd in (False, True) for dim in (10, 32) for batch in (32, 256)]
RUNS += [dict(rows="ngrams", dim=10, batch=100, seed=4294967295), dict(order=3, rows="phrases,columns", min_count=3, dim=7, epochs=1, batch=64),
         dict(**CHARACTERS, freeze_embedding=True, dim=10), dict(freeze_embedding=True, dim=10),
         dict(**CHARACTERS, max_norm=1.5, dim=10), dict(max_norm=0.3, norm_type=1.0, dim=10), dict(max_norm=0.2, norm_type=float("inf"), dim=10),
         dict(**CHARACTERS, **SGD, scale_grad_by_freq=True, dim=10), dict(order=2, rows="columns", scale_grad_by_freq=True, dim=10)]
# each option of nn.Embedding together with each other one, at order 1 and above
OPTIONS = [dict(freeze_embedding=True), dict(max_norm=0.4), dict(scale_grad_by_freq=True)]
RUNS += [dict(**kind, **OPTIONS[a], **OPTIONS[b], dim=10, **rule)
         for kind, rule in ((CHARACTERS, {}), (dict(order=3), SGD), (dict(order=4), {})) for a, b in ((0, 1), (0, 2), (1, 2))]
RUNS += [dict(order=4, freeze_embedding=True, max_norm=0.4, norm_type=3.5, scale_grad_by_freq=True, dim=10)]


def numbers(values, form="%.9g"):
    text, line = "", ""
    for value in values:
        word = (form % value) + ", "
        if len(line) + len(word) > 120:
            text, line = text + "\n        " + line.rstrip(), ""
        line += word
    return text + "\n        " + line.rstrip(", ")


def fingerprint(values):
    """FNV-1a over 32-bit numbers, low byte first."""
    result = 0xcbf29ce484222325
    for byte in torch.as_tensor(values, dtype=torch.int32).numpy().tobytes():
        result = (result ^ byte) * 0x100000001b3 % 2**64
    return result


def start(seed, dim):
    torch.manual_seed(seed)
    embedding, linear = nn.Embedding(100, dim), nn.Linear(dim, 100)
    order = torch.randperm(1000)
    print(f"    {{{seed}u, {dim}, {fingerprint(order):#018x}u, {{{numbers(embedding.weight.flatten()[::len(embedding.weight.flatten()) // 40][:40])}}},")
    print(f"        {{{numbers(linear.weight.flatten()[::len(linear.weight.flatten()) // 40][:40])}}},")
    print(f"        {{{numbers(linear.bias[::5])}}}}},")


def turn_of(seed):
    """Where an angle that is not rounded to a float gives another number than PyTorch's, by more than 1e-6."""
    torch.manual_seed(seed)
    u = torch.rand(976).view(-1, 2, 8).double()
    torch.manual_seed(seed)
    weight = nn.Embedding(100, 10).weight.flatten()[:976].view(-1, 2, 8)
    radius, angle = (-2 * torch.log(1 - u[:, 0])).sqrt(), 2 * math.pi * u[:, 1]
    exact = torch.stack((radius * angle.cos(), radius * angle.sin()), 1)
    differs = (exact - weight.double()).abs().flatten()
    at = differs.argmax().item()
    if differs[at] > 1e-6:
        print(f"    {{{seed}u, {at}, {weight.flatten()[at].item():.9g}}},")


def order_of(seed, count):
    torch.manual_seed(seed)
    order = torch.randperm(count)
    print(f"    {{{seed}u, {count}u, {fingerprint(order):#018x}u, {{{', '.join(str(v.item()) for v in order[:5])}}}}},")


def run(text, changes):
    o = SimpleNamespace(**{**COMMON, **changes})
    program = twin.Twin(text, o)
    losses = []
    for loss in program.losses():
        losses.append(loss)
        if len(losses) == BATCHES:
            break
    assert len(losses) == BATCHES, changes
    name = ", ".join(f"{key} {value}" for key, value in {**dict(order=6, optimizer="adagrad", dim=32, batch=256), **changes}.items()
                     if key in ("order", "optimizer", "dim", "batch") or COMMON[key] != value and key not in ("init_std", "accumulator", "lr", "linear_lr"))
    kinds = twin.kinds_of(o)
    flags = [str(kind in kinds).lower() for kind in ("phrases", "echoes", "columns")]
    norm = "INFINITY" if o.norm_type == float("inf") else f"{o.norm_type}"
    print(f"""    {{"{name}", {o.order}, {o.min_count}, {", ".join(flags)}, {len(program.rows)},
        {{.dim = {o.dim}, .batch = {o.batch}, .epochs = {o.epochs}, .sgd = {str(o.optimizer == "sgd").lower()}, .embedding_lr = {o.lr}, .linear_lr = {o.linear_lr}, .final_lr = {o.final_lr},
         .accumulator = {o.accumulator}, .deviation = {o.init_std}, .seed = {o.seed}u, .freeze_embedding = {str(o.freeze_embedding).lower()}, .scale_grad_by_freq = {str(o.scale_grad_by_freq).lower()},
         .max_norm = {o.max_norm}, .norm_type = {norm}}},
        {sum(losses) / BATCHES:.6f},
        {{{numbers((losses[step - 1] for step in SAMPLED), "%.6f")}}}}},""")


def main():
    torch.set_num_threads(1)
    text = twin.text_of(TEXT)
    torch.manual_seed(1)
    a = nn.Embedding(100, 10).weight[kinds_of_rows.ID["a"]]
    print(f"""/* golden.h: written by tests/golden.py with PyTorch {torch.__version__.split("a")[0]} on the CPU; not by hand. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "../../lib/trainer.h"

#define GOLDEN_TEXT "{TEXT}"
enum {{ GOLDEN_BATCHES = {BATCHES}, GOLDEN_SAMPLES = {len(SAMPLED)} }};
static const size_t golden_split = {int(len(text) * (1 - VAL))}; /* characters to train on */

/* torch.manual_seed(1); torch.nn.Embedding(100, 10).weight[10]: the row of 'a' */
static const float golden_a[10] = {{{numbers(a)}}};

/* torch.manual_seed(seed), then nn.Embedding(100, dim).weight and nn.Linear(dim, 100).weight, 40 numbers of each in equal
   steps from the first, every fifth of the bias, and the fingerprint of torch.randperm(1000) */
static const struct {{
    uint32_t seed;
    size_t dim;
    uint64_t order;
    float embedding[40], linear[40], bias[20];
}} golden_starts[] = {{""")
    for seed, dim in ((0, 1), (1, 10), (2, 3), (42, 32), (1337, 64), (4294967295, 100)):
        start(seed, dim)
    print("""};

/* torch.manual_seed(seed), then nn.Embedding(100, 10).weight: the number at this place, where the rounding of the angle shows */
static const struct {
    uint32_t seed;
    size_t at;
    float value;
} golden_turns[] = {""")
    for seed in range(60):
        turn_of(seed)
    print("""};

/* torch.manual_seed(seed), then torch.randperm(count): its fingerprint and first numbers */
static const struct {
    uint32_t seed, count;
    uint64_t fingerprint;
    uint32_t first[5];
} golden_orders[] = {""")
    for seed, count in ((1, 5), (1, 1000), (7, 139873), (4294967295, 1003854)):
        order_of(seed, count)
    print(f"""}};

/* which batches' losses are kept, counted from 1 */
static const size_t golden_steps[GOLDEN_SAMPLES] = {{{", ".join(map(str, SAMPLED))}}};

/* runs on the text: rows, options, the mean loss of the first {BATCHES} batches, the losses of some of them */
static const struct {{
    const char *name;
    int order;
    uint32_t min_count;
    bool phrases, echoes, columns;
    uint32_t rows;
    RunOptions options;
    double mean;
    float losses[GOLDEN_SAMPLES];
}} golden_runs[] = {{""")
    for changes in RUNS:
        run(text, changes)
    print("};\n\n#endif")


if __name__ == "__main__":
    main()
