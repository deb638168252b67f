#!/usr/bin/env python3
"""Which kind of head should be kept by default? Rules of choice on every real set with every real backbone, many splits each.

One test set says little of a choice between kinds that differ by a point. So samples are drawn into splits anew, --splits times in
each of three ways: all of them into splits of the data's own sizes; nine tenths of the train and val rows, with the data's own test
split; 100 train rows of flowers' and pneumonia_mnist's samples and of bccd's, all others test. Each time extract takes the rows over
(--reuse), fit-head fits linear, ridge and lda, and evaluate looks at each on the test rows. A rule sees held-out rows only, by what heads
record of them. Prints the table that ACCURACY.md holds: means over sets and ways, differences to
always linear. Needs ../shared; run from the repository's root, after `make`.
"""

import argparse
import concurrent.futures
import csv
import json
import pathlib
import sys
import tempfile

import numpy as np

import tools
from tuned import overall

DATA = tools.SHARED / "data"
KINDS = ["linear", "ridge", "lda"]
METRICS = ["accuracy", "log_loss", "ece"]


def drawn(way, labels, own, seed):
    """A split for each sample, or nothing for one that is left out."""
    random = np.random.default_rng(seed)
    part = {name: np.mean(own == name) for name in ("train", "val", "test")}
    split = np.full(len(own), "test", object)
    for label in np.unique(labels):
        rows = np.flatnonzero((labels == label) & ((way != "own test") | (own != "test")))
        random.shuffle(rows)
        if way == "drawn":
            train, val = part["train"], part["val"]
        elif way == "own test":
            train, val = (0.9 * part[name] / (part["train"] + part["val"]) for name in ("train", "val"))
        else:
            train, val = 100 / len(own), 0
        ends = np.floor(len(rows) * np.array([train, train + val]) + random.random()).astype(int)
        split[rows[: ends[0]]], split[rows[ends[0] : ends[1]]] = "train", "val"
        if way == "own test":
            split[rows[ends[1] :]] = None
    return split


def record(head):
    data = head.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return json.loads(header["__metadata__"]["headstart"])["fit"]


def measure(source, whole, recipe, way, seed):
    """Each kind's test metrics, by what each rule keeps."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        features, head, metrics = folder / "x.features", folder / "x.head", folder / "x.json"
        ids, labels, own = whole["rows"]
        with open(folder / "m.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "label", "split"])
            splits = drawn(way, labels, own, seed)
            writer.writerows(row for row in zip(ids, labels, splits) if row[2])
        root = source if source.is_dir() else source.parent
        tools.extract(folder / "m.csv", features, *recipe, "--root", root, "--reuse", whole["features"])
        found, held_out = {}, {}
        # The default has fitted two kinds, and one of them is in the head.
        for flags in [], *(["--head", kind] for kind in KINDS):
            if flags and flags[1] in found:
                continue
            tools.tool("fit-head", features, "-o", head, *flags, "--force", "--threads", 1)
            tools.tool("evaluate", features, head, "-o", metrics, "--split", "test", "--force", "--threads", 1)
            fit = record(head)
            found[fit["head"]] = [overall(metrics, metric)["value"] for metric in METRICS]
            held_out[fit["head"]] = fit["held_out_accuracy"], fit["held_out_loss"]
            if not flags:
                lda = fit["candidates"]["tried"][1]
    clear = lambda errors: "lda" if lda["loss_difference"] < -errors * lda["standard_error"] else "linear"
    kept = {
        "always `linear`": "linear",
        "always `ridge`": "ridge",
        "always `lda`": "lda",
        "highest held-out accuracy of the three": max(KINDS, key=lambda kind: held_out[kind][0]),
        "least held-out loss of the three": min(KINDS, key=lambda kind: held_out[kind][1]),
        "`linear`, or `lda` of less loss": clear(0),
        "`linear`, or `lda` of less loss by one standard error (`auto`)": clear(1),
        "`linear`, or `lda` of less loss by two standard errors": clear(2),
    }
    return {rule: (kind == "linear", np.array(found[kind]) - found["linear"], found[kind]) for rule, kind in kept.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--splits", type=int, default=8)
    given = arguments.parse_args()
    if not DATA.is_dir():
        print("kinds: skipped, no ../shared/data")
        return 0
    cells = {}
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        scratch = pathlib.Path(folder)
        sources = {"flowers": DATA / "flowers", "pneumonia_mnist": DATA / "pneumonia_mnist", "bccd": tools.bccd(scratch)}
        for name, source in sources.items():
            for backbone, tap, weights in [("headstart_tiny", "pooled", None), *tools.REAL]:
                if weights and not weights.exists():
                    continue
                features = scratch / f"{name}.{backbone}.features"
                tools.extract(source, features, backbone, tap, weights)
                _, ids, own, labels = tools.matrix(features, scratch)
                whole = {"features": features, "rows": (ids, np.array(labels), np.array(own))}
                for way in ("drawn", "own test", "100 rows"):
                    run = lambda seed: measure(source, whole, (backbone, tap, weights), way, seed)
                    cells[f"{name}, {backbone}, {way}"] = list(pool.map(run, range(given.splits)))
                print(f"kinds: {name}, {backbone}", file=sys.stderr, flush=True)
    print("| rule | `linear` kept | accuracy | difference | worst cell | log loss | difference | worst cell | ECE |")
    print("|" + "---|" * 9)
    worse = []
    for rule in next(iter(cells.values()))[0]:
        linear = np.array([[one[rule][0] for one in cell] for cell in cells.values()]).mean()
        less = np.array([[one[rule][1] for one in cell] for cell in cells.values()])  # cells, splits, metrics
        values = np.array([[one[rule][2] for one in cell] for cell in cells.values()]).mean((0, 1))
        means, errors = less.mean(1), less.std(1, ddof=1) / np.sqrt(less.shape[1])
        mean, error = means.mean(0), np.sqrt((errors**2).sum(0)) / len(cells)
        low, high = means[:, 0].argmin(), means[:, 1].argmax()
        print(
            f"| {rule} | {linear:.0%} | {values[0]:.2%} | {100 * mean[0]:+.2f} ± {100 * error[0]:.2f} | "
            f"{100 * means[low, 0]:+.2f} ± {100 * errors[low, 0]:.2f} | {values[1]:.4f} | {mean[1]:+.4f} ± {error[1]:.4f} | "
            f"{means[high, 1]:+.4f} ± {errors[high, 1]:.4f} | {values[2]:.4f} |"
        )
        if "auto" in rule:
            worse = [cell for cell, mean, error in zip(cells, means[:, 0], errors[:, 0]) if mean < -1.96 * error]
            fine = mean[0] >= 0 and mean[1] <= 0
    print(f"kinds: {len(cells)} cells of {given.splits} splits; auto is worse than linear beyond the interval in {len(worse)}: {'; '.join(worse)}")
    return int(bool(worse) or not fine)


if __name__ == "__main__":
    sys.exit(main())
