#!/usr/bin/env python3
"""The same program in PyTorch. From the same text, seed and options it must get the same losses as ./train.

    tests/twin.py [--batches N] [--full] TEXT [OPTIONS OF ./train]

runs both and prints their losses side by side and the largest difference, of the first N batches (1000) or, with --full,
of the whole run and of each evaluation on the validation part. Exit status 1 when they differ too much, 77 without PyTorch."""
import argparse
import csv
import functools
import subprocess
import sys
import tempfile
from types import SimpleNamespace

try:
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy
except ImportError:
    print("twin: PyTorch is not here, so nothing was compared; on Debian: apt install python3-torch", file=sys.stderr)
    sys.exit(77)

import rows as kinds_of_rows
import tensors


# ---- the program: Embedding -> Linear -> softmax, and how it is trained --------------------------

class Model(nn.Module):
    """The rows that are on [batch, most_on] -> their sum [batch, dim] -> logits [batch, 100]. One more row than there are is
    the padding: a context that switches on fewer rows than most has it in the places left over."""

    def __init__(self, rows, most_on, o):
        super().__init__()
        weight = torch.zeros(rows + 1, o.dim)                        # rows from 100 up start at zero,
        weight[:100] = nn.Embedding(100, o.dim).weight.detach() * o.init_std      # characters at N(0, init_std)
        layer = dict(freeze=o.freeze_embedding, padding_idx=rows, max_norm=o.max_norm or None, norm_type=o.norm_type,
                     scale_grad_by_freq=o.scale_grad_by_freq)
        # EmbeddingBag counts wrongly for scale_grad_by_freq (PyTorch's issue 190063): there Embedding is summed
        if most_on > 1 and not o.scale_grad_by_freq:
            self.embedding = nn.EmbeddingBag.from_pretrained(weight, mode="sum", sparse=True, **layer)
        else:
            self.embedding = nn.Embedding.from_pretrained(weight, **layer)
        self.linear = nn.Linear(o.dim, 100)

    def forward(self, on):
        h = self.embedding(on)
        return self.linear(h if h.dim() == 2 else h.sum(1))


def optimizers_of(model, caution, o):
    """One for each layer; Adagrad's sums of the embedding start row by row at accumulator times caution [rows + 1, 1]."""
    make = torch.optim.SGD if o.optimizer == "sgd" else torch.optim.Adagrad
    embedding, linear = make([model.embedding.weight], lr=o.lr), make([model.linear.weight, model.linear.bias], lr=o.linear_lr)
    if o.optimizer == "adagrad":
        embedding.state[model.embedding.weight]["sum"] += o.accumulator * caution
    return [linear] if o.freeze_embedding else [embedding, linear]


def train(model, on, following, caution, o):
    """on [positions, most_on], following [positions]: yields the loss of each batch."""
    optimizers = optimizers_of(model, caution, o)
    steps = o.epochs * -(-len(on) // o.batch)
    schedules = [torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - (1 - o.final_lr) * step / steps) for optimizer in optimizers]
    for epoch in range(o.epochs):
        for batch in torch.randperm(len(on)).split(o.batch):
            loss = cross_entropy(model(on[batch]), following[batch])
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer, schedule in zip(optimizers, schedules):
                optimizer.step()
                schedule.step()
            yield loss.item()


# ---- from a text and options to what the program needs -------------------------------------------

def options_of(metadata):
    """The options that a model's metadata tells, by ./train's names, with _ for -."""
    def value(text):
        if text in ("yes", "no"):
            return text == "yes"
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() and abs(number) < 2**53 and "." not in text and "e" not in text else number
    o = SimpleNamespace(**{name.replace("-", "_"): value(text) for name, text in metadata.items()})
    o.norm_type = float(o.norm_type)
    return o


def kinds_of(o):
    return ("phrases", "echoes", "columns") if o.rows == "all" and o.order > 1 else tuple(str(o.rows).split(","))


def text_of(path):
    text = open(path, encoding="latin-1", newline="").read()
    others = sorted(set(text) - set(kinds_of_rows.CHARACTERS))
    if others or "\r\n" in text:
        sys.exit(f"twin: {path}: has characters that ./train changes or leaves out ({others[:3]}); give a text in plain ASCII")
    return text


def positions(text, rows, order):
    """on [len(text), most_on], padded with len(rows), and the ids that follow [len(text)]."""
    on = [torch.tensor(found, dtype=torch.long) for found in kinds_of_rows.rows_on(text, rows, order)]
    following = torch.tensor(kinds_of_rows.ids(text))
    return nn.utils.rnn.pad_sequence(on, batch_first=True, padding_value=len(rows)), following


def rows_of_file(arrays):
    """The rows of a saved model, in their order."""
    def texts(name):
        return ["".join(map(chr, row)).lstrip("\0") for row in arrays[name].tolist()] if name in arrays else []
    phrases = [""]
    for length, character in arrays["phrases"].tolist() if "phrases" in arrays else []:
        phrases.append(phrases[-1][:length - 1] + chr(character))
    rows = [("character", c) for c in kinds_of_rows.CHARACTERS]
    rows += [("ngram", text) for text in texts("ngrams")] + [("phrase", text) for text in phrases[1:]]
    rows += kinds_of_rows.echo_rows(arrays["echoes"].tolist()) if "echoes" in arrays else []
    return rows + [("column", n) for n in (arrays["columns"].tolist() if "columns" in arrays else [])]


def adopt(model, rows, path):
    """What --pretrained does: the rows of another model that stand for the same."""
    arrays, _ = tensors.load(path)
    theirs = {row: i for i, row in enumerate(rows_of_file(arrays))}
    pairs = [(i, theirs[row]) for i, row in enumerate(rows) if row in theirs]
    mine, other = map(list, zip(*pairs))
    model.embedding.weight.data[mine] = arrays["embedding.weight"][other]


@functools.lru_cache(maxsize=2)
def prepared(text, split, *options):
    """The rows that the training part has, and what is on at each position of the text."""
    rows = kinds_of_rows.list_rows(text[:split], *options)
    return rows, *positions(text, rows, options[0])


class Twin:
    """The whole run of a text: its rows, and a model at its start."""

    def __init__(self, text, o):
        self.o, self.split = o, int(len(text) * (1 - o.val))
        self.rows, self.on, self.following = prepared(text, self.split, o.order, o.min_count, o.max_rows, kinds_of(o))
        self.caution = torch.tensor([kinds_of_rows.caution(row) for row in self.rows] + [1.0]).unsqueeze(1)
        torch.manual_seed(o.seed)
        self.model = Model(len(self.rows), self.on.shape[1], o)
        if o.pretrained:
            adopt(self.model, self.rows, o.pretrained)

    def losses(self):
        return train(self.model, self.on[:self.split], self.following[:self.split], self.caution, self.o)

    @torch.no_grad()
    def val_loss(self):
        total = 0.0
        for on, following in zip(self.on[self.split:].split(4096), self.following[self.split:].split(4096)):
            total += cross_entropy(self.model(on), following, reduction="sum").item()
        return total / (len(self.on) - self.split)


# ---- both, side by side --------------------------------------------------------------------------

def run_train(out, arguments):
    done = subprocess.run(["./train", "--quiet", "--out", out] + arguments, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"twin: ./train {' '.join(arguments)}: {done.stderr.strip() or f'ended with status {done.returncode}'}")
    arrays, metadata = tensors.load(f"{out}/model.safetensors")
    return done.stdout, arrays, metadata


def compare(text_path, arguments, batches=1000, full=False, say=print):
    """Runs both programs; returns the largest differences of batch losses and of evaluations (0 if there are none), and the twin."""
    with tempfile.TemporaryDirectory() as out:
        printed, arrays, metadata = run_train(out, [text_path, "--set", f"batch-losses={10**9 if full else batches}"] + arguments)
        log = list(csv.DictReader(open(f"{out}/loss.csv")))
    theirs = [float(line.split(",")[1]) for line in printed.splitlines()]
    twin = Twin(text_of(text_path), options_of(metadata))
    if twin.rows != rows_of_file(arrays):
        sys.exit("twin: the rows that ./train lists are not those of the definitions in tests/rows.py")
    due = {int(row["step"]): float(row["val_loss"]) for row in log} if full else {}
    largest = largest_val = 0.0
    shown = 1
    say(f"{'batch':>8} {'./train':>12} {'PyTorch':>12} {'difference':>12}")
    if 0 in due:
        largest_val = abs(due[0] - twin.val_loss())
    for step, (c, mine) in enumerate(zip(theirs, twin.losses()), 1):
        largest = max(largest, abs(c - mine))
        if step == shown or step == len(theirs):
            say(f"{step:8} {c:12.6f} {mine:12.6f} {abs(c - mine):12.1e}")
            shown *= 2
        if step in due:
            val = twin.val_loss()
            largest_val = max(largest_val, abs(due[step] - val))
            say(f"val {due[step]:12.6f} {val:12.6f} {abs(due[step] - val):12.1e}")
    return largest, largest_val, twin


def main():
    parser = argparse.ArgumentParser(usage=__doc__, allow_abbrev=False)  # --batch is ./train's
    parser.add_argument("--batches", type=int, default=1000)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("text")
    options, arguments = parser.parse_known_args()
    full, batches = options.full, options.batches
    torch.set_num_threads(1)
    largest, val, twin = compare(options.text, arguments, batches, full)
    print(f"largest difference of the losses of {'all' if full else f'the first {batches}'} batches: {largest:.1e} (at most 1e-4)")
    if full:
        print(f"largest difference of the losses on the validation part: {val:.1e} (at most 1e-3)")
    padding = twin.model.embedding.weight[-1].abs().max().item()
    print(f"{int((twin.on == len(twin.rows)).sum())} places of bags are padding: its row is 0 after all, as padding_idx says: {padding:.1e}")
    return 0 if (full or largest <= 1e-4) and val <= 1e-3 and padding == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
