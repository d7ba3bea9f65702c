"""How fast PyTorch trains the same model: usage: torch_speed.py TEXT ORDER DIM BATCH THREADS

Prints characters per second. The contexts' rows are looked up beforehand (numpy), so only training is timed:
EmbeddingBag(mode="sum", sparse=True) -> Linear -> cross_entropy, Adagrad; for order 1 a plain Embedding(sparse=True).
Everything that is not learning is left out: bags are made before the clock starts.
"""
import sys
import time

import numpy as np
import torch

path, order, dim, batch, threads = sys.argv[1], *map(int, sys.argv[2:6])
torch.set_num_threads(threads)
torch.manual_seed(1)
text = np.frombuffer(open(path, "rb").read(), np.uint8)
text = text[: int(len(text) * 0.9)].astype(np.int64)
_, ids = np.unique(text, return_inverse=True)

# rows[k][i]: the row of the k + 1 characters that end at i, or -1; strings seen once have none
rows, count = [ids], 100
for length in range(2, order + 1):
    before = rows[-1]
    key = np.full(len(ids), -1, np.int64)
    key[length - 1 :] = before[length - 1 :] * 256 + ids[: len(ids) - length + 1]
    key[before < 0] = -1
    values, where, counts = np.unique(key, return_inverse=True, return_counts=True)
    keep = (counts >= 2) & (values >= 0)
    number = np.where(keep, count + np.cumsum(keep) - 1, -1)
    rows.append(number[where])
    count += int(keep.sum())
rows = np.stack(rows, 1)[:-1]  # the context that ends at i predicts i + 1
targets = torch.from_numpy(ids[1:].copy())

embedding = torch.nn.Embedding(count, dim, sparse=True) if order == 1 else torch.nn.EmbeddingBag(count, dim, mode="sum", sparse=True)
linear = torch.nn.Linear(dim, 100)
rows_rule = torch.optim.Adagrad(embedding.parameters(), lr=0.1)
linear_rule = torch.optim.Adagrad(linear.parameters(), lr=0.02)

shuffle = torch.randperm(len(rows)).numpy()
batches = []
for start in range(0, min(len(rows), max(60 * batch, 120000)) - batch + 1, batch):
    place = shuffle[start : start + batch]
    on = rows[place]
    if order == 1:
        arguments = (torch.from_numpy(on[:, 0].copy()),)
    else:
        sizes = (on >= 0).sum(1)
        arguments = (torch.from_numpy(on[on >= 0]), torch.from_numpy(np.concatenate([[0], np.cumsum(sizes)[:-1]])))
    batches.append((arguments, targets[torch.from_numpy(place)]))

best, done, begun = 0.0, 0, time.perf_counter()
while time.perf_counter() - begun < 12:
    start, seen = time.perf_counter(), 0
    while time.perf_counter() - start < 1:
        arguments, target = batches[done % len(batches)]
        done += 1
        rows_rule.zero_grad()
        linear_rule.zero_grad()
        torch.nn.functional.cross_entropy(linear(embedding(*arguments)), target).backward()
        rows_rule.step()
        linear_rule.step()
        seen += batch
    best = max(best, seen / (time.perf_counter() - start))
print(f"{best:.0f}")
