#!/usr/bin/env python3
"""Trains crates/head's attention heads and the same ones in PyTorch, from the same weights.

Needs PyTorch, and
    cargo build --release --workspace --examples
Run from the project's root: .venv/bin/python tests/peers/attention.py

Rows are maps or tokens with numbers by a formula. Each of 20 steps of Adam takes all rows. Afterwards queries, layer and logits must
be PyTorch's within 1e-4 of the largest.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

BINARY = "target/release/examples/attention"
LIMIT = 1e-4
# Sides of a row, rows, classes, queries, rate.
CASES = [
    ((8, 5, 5), 60, 3, 1, 1e-2),
    ((8, 5, 5), 60, 3, 4, 1e-2),
    ((26, 16), 80, 5, 8, 3e-3),
    ((197, 24), 40, 2, 2, 1e-2),
    ((64, 7, 7), 100, 10, 8, 1e-3),
]


def formula(count, salt):
    """Numbers that look random, within ±2."""
    at = np.arange(count, dtype=np.float64) + 1
    return (2 * np.sin(at * 12.9898 + salt * 78.233) * np.cos(at * 0.7351 + salt)).astype(np.float32)


def ours(folder, x, labels, sides, classes, queries, epochs, rate):
    (folder / "x").write_bytes(x.astype("<f4").tobytes())
    (folder / "y").write_bytes(labels.astype("<u4").tobytes())
    command = [BINARY, folder / "x", folder / "y", ",".join(map(str, sides)), classes, queries, epochs, rate]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{BINARY}: {run.stderr}")
    return {name: np.asarray(value, np.float32) for name, value in json.loads(run.stdout).items()}


def theirs(x, labels, sides, begin, classes, queries, steps, rate):
    x = torch.tensor(x)
    # (rows, places, channels)
    x = x.reshape(len(x), sides[0], -1).transpose(1, 2) if len(sides) == 3 else x.reshape(len(x), *sides)
    channels = x.shape[2]
    query = torch.nn.Parameter(torch.tensor(begin["queries"]).reshape(queries, channels))
    layer = torch.nn.Linear(queries * channels, classes)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(begin["weight"]).reshape(layer.weight.shape))
        layer.bias.copy_(torch.tensor(begin["bias"]))

    def logits():
        shares = torch.softmax(query @ x.transpose(1, 2) / channels**0.5, dim=2)
        return layer((shares @ x).flatten(1))

    adam = torch.optim.Adam([query, *layer.parameters()], lr=rate, betas=(0.9, 0.999), eps=1e-7)
    target = torch.tensor(labels.astype(np.int64))
    for _ in range(steps):
        adam.zero_grad()
        torch.nn.functional.cross_entropy(logits(), target).backward()
        adam.step()
    with torch.no_grad():
        values = {"queries": query, "weight": layer.weight, "bias": layer.bias, "scores": logits()}
        return {name: value.numpy().ravel() for name, value in values.items()}


def main():
    failed = 0
    print(f"{'sides':>12} {'rows':>5} {'queries':>7} {'moved':>8} {'worst':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for salt, (sides, rows, classes, queries, rate) in enumerate(CASES):
            x = formula(rows * int(np.prod(sides)), salt).reshape(rows, -1)
            labels = (np.arange(rows) * 7919 % 1009 % classes).astype(np.uint32)
            arguments = (Path(folder), x, labels, sides, classes, queries)
            begin, got = ours(*arguments, 1, 1e-30), ours(*arguments, 20, rate)
            expected = theirs(x, labels, sides, begin, classes, queries, 20, rate)
            worst = max(
                float(np.abs(got[name] - value).max() / np.abs(value).max()) for name, value in expected.items()
            )
            moved = float(np.abs(got["queries"] - begin["queries"]).max())
            fine = worst <= LIMIT and moved > 10 * LIMIT
            failed += not fine
            print(f"{','.join(map(str, sides)):>12} {rows:>5} {queries:>7} {moved:8.1e} {worst:8.1e}{'' if fine else ' FAILED'}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
