#!/usr/bin/env python3
"""The C program against PyTorch, at length: some minutes; .ci/run calls it. Prints "ok NAME", "FAIL NAME: why", "skip NAME: why"
and exits with 1 if anything failed. Run it in the project's folder after make."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    print("skip the comparison with PyTorch: it is not here; on Debian: apt install python3-torch")
    sys.exit(0)

sys.path.insert(0, "tests")
import rows as kinds_of_rows
import tensors
import twin

TEXT = "data/text.txt"
failed = 0


def check(holds, name):
    global failed
    failed += not holds
    print(("ok " if holds else "FAIL ") + name, flush=True)


def quiet(*_):
    pass


def losses(name, *arguments, text=TEXT, batches=1000):
    largest, _, program = twin.compare(text, list(arguments), batches, say=quiet)
    check(largest <= 1e-4, f"{name}: losses of the first {batches} batches differ by at most {largest:.1e}")
    return program


def start(seed, *arguments):
    """With learning rates of 0 a model stays as it starts."""
    with tempfile.TemporaryDirectory() as out:
        _, arrays, metadata = twin.run_train(out, [TEXT, "--lr", "0", "--set", "linear-lr=0", "--epochs", "1", "--seed", str(seed), *arguments])
        program = twin.Twin(twin.text_of(TEXT), twin.options_of(metadata))
    mine = program.model.state_dict()
    mine["embedding.weight"] = mine["embedding.weight"][:-1]
    largest = {name: (mine[name] - arrays[name]).abs().max().item() for name in mine}
    check(max(largest.values()) <= 1e-6 and arrays["embedding.weight"].shape == mine["embedding.weight"].shape,
          f"start, seed {seed} {' '.join(arguments)}: all weights differ by at most " + ", ".join(f"{value:.1e} ({name})" for name, value in largest.items()))


def whole_run(name, *arguments, text=TEXT):
    batches, val, _ = twin.compare(text, list(arguments), full=True, say=quiet)
    check(val <= 1e-3, f"{name}: the validation loss differs by at most {val:.1e} at every evaluation (batches by {batches:.1e})")


def final_weights(name, *arguments):
    """Row by row after a whole run whose last model is its best: the same rows moved, to the same place."""
    with tempfile.TemporaryDirectory() as out:
        _, arrays, metadata = twin.run_train(out, [TEXT, *arguments])
    program = twin.Twin(twin.text_of(TEXT), twin.options_of(metadata))
    before = program.model.embedding.weight.detach().clone()
    for _ in program.losses():
        pass
    assert metadata["best_step"] == metadata["steps"], "choose a run whose last model is its best"
    after, theirs = program.model.embedding.weight.detach(), arrays["embedding.weight"]
    moved = (after != before).any(1)[:-1]
    unmoved_here = (theirs - before[:-1]).abs().amax(1) <= 1e-6
    check(bool((moved == ~unmoved_here).all()) and 0 < moved.sum() < len(moved), f"{name}: the same {moved.sum()} of {len(moved)} rows moved in both, the others are as they started")
    largest = (after[:-1] - theirs).abs().max().item()
    check(largest <= 1e-3, f"{name}: after the run, rows differ by at most {largest:.1e}")
    check(not after[-1].any(), f"{name}: padding learned nothing")


def scored(name, *arguments):
    """./sample --score looks rows up as PyTorch does: max_norm shortens them, in eval, too."""
    with tempfile.TemporaryDirectory() as out:
        _, arrays, metadata = twin.run_train(out, [TEXT, *arguments])
        done = subprocess.run(["./sample", "--model", f"{out}/model.safetensors", "--score", TEXT], capture_output=True, text=True)
    program = twin.Twin(twin.text_of(TEXT), twin.options_of(metadata))
    weights = program.model.state_dict()
    weights["embedding.weight"][:-1] = arrays["embedding.weight"]
    weights.update({key: arrays[key] for key in ("linear.weight", "linear.bias")})
    program.model.load_state_dict(weights)
    with torch.no_grad():
        losses = [twin.cross_entropy(program.model(on), next, reduction="sum").item() for on, next in
                  zip(program.on.split(4096), program.following.split(4096))]
    largest = abs(float(done.stdout.split()[3]) - sum(losses) / len(program.on))
    check(largest <= 1e-4, f"{name}: ./sample --score differs from PyTorch by at most {largest:.1e}")


def document(path):
    """Runs all blocks of code of a page, in order, in a folder that looks like the project's; Python blocks build on each other."""
    blocks = re.findall(r"^```(sh|python)\n(.*?)^```", open(path).read(), re.M | re.S)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("train", "sample", "tests", "data"):
            os.symlink(os.path.abspath(name), os.path.join(folder, name))
        os.mkdir(os.path.join(folder, "bin"))
        os.symlink(sys.executable, os.path.join(folder, "bin", "python3"))    # the Python that has PyTorch
        environment = dict(os.environ, PATH=f"{folder}/bin:{os.environ['PATH']}", OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
        python = ""
        for number, (language, block) in enumerate(blocks, 1):
            if "torchrun" in block and not shutil.which("torchrun"):
                print(f"skip {path}, block {number}: torchrun is not here")
                continue
            python += block if language == "python" else ""
            command = ["sh", "-ec", block] if language == "sh" else [sys.executable, "-c", python]
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
            said = (done.stdout.strip() or "nothing").splitlines()[-1]
            check(done.returncode == 0, f"{path}, block {number} ({language}): {said if done.returncode == 0 else (done.stderr.strip() or said).splitlines()[-1]}")
    check(len(blocks) >= 8, f"{path} has {len(blocks)} blocks of code")


def distributed():
    """Two processes take the steps that one takes, the loss on the validation part falls, and ./sample agrees with it."""
    torchrun = shutil.which("torchrun")
    if not torchrun:
        print("skip torchrun: it is not here")
        return
    environment = dict(os.environ, PYTHONPATH="tests", OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
    with tempfile.TemporaryDirectory() as out:
        twin.run_train(out, [TEXT, "--epochs", "1", "--order", "5", "--dim", "32"])
        scores = {}
        for processes in (1, 2):
            target = f"{out}/{processes}.safetensors"
            done = subprocess.run([torchrun, f"--nproc_per_node={processes}", "--tee", "1", "--redirects", "1", "tests/ddp.py",
                                   f"{out}/checkpoint.safetensors", TEXT, target], env=environment, capture_output=True, text=True)
            said = re.search(r"val ([0-9.]+) before, ([0-9.]+) after", done.stdout)
            if done.returncode or not said:
                check(False, f"torchrun with {processes} processes: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
                return
            before, after = map(float, said.groups())
            check(after < before, f"torchrun with {processes} processes lowers the validation loss, {before} to {after}")
            arrays, metadata = tensors.load(target)
            split = metadata["train_characters"]
            score = subprocess.run(["./sample", "--model", target, "--score", TEXT, "--from", split], capture_output=True, text=True)
            scores[processes] = float(score.stdout.split()[3])
            check(abs(scores[processes] - after) < 1e-4, f"and ./sample scores its model alike, {scores[processes]}")
        check(abs(scores[1] - scores[2]) < 1e-3, f"two processes learn what one learns: {scores[2]} and {scores[1]}")
        other = f"{out}/again"
        done = subprocess.run(["./train", "-q", "--epochs", "1", "--order", "5", "--dim", "32", "--pretrained", target, "--out", other, TEXT], capture_output=True, text=True)
        check(done.returncode == 0, "./train --pretrained starts from it" + done.stderr)


def main():
    torch.set_num_threads(1)
    for seed in (0, 1, 42, 4294967295):
        start(seed, "--order", "1", "--dim", "10")
    start(1, "--order", "4", "--dim", "33")
    scored("max_norm 0.3", "--order", "3", "--dim", "10", "--max-norm", "0.3", "--val", "0.9", "--epochs", "1", "--lr", "0.5")
    scored("norm 1", "--order", "2", "--dim", "10", "--max-norm", "0.5", "--norm-type", "1", "--rows", "ngrams", "--epochs", "1")
    start(2, "--order", "2", "--dim", "64", "--set", "init-std=0.25")

    # with learning rates of 0 and batches of 1, each loss tells which position it was: the shuffle, exactly
    losses("the shuffle", "--order", "2", "--lr", "0", "--set", "linear-lr=0", "--batch", "1", batches=2000)

    for order in ("1", "6"):
        for optimizer in ("adagrad", "sgd"):
            for dim in ("10", "32"):
                for batch in ("32", "256"):
                    losses(f"order {order}, {optimizer}, dim {dim}, batch {batch}", "--order", order, "--optimizer", optimizer,
                           "--dim", dim, "--batch", batch, "--epochs", "2")
    losses("n-grams only", "--rows", "ngrams", "--order", "8", "--dim", "16", "--epochs", "2")
    losses("few rows", "--max-rows", "3000", "--min-count", "3", "--dim", "16", "--epochs", "2")

    small = ("--order", "4", "--dim", "16", "--epochs", "2")
    with tempfile.TemporaryDirectory() as out:
        twin.run_train(out, [TEXT, "--order", "3", "--rows", "ngrams", "--dim", "16", "--epochs", "1"])
        pretrained = ("--pretrained", f"{out}/model.safetensors")
        losses("from_pretrained", *small, *pretrained)
        losses("from_pretrained, freeze", *small, *pretrained, "--freeze-embedding")
        losses("from_pretrained, freeze, order 1", "--order", "1", "--dim", "16", "--epochs", "2", *pretrained, "--freeze-embedding")
    for norm in ("1", "2", "3.5", "inf"):
        losses(f"max_norm, norm_type {norm}", *small, "--max-norm", "0.5", "--norm-type", norm)
    losses("max_norm, order 1", "--order", "1", "--dim", "10", "--epochs", "2", "--max-norm", "2")
    losses("scale_grad_by_freq", "--order", "2", "--dim", "8", "--epochs", "2", "--scale-grad-by-freq")
    losses("scale_grad_by_freq, order 1, sgd", "--order", "1", "--dim", "8", "--epochs", "2", "--scale-grad-by-freq", "--optimizer", "sgd")

    with tempfile.TemporaryDirectory() as folder:                          # a text so short that its first position comes soon
        short = f"{folder}/short.txt"
        with open(short, "w") as file:
            file.write("To be, or not to be: that is the question. " * 4)
        losses("padding: a position without history", "--batch", "1", "--epochs", "6", text=short, batches=900)
        losses("padding, order 1", "--order", "1", "--batch", "1", "--epochs", "6", text=short, batches=900)
        ruled = f"{folder}/ruled.txt"
        with open(ruled, "w") as file:                                     # phrases around the longest that have a row; odd white space
            file.write("".join(f"{'foo' if n % 3 else 'Bar it' + chr(39) + 's'}{' ' * (n % 4)}{'-' * (36 + n % 9)}{chr(10) * (n % 3)}\t" for n in range(400)))
        with open(short, "w") as file:
            file.write(open(TEXT).read()[:20000])
        for more in ((), ("--norm-type", "1"), ("--norm-type", "inf"), ("--optimizer", "sgd"), ("--freeze-embedding",)):
            whole_run(f"max_norm {' '.join(more)}", "--order", "1", "--dim", "10", "--max-norm", "0.5", *more, text=short)
        losses("long phrases", "--batch", "16", "--dim", "8", text=ruled, batches=1000)

    final_weights("sparse: order 1", "--order", "1", "--dim", "10", "--epochs", "1", "--set", "evaluations=1")
    final_weights("sparse: all rows", "--order", "4", "--dim", "16", "--epochs", "1", "--set", "evaluations=1")
    whole_run("the whole default run")
    document("docs/pytorch.md")
    distributed()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
