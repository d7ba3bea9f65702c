#!/usr/bin/env python3
"""Carries on a run of ./train in PyTorch, on several processes or machines: DistributedDataParallel.

    PYTHONPATH=tests torchrun --nproc_per_node=2 tests/ddp.py out/checkpoint.safetensors data/text.txt out/more.safetensors [EPOCHS]

Every process takes its part of each batch; DistributedDataParallel averages the gradients, so that all take the step that
one process takes on the whole batch: the numbers are the same. The first argument is a model or, to have Adagrad's sums too, a checkpoint. The result is
a model that ./sample and --pretrained read. Exit status 0 only when the loss on the validation part became lower."""
import os
import sys

import torch
import torch.distributed as distributed
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

import rows as kinds_of_rows
import tensors
import twin


def main(source, text_path, target, epochs=1):
    distributed.init_process_group("gloo")
    rank, processes = distributed.get_rank(), distributed.get_world_size()
    torch.set_num_threads(1)
    arrays, metadata = tensors.load(source)
    if "random.position" in metadata:                                      # a checkpoint: the strings are in the model
        best, metadata = tensors.load(os.path.join(os.path.dirname(source), "model.safetensors"))
        arrays = {**best, **arrays, "counts": best["counts"]}
    if int(metadata["batch"]) % processes:
        sys.exit(f"ddp: batches of {metadata['batch']} cannot be divided equally among {processes} processes; take another number of them")
    o = twin.options_of(metadata)
    rows = twin.rows_of_file(arrays)
    text = twin.text_of(text_path)
    split = int(len(text) * (1 - o.val))
    on, following = twin.positions(text, rows, o.order)

    model = twin.Model(len(rows), on.shape[1], o)
    with torch.no_grad():
        model.embedding.weight[:-1] = arrays["embedding.weight"]        # the last row is the padding
        model.linear.weight[:] = arrays["linear.weight"]
        model.linear.bias[:] = arrays["linear.bias"]
    caution = torch.tensor([kinds_of_rows.caution(row) for row in rows] + [1.0]).unsqueeze(1)
    o.lr, o.linear_lr = o.lr * o.final_lr, o.linear_lr * o.final_lr       # where the run left off
    optimizers = twin.optimizers_of(model, caution, o)
    if "optimizer.linear.bias.sum" in arrays:
        for optimizer in optimizers:
            for name, parameter in model.named_parameters():
                if parameter in optimizer.state:
                    sums = arrays[f"optimizer.{name}.sum"]
                    optimizer.state[parameter]["sum"][:len(sums)] = sums
    parallel = DistributedDataParallel(model)

    def loss_of(first, last):
        with torch.no_grad():
            return sum(cross_entropy(model(on[i:min(i + 4096, last)]), following[i:min(i + 4096, last)], reduction="sum").item()
                       for i in range(first, last, 4096)) / (last - first)

    before = loss_of(split, len(text))
    torch.manual_seed(o.seed + 1)                                         # the same shuffle in every process
    for epoch in range(int(epochs)):
        for batch in torch.randperm(split).split(o.batch):
            if len(batch) % processes:                                     # the last one: parts must be equally large
                continue
            part = batch[rank::processes]
            loss = cross_entropy(parallel(on[part]), following[part])
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
    after = loss_of(split, len(text))

    if rank == 0:
        kept = {name: arrays[name] for name in ("counts", "ngrams", "phrases", "echoes", "columns") if name in arrays}
        tensors.save(target, {"embedding.weight": model.embedding.weight[:-1], "linear.weight": model.linear.weight,
                              "linear.bias": model.linear.bias, **kept}, {**metadata, "val_loss": f"{after:.6f}"})
        print(f"{processes} processes, {epochs} more passes: val {before:.6f} before, {after:.6f} after")
    distributed.destroy_process_group()
    return 0 if after < before else 1


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
