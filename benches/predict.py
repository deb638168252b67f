#!/usr/bin/env python3
"""`predict` beside `extract`: its rate, its memory, and how soon its first row is out.

    .venv/bin/python benches/predict.py FOLDER [--weights FILE] [--pictures 20000] [--rounds 3]

FOLDER holds one folder of pictures per class, as `extract` takes them. Its pictures are copied until there are as many as asked for, and
one is no picture. They go through the network of FILE, or the embedded one, which does least, so that everything beside it counts most.
Times of `extract` and `predict` are taken in turn; peaks are of resident memory, of a fifth of the pictures too. The first row is that of one
picture by a bundle of ResNet-18 with random weights, from the start of the process; medians of 15 runs. Linux only; needs torchvision.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

BIN = pathlib.Path("target/release").resolve()


def run(name, *arguments):
    """Seconds, and the peak of resident memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen([BIN / name, *map(str, arguments), "--quiet"])
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{name} failed")
    return time.perf_counter() - start, used.ru_maxrss / 1024


def copied(photos, folder, count):
    """That many pictures, in folders of their classes; one in the middle is a text."""
    for at in range(count):
        photo = photos[at % len(photos)]
        place = folder / photo.parent.name
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photo, place / f"{at}.jpg")
        if at == count // 2:
            (place / f"{at}.jpg").write_text("no picture")


def rates(photos, scratch, weights, count, rounds):
    copied(photos, scratch / "all", count)
    copied(photos, scratch / "few", count // 5)
    run("extract", scratch / "few", "-o", scratch / "few.features", *weights)
    run("fit-head", scratch / "few.features", "-o", scratch / "x.head")
    _, peak = run("predict", scratch / "x.head", scratch / "few", "-o", scratch / "few.jsonl", *weights)
    print(f"{count // 5} pictures: predict's peak {peak:.0f} MiB")
    for _ in range(rounds):
        extract, _ = run("extract", scratch / "all", "-o", scratch / "all.features", "--force", *weights)
        predict, peak = run("predict", scratch / "x.head", scratch / "all", "-o", scratch / "all.jsonl", "--force", *weights)
        rows = [json.loads(line) for line in open(scratch / "all.jsonl")]
        lost = sum("error" in row for row in rows)
        print(f"{count} pictures: extract {extract:.1f} s, predict {predict:.1f} s, ratio {predict / extract:.3f}, peak {peak:.0f} MiB;"
              f" {len(rows)} rows, {lost} of them with a reason")


def first_row(photos, scratch, rounds):
    import torch
    import torchvision

    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18().state_dict(), scratch / "resnet18.pth")
    weights = ["--weights", scratch / "resnet18.pth"]
    copied(photos, scratch / "hundred", 100)
    run("extract", scratch / "hundred", "-o", scratch / "r.features", "--backbone", "resnet18", *weights)
    run("fit-head", scratch / "r.features", "-o", scratch / "r.head", "--head", "linear")
    run("export", scratch / "r.head", "-o", scratch / "r.hst", "--to", "bundle", *weights)
    for _ in range(rounds):
        times = []
        for _ in range(15):
            start = time.perf_counter()
            process = subprocess.Popen([BIN / "predict", scratch / "r.hst", photos[0], "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            assert process.stdout.readline()
            times.append(time.perf_counter() - start)
            process.wait()
        print(f"first row, ResNet-18: {statistics.median(times):.3f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--weights", type=pathlib.Path)
    parser.add_argument("--pictures", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    # By their names, so that the classes mix.
    photos = sorted((path.resolve() for path in given.folder.rglob("*.jp*g")), key=lambda path: path.name)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        # First, for a process begins with the memory of what started it, and torch's is large.
        rates(photos, scratch, ["--weights", given.weights] if given.weights else [], given.pictures, given.rounds)
        first_row(photos, scratch, given.rounds)


if __name__ == "__main__":
    main()
