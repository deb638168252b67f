#!/usr/bin/env python3
"""`evaluate` against a script with scikit-learn's metrics: whole processes on the same features and head, time and memory.

    .venv/bin/python benches/peers/scores.py [--rows 100000,200000,1000000] [--peers-most 200000] [--rounds 1]

Needs numpy, scikit-learn 1.7 or later, the programs and `cargo build --release --workspace --example features_of`. Features
are made, 512 of 1,000 classes; the head is fitted on 20,000 rows apart, and scored on so many others. The script is careful:
products in f32 and by blocks, what each row alone says taken from the block, probabilities kept once, class by class, for
scikit-learn's rankings. Peak memory is what the system says of each process. `apart` is the largest difference of all values
that both have; ours are computed in f64.
"""

import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

from heads import environment, head, make, tools

DIM, CLASSES, TRAIN = 512, 1000, 20_000
THREADS = 2
BLOCK = 10_000


def score(folder):
    """What a user's script does, in a process of its own: every metric as JSON."""
    from sklearn import metrics as sk

    _, weight, bias = head(folder / "x.head")
    weight, bias = weight.T.astype(np.float32), bias.astype(np.float32)
    x = np.memmap(folder / "x", "<f4", "r").reshape(-1, DIM)[TRAIN:]
    y = np.fromfile(folder / "y", "<u4")[TRAIN:].astype(int)
    n, every = len(y), np.arange(CLASSES)
    columns = np.empty((CLASSES, n), np.float32)
    predicted, confidence = np.empty(n, int), np.empty(n)
    sums = {"top_5_accuracy": 0, "log_loss": 0, "brier_score_loss": 0}
    for at in range(0, n, BLOCK):
        rows = slice(at, min(at + BLOCK, n))
        z = x[rows] @ weight + bias
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        predicted[rows], confidence[rows], columns[:, rows] = p.argmax(1), p.max(1), p.T
        sums["top_5_accuracy"] += sk.top_k_accuracy_score(y[rows], p, k=5, labels=every, normalize=False)
        sums["log_loss"] += sk.log_loss(y[rows], p, labels=every, normalize=False)
        sums["brier_score_loss"] += sk.brier_score_loss(y[rows], p, labels=every) * len(p)
    out = {name: total / n for name, total in sums.items()}
    out["accuracy"] = sk.accuracy_score(y, predicted)
    out["balanced_accuracy"] = sk.balanced_accuracy_score(y, predicted)
    out["cohen_kappa"] = sk.cohen_kappa_score(y, predicted)
    out["matthews_corrcoef"] = sk.matthews_corrcoef(y, predicted)
    for average in ["macro", "micro", "weighted", None]:
        each = sk.precision_recall_fscore_support(y, predicted, average=average, labels=every, zero_division=0)
        for name, value in zip(["precision", "recall", "f1"], each):
            out[f"{average}_{name}" if average else name] = np.array(value).tolist()
    bins = np.clip(np.ceil(confidence * 15).astype(int) - 1, 0, 14)
    right = predicted == y
    out["ece"] = sum(abs(right[bins == b].sum() - confidence[bins == b].sum()) for b in range(15)) / n
    out["roc_auc"] = [sk.roc_auc_score(y == c, columns[c]) for c in every]
    out["average_precision"] = [sk.average_precision_score(y == c, columns[c]) for c in every]
    out["macro_roc_auc"], out["macro_average_precision"] = np.mean(out["roc_auc"]), np.mean(out["average_precision"])
    (folder / "theirs.json").write_text(json.dumps(out))


def measured(command):
    """(seconds, peak MiB) of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, env=environment(THREADS))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def evaluate(folder):
    files = [folder / "x.features", folder / "x.head", "-o", folder / "ours.csv"]
    return measured([tools.BIN / "evaluate", *files, "--split", "test", "--threads", THREADS, "--force", "-q"])


def apart(folder):
    """The largest difference of a value of ours from theirs, where both have it, and which."""
    theirs = json.loads((folder / "theirs.json").read_text())
    worst = (0.0, "none")
    with open(folder / "ours.csv", newline="") as file:
        for row in csv.DictReader(file):
            expected = theirs.get(row["metric"])
            if expected is None or row["scope"] not in ("overall", "class"):
                continue
            expected = expected[int(row["class"])] if row["scope"] == "class" else expected
            worst = max(worst, (abs(float(row["value"]) - expected), row["metric"]))
    return worst


def prepare(folder, rows):
    if not (folder / "x.head").exists():
        folder.mkdir(parents=True, exist_ok=True)
        make(folder, TRAIN + rows, DIM, CLASSES, TRAIN)
        tools.tool("fit-head", folder / "x.features", "-o", folder / "x.head", "--l2", 100, "--no-calibrate")


def main():
    if sys.argv[1:2] == ["--score"]:
        return score(pathlib.Path(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="100000,200000,1000000")
    parser.add_argument("--peers-most", type=int, default=200_000, help="rows that the script is given at most: it is slow")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, help="where features are kept for another time")
    args = parser.parse_args()
    if args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
    print(f"{DIM} features, {CLASSES:,} classes, {THREADS} threads, medians of {args.rounds}")
    print("| rows | evaluate | scikit-learn | ratio | apart |\n|---|---|---|---|---|", flush=True)
    for rows in map(int, args.rows.split(",")):
        with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
            folder = args.folder / f"scores-{rows}" if args.folder else pathlib.Path(scratch)
            prepare(folder, rows)
            runs = {"ours": [], "theirs": []}
            for _ in range(args.rounds):
                runs["ours"].append(evaluate(folder))
                if rows <= args.peers_most:
                    runs["theirs"].append(measured([sys.executable, __file__, "--score", folder]))
            found = {name: [statistics.median(column) for column in zip(*seen)] for name, seen in runs.items() if seen}
            cells = [f"{found[name][0]:.1f} s, {found[name][1]:,.0f} MiB" if name in found else "–" for name in runs]
            if "theirs" in found:
                ratio, (worst, which) = found["theirs"][0] / found["ours"][0], apart(folder)
                cells += [f"{ratio:.1f}", f"{worst:.1e} ({which})"]
            print(f"| {rows:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
