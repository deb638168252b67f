#!/usr/bin/env python3
"""Trains the upper part of a small network on in crates/head and in PyTorch, from the same weights.

Needs PyTorch, and
    cargo build --release --workspace --examples
Run from the project's root: .venv/bin/python tests/peers/tune.py

20 steps of AdamW take all rows each, with rates of their own for each block, a warm-up and a cosine. Afterwards every weight must be
PyTorch's within 1e-4 of the largest of its tensor; what does not learn must not have moved at all.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors import safe_open

from gradients import run

BINARY = "target/release/examples/tune"
LIMIT = 1e-4
STEPS, RATE, LAYER_DECAY, DECAY, WARM_UP = 20, 0.01, 0.5, 0.05, 0.1


def part(step):
    rise = math.ceil(WARM_UP * STEPS)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (STEPS - rise)))


def theirs(graph, before, x, labels):
    names = [param["name"] for param in graph["params"]]
    blocks = list(dict.fromkeys(name.split(".")[0] for name in names))
    params = {name: value.clone() for name, value in before.items()}
    groups = []
    for name, value in params.items():
        if "running" not in name:
            value.requires_grad_()
            rate = RATE * LAYER_DECAY ** (len(blocks) - 1 - blocks.index(name.split(".")[0]))
            groups.append({"params": [value], "base": rate, "weight_decay": DECAY if value.dim() > 1 else 0.0})
    adam = torch.optim.AdamW(groups, lr=RATE)
    for step in range(STEPS):
        for group in adam.param_groups:
            group["lr"] = group["base"] * part(step)
        adam.zero_grad()
        logits = run(graph, lambda at: params[names[at]], [x])[0]
        torch.nn.functional.cross_entropy(logits, labels).backward()
        adam.step()
    return {name: value.detach() for name, value in params.items()}


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tuned.safetensors"
        made = subprocess.run([BINARY, path], capture_output=True, text=True)
        if made.returncode:
            sys.exit(f"{BINARY}: {made.stderr}")
        with safe_open(path, "pt") as file:
            graph = json.loads(file.metadata()["graph"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    of = lambda when: {name[len(when) + 1 :]: value.double() for name, value in tensors.items() if name.startswith(f"{when}.")}
    before, after = of("before"), of("after")
    expected = theirs(graph, before, tensors["x"].double(), tensors["labels"].long())
    failed = 0
    print(f"{'weights':>28} {'moved':>8} {'worst':>8}")
    for name, value in expected.items():
        moved = float((value - before[name]).abs().max())
        worst = float((after[name] - value).abs().max() / value.abs().max())
        ok = torch.equal(after[name], before[name]) if "running" in name else worst <= LIMIT and moved > 0.001
        failed += not ok
        print(f"{name:>28} {moved:8.1e} {worst:8.1e} {'' if ok else 'FAILED'}")
    print(f"{len(expected) - failed} passed, {failed} failed")
    sys.exit(failed > 0 or not expected)


if __name__ == "__main__":
    main()
