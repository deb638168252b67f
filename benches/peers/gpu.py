#!/usr/bin/env python3
"""The engine on a card and PyTorch on it (tf32, bf16, bf16 compiled, channels last), in turn, in one run; prints ratios.

    python3 benches/peers/gpu.py [--models resnet18,resnet50,vgg16,vit_small,convnext_tiny] [--batch 256] [--precision bf16]
        [--bench PROGRAM] [--peers ../shared/bench/peers.py] [--layers FOLDER] [--json FILE]

PROGRAM is what `cargo bench --features headstart-extract/cuda --bench cards --no-run` makes; left out, cargo runs it. The
peers' own program is ../shared/bench/peers.py, with a Python that has torch, torchvision and timm; without either they say
'skipped'. Ours is timed before and after the peers of each network. Figures are images/s of 224 pixels that are on the card
already, medians; the share is of the bf16 rate that PyTorch's product of 8192x8192 matrices reaches on this card.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Of the repository; a kit is told where things are.
ROOT = HERE.parent.parent
NAMES = {"vit_small": "vit_small_patch14_dinov2", "vit_base": "vit_base_patch16_224"}
PEERS = ["torch_tf32", "torch_bf16", "torch_bf16_compiled"]
RATE = """
import torch
a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
for _ in range(3): a @ b
times = []
for _ in range(10):
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record(); a @ b; end.record(); torch.cuda.synchronize(); times.append(start.elapsed_time(end))
print(torch.cuda.get_device_name(), 2 * 8192**3 / sorted(times)[5] / 1e9, sep="|")
"""


def run(command):
    return subprocess.run(command, capture_output=True, text=True)


def card():
    """Its name, and the TFLOP/s of a bf16 product; nothing without PyTorch."""
    out = run([sys.executable, "-c", RATE])
    if out.returncode:
        print(f"skipped: PyTorch on a card: {(out.stderr.strip().splitlines() or ['?'])[-1]}")
        return None, None
    name, rate = out.stdout.strip().split("|")
    return name, float(rate)


def ours(model, args, flags=()):
    """(images/s by kernels, with copies, TFLOP/s, the line)."""
    program = [args.bench] if args.bench else [
        "cargo", "bench", "--quiet", "--workspace", "--features", "headstart-extract/cuda", "--bench", "cards", "--"]
    out = run([*program, NAMES.get(model, model), "--batch", str(args.batch), "--precision", args.precision, *flags])
    if out.returncode:
        sys.exit(f"ours failed on {model}: {out.stderr.strip()[-2000:]}")
    if "skipped" in out.stdout:
        sys.exit(out.stdout.strip())
    found = re.search(r": ([\d.]+) images/s by kernels, ([\d.]+) with copies, ([\d.]+) TFLOP/s", out.stdout)
    return [float(number) for number in found.groups()], out.stdout


def theirs(peer, model, args):
    out = run([sys.executable, str(args.peers), "--one", "--device", "cuda", "--peer", peer, "--models", model,
               "--batch", str(args.batch), "--rounds", str(args.rounds)])
    line = [line for line in out.stdout.splitlines() if line.startswith("images/s")]
    if not line:
        print(f"{peer} failed on {model}: {(out.stderr.strip().splitlines() or ['?'])[-1]}", flush=True)
        return None
    return float(line[0].split()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="resnet18,resnet50,vgg16,vit_small,convnext_tiny")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--bench", help="the benchmark's program; cargo makes it where left out")
    parser.add_argument("--peers", type=pathlib.Path, default=ROOT.parent / "shared/bench/peers.py")
    parser.add_argument("--only", default=",".join(PEERS), help="peers to time")
    parser.add_argument("--layers", type=pathlib.Path, help="write every network's steps to this folder")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    peers = args.only.split(",") if args.peers.exists() else []
    if not peers:
        print(f"skipped: no `{args.peers}`")
    name, rate = card()
    print(f"{name}, bf16 products at {rate} TFLOP/s; batch {args.batch}, images/s, ours in {args.precision}", flush=True)
    table = {"card": name, "bf16_tflops": rate, "batch": args.batch, "precision": args.precision, "networks": {}}
    for model in args.models.split(","):
        flags = ["--layers"] if args.layers else []
        (first, copies, flops), text = ours(model, args, flags)
        if args.layers:
            args.layers.mkdir(parents=True, exist_ok=True)
            (args.layers / f"{model}.txt").write_text(text)
        # What warps alone do, where warpgroups do better.
        warps = ours(model, args, ["--unit", "warp"])[0] if "Warpgroups" in text else [first]
        rates = {peer: theirs(peer, model, args) for peer in peers}
        (second, _, flops_again), _ = ours(model, args)
        rates = {peer: rate for peer, rate in rates.items() if rate}
        row = {"ours": statistics.mean([first, second]), "with_copies": copies, "by_warps": warps[0],
               "tflops": statistics.mean([flops, flops_again]), **rates}
        table["networks"][model] = row
        line = ", ".join(f"{key} {value:.0f}" for key, value in row.items())
        best = max(rates.values(), default=None)
        line += f"; {row['ours'] / best:.2f} times the best peer" if best else ""
        line += f"; {row['tflops'] / rate:.2f} of the bf16 rate" if rate else ""
        print(f"{model}: {line}", flush=True)
        if args.json:
            args.json.write_text(json.dumps(table, indent=1))


main()
