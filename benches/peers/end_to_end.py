#!/usr/bin/env python3
"""`extract` from JPEG files against a careful script of the kind that users write: a PyTorch DataLoader that prepares
with torchvision in processes of its own, and ONNX Runtime on the batches, features kept in memory.

    .venv/bin/python benches/peers/end_to_end.py ../shared/data/flowers ../shared/data/bccd [--rounds 5]

Weights are ../shared's. Both sides use 2 cores, in turn; figures are photographs a second, medians over the rounds. The
script tries 1 and 2 workers beside 1 and 2 threads of ONNX Runtime, and the best of these is what ours is held against.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
NETWORKS = {
    "mobilenet_v2": ("mobilenet_v2.features.safetensors", "pooled"),
    "resnet18": ("resnet18.layer1-3.safetensors", "layer3"),
}


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))


def export(name, path):
    import torch
    import torchvision
    from safetensors.torch import load_file

    model = getattr(torchvision.models, name)(weights=None)
    weights, tap = NETWORKS[name]
    model.load_state_dict(load_file(SHARED / "weights" / weights), strict=False)
    parts = list(model.children())
    body = parts[0] if tap == "pooled" else torch.nn.Sequential(*parts[:7])
    body = torch.nn.Sequential(body, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    with torch.no_grad():
        torch.onnx.export(body, torch.zeros(1, 3, 224, 224), str(path), dynamo=False, opset_version=17,
                          input_names=["x"], dynamic_axes={"x": {0: "n"}})


def theirs(model, paths, workers, threads):
    """One pass in this process; what is compiled and started beforehand is not timed, but the workers are."""
    import onnxruntime
    import torch
    from PIL import Image
    from torchvision import transforms

    prepare = transforms.Compose([
        transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])

    class Photographs(torch.utils.data.Dataset):
        def __len__(self):
            return len(paths)

        def __getitem__(self, i):
            with Image.open(paths[i]) as image:
                return prepare(image.convert("RGB"))

    torch.set_num_threads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    loader = torch.utils.data.DataLoader(Photographs(), batch_size=32, num_workers=workers, prefetch_factor=2)
    start = time.perf_counter()
    count = sum(len(session.run(None, {"x": batch.numpy()})[0]) for batch in loader)
    print("photographs/s", count / (time.perf_counter() - start))


def ours(name, folder, scratch):
    weights, tap = NETWORKS[name]
    out = scratch / "x.features"
    command = [ROOT / "target/release/extract", folder, "-o", out, "--backbone", name, "--tap", tap, "--force", "--quiet",
               "--weights", SHARED / "weights" / weights, "--threads", "2"]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def main():
    if sys.argv[1:2] == ["--theirs"]:
        model, workers, threads, *paths = sys.argv[2:]
        return theirs(model, paths, int(workers), int(threads))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for name in NETWORKS:
            model = scratch / f"{name}.onnx"
            export(name, model)
            for folder in args.folders:
                # A folder without classes is given two: extract wants them.
                paths, tree = files(folder), scratch / f"{folder.name}.tree"
                if not tree.exists():
                    for i, path in enumerate(paths):
                        place = tree / "ab"[i % 2] / f"{i:05}.jpg"
                        place.parent.mkdir(parents=True, exist_ok=True)
                        place.symlink_to(path.resolve())
                ways = [(workers, threads) for workers in (1, 2) for threads in (1, 2)]
                rates = {way: [] for way in ["ours", *ways]}
                for _ in range(args.rounds):
                    rates["ours"].append(len(paths) / ours(name, tree, scratch))
                    for workers, threads in ways:
                        command = [sys.executable, __file__, "--theirs", model, str(workers), str(threads), *paths]
                        run = subprocess.run(command, capture_output=True, text=True, check=True,
                                             env={**os.environ, "OMP_NUM_THREADS": "1"})
                        rates[workers, threads].append(float(run.stdout.split()[-1]))
                medians = {way: statistics.median(seen) for way, seen in rates.items()}
                best = max(ways, key=medians.get)
                print(f"{name}, {folder.name} ({len(paths)} JPEGs): extract {medians['ours']:.1f}/s (all of it: reading weights, "
                      f"probes, writing), DataLoader + ONNX Runtime {medians[best]:.1f}/s ({best[0]} workers, {best[1]} threads); "
                      f"{medians['ours'] / medians[best]:.2f} times", flush=True)


main()
