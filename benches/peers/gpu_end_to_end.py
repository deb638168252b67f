#!/usr/bin/env python3
"""`extract --device cuda` from JPEG files against a careful script of the kind that users write: a PyTorch DataLoader on all
cores, pinned memory, and a compiled bf16 network, channels last, features kept in memory.

    python3 benches/peers/gpu_end_to_end.py ../shared/data/flowers [--copies 20] [--rounds 3] [--extract PROGRAM] [--bench PROGRAM]

Weights are ../shared's (or HEADSTART_SHARED's). Both sides take every file of the folder `--copies` times, in turn; figures
are photographs a second, medians over the rounds. What is compiled and loaded beforehand is not timed of theirs; of ours
all of it is, reading weights and writing features too. The share is of the slower of preparing alone (the same run with the
embedded network, which takes no time) and the network alone (PROGRAM of the benchmark `cards`).
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

# Of the repository; a kit is told where things are.
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = pathlib.Path(os.environ.get("HEADSTART_SHARED", ROOT.parent / "shared"))
NETWORKS = {
    "mobilenet_v2": ("mobilenet_v2.features.safetensors", "pooled"),
    "resnet18": ("resnet18.layer1-3.safetensors", "layer3"),
}


def theirs(name, batch, workers, tree):
    """Photographs/s of every round, in this process, to keep what was compiled."""
    import torch
    import torchvision
    from PIL import Image
    from safetensors.torch import load_file
    from torchvision import transforms

    paths = sorted(tree.rglob("*.jpg"))
    prepare = transforms.Compose([
        transforms.Resize(256), transforms.CenterCrop(224), transforms.PILToTensor()])

    class Photographs(torch.utils.data.Dataset):
        def __len__(self):
            return len(paths)

        def __getitem__(self, i):
            with Image.open(paths[i]) as image:
                return prepare(image.convert("RGB"))

    weights, tap = NETWORKS[name]
    model = getattr(torchvision.models, name)(weights=None)
    model.load_state_dict(load_file(SHARED / "weights" / weights), strict=False)
    parts = list(model.children())
    body = parts[0] if tap == "pooled" else torch.nn.Sequential(*parts[:7])
    body = torch.nn.Sequential(body, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    body = torch.compile(body.cuda().bfloat16().to(memory_format=torch.channels_last), mode="max-autotune", dynamic=False)
    mean, std = (torch.tensor(x, device="cuda").view(1, 3, 1, 1) * 255 for x in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))

    @torch.inference_mode()
    def run(pixels):
        x = ((pixels.cuda(non_blocking=True).float() - mean) / std).bfloat16().contiguous(memory_format=torch.channels_last)
        return body(x).float()

    for count in {batch, len(paths) % batch or batch}:
        for _ in range(3):
            run(torch.zeros(count, 3, 224, 224, dtype=torch.uint8).pin_memory())
    torch.cuda.synchronize()
    print("ready", flush=True)
    for _ in sys.stdin:
        loader = torch.utils.data.DataLoader(Photographs(), batch_size=batch, num_workers=workers, pin_memory=True, prefetch_factor=4,
                                             multiprocessing_context="fork")
        start = time.perf_counter()
        features = [run(pixels).clone() for pixels in loader]
        torch.cat(features).cpu()
        print("photographs/s", len(paths) / (time.perf_counter() - start), flush=True)


def ours(args, tree, scratch, flags):
    command = [args.extract, tree, "-o", scratch / "x.features", "--force", "--device", "cuda", *flags]
    start = time.perf_counter()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"skipped: {done.stderr.strip()}" if "card" in done.stderr or "CUDA" in done.stderr else done.stderr)
    limit = [line for line in done.stderr.splitlines() if "limited by" in line]
    return seconds, (limit or ["?"])[0]


def alone(args, name):
    """Photographs/s of the network alone; nothing without the benchmark's program."""
    if not args.bench:
        return None
    tap = [] if NETWORKS[name][1] == "pooled" else ["--tap", NETWORKS[name][1]]
    out = subprocess.run([args.bench, name, "--precision", "bf16", *tap], capture_output=True, text=True, check=True).stdout
    found = re.search(r"([\d.]+) with copies", out)
    return float(found.group(1)) if found else None


def main():
    if sys.argv[1:2] == ["--theirs"]:
        name, batch, workers, tree = sys.argv[2:]
        return theirs(name, int(batch), int(workers), pathlib.Path(tree))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--copies", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=256, help="of theirs; ours finds its own")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--extract", type=pathlib.Path, default=ROOT / "target/release/extract")
    parser.add_argument("--bench", help="the program of the benchmark `cards`")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        files = sorted(path for path in args.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
        # A folder without classes is given two: extract wants them.
        for copy in range(args.copies):
            for i, path in enumerate(files):
                place = scratch / "tree" / "ab"[i % 2] / f"{copy:03}-{i:05}.jpg"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(path.resolve())
        tree, count = scratch / "tree", len(files) * args.copies
        if not files:
            sys.exit(f"skipped: no photographs in `{args.folder}`")
        for name, (weights, tap) in NETWORKS.items():
            command = [sys.executable, __file__, "--theirs", name, str(args.batch), str(args.workers), str(tree)]
            said = tempfile.TemporaryFile("w+")
            peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
            there = any(line.startswith("ready") for line in iter(peer.stdout.readline, "") if line)
            if not there:
                said.seek(0)
                print(f"skipped: PyTorch on a card: {(said.read().strip().splitlines() or ['?'])[-1]}", flush=True)
            rates = {"ours": [], "prepared": [], "theirs": []}
            limit = "?"
            flags = ["--backbone", name, "--tap", tap, "--weights", SHARED / "weights" / weights, "--precision", "bf16"]
            for _ in range(args.rounds):
                seconds, limit = ours(args, tree, scratch, flags)
                rates["ours"].append(count / seconds)
                embedded = ["--preprocess", "imagenet", "--resize", "256", "--crop", "224"]
                rates["prepared"].append(count / ours(args, tree, scratch, embedded)[0])
                if there:
                    peer.stdin.write("go\n")
                    peer.stdin.flush()
                    rates["theirs"].append(float(peer.stdout.readline().split()[1]))
            peer.kill()
            medians = {who: statistics.median(seen) for who, seen in rates.items() if seen}
            network = alone(args, name)
            slower = min(rate for rate in (medians["prepared"], network) if rate)
            line = f"{name}, {count} JPEGs: extract {medians['ours']:.0f}/s, preparing alone {medians['prepared']:.0f}/s"
            line += f", network alone {network:.0f}/s" if network else ""
            line += f"; {medians['ours'] / slower:.2f} of the slower"
            if there:
                line += f"; DataLoader + compiled PyTorch {medians['theirs']:.0f}/s: {medians['ours'] / medians['theirs']:.2f} times"
            print(line, limit, sep="\n  ", flush=True)


main()
