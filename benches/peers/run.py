#!/usr/bin/env python3
"""Our CPU engine and what a user would run instead, in turn, in one run; prints ratios of medians.

    .venv/bin/python benches/peers/run.py --models resnet18,vgg16 [--batch 16] [--threads 2] [--rounds 5] [--peers onnxruntime,ncnn]

The peers' own programs are ../shared/bench/peers.py; without it (or without a peer's package) they say 'skipped'. Every
figure is images/s; a round runs ours and every peer once, each in a process of its own, and the ratio is ours over the
best peer, both medians over the rounds.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT.parent / "shared/bench/peers.py"


def ours(model, args):
    command = ["cargo", "bench", "--quiet", "--workspace", "--bench", "networks", "--"]
    command += [model, "--threads", str(args.threads), "--batch", str(args.batch), "--rounds", "3"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return float(out.split(": ")[1].split(" ")[0])


def theirs(peer, model, args):
    command = [sys.executable, str(PEERS), "--one", "--peer", peer, "--models", model]
    command += ["--threads", str(args.threads), "--batch", str(args.batch), "--rounds", "3"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    lines = [line for line in run.stdout.splitlines() if line.startswith("images/s")]
    if lines:
        return float(lines[0].split()[1])
    last = (run.stderr.strip().splitlines() or ["said nothing"])[-1]
    if "ModuleNotFoundError" not in last:
        sys.exit(f"{peer} failed on {model}: {last}")
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="resnet18,vgg16,resnet50,mobilenet_v2")
    parser.add_argument("--peers", default="torch,torch_channels_last,onnxruntime,openvino,ncnn")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    peers = args.peers.split(",") if PEERS.exists() else []
    if not peers:
        print(f"skipped: no `{PEERS}`")
    print(f"batch {args.batch}, {args.threads} threads, images/s, medians of {args.rounds} rounds")
    for model in args.models.split(","):
        rates = {name: [] for name in ["ours", *peers]}
        for _ in range(args.rounds):
            for name, seen in rates.items():
                rate = ours(model, args) if name == "ours" else theirs(name, model, args)
                if rate is not None:
                    seen.append(rate)
        medians = {name: statistics.median(seen) for name, seen in rates.items() if seen}
        line = ", ".join(f"{name} {medians[name]:.2f}" if name in medians else f"{name} skipped" for name in rates)
        best = max((rate for name, rate in medians.items() if name != "ours"), default=None)
        ratio = f"; {medians['ours'] / best:.2f} times the best" if best else ""
        print(f"{model}: {line}{ratio}", flush=True)


main()
