#!/usr/bin/env python3
"""Compares crates/metrics with scikit-learn on random cases: every figure to 1e-12.

Needs numpy and scikit-learn 1.7 or later (the multi-class Brier score), and
    cargo build --release --workspace --examples
Run from the project's root: python tests/peers/metrics.py [--cases 300]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics as sk

TOLERANCE = 1e-12


def case(rng):
    """Random labels and probabilities; many with ties, absent classes, perfect or saturated scores."""
    rows, classes = int(rng.integers(1, 400)), int(rng.integers(2, 14))
    kind = str(rng.choice(["plain", "ties", "absent", "perfect", "saturated", "one class"]))
    known = classes if kind != "absent" else int(rng.integers(1, classes))
    labels = rng.integers(0, known, rows)
    if kind == "one class":
        labels[:] = rng.integers(0, classes)
    logits = rng.normal(0, 2, (rows, classes))
    logits[np.arange(rows), labels] += rng.uniform(0, 3)
    if kind == "ties":
        logits = np.round(logits / 2)
    if kind == "saturated":
        logits *= 300
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    if kind == "perfect":
        p = np.eye(classes)[labels]
    return kind, labels.astype(np.uint32), p, classes


def ours(binary, labels, p, classes, folder):
    (folder / "labels").write_bytes(labels.astype("<u4").tobytes())
    (folder / "p").write_bytes(p.astype("<f8").tobytes())
    run = subprocess.run([binary, folder / "labels", folder / "p", str(classes)], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{binary}: {run.stderr}")
    return json.loads(run.stdout)


def theirs(labels, p, classes):
    every = list(range(classes))
    predicted = p.argmax(1)
    out = {
        "accuracy": sk.accuracy_score(labels, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, predicted),
        "log_loss": sk.log_loss(labels, p, labels=every),
        "brier_score_loss": sk.brier_score_loss(labels, p, labels=every),
    }
    each = sk.precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)
    for name, values in zip(["precision", "recall", "f1", "support"], each):
        out[name] = values
    for average in ["macro", "weighted"]:
        means = sk.precision_recall_fscore_support(
            labels, predicted, labels=every, average=average, zero_division=0
        )
        for name, value in zip(["precision", "recall", "f1"], means):
            out[f"{average}_{name}"] = value
    for k in [1, 2, 5]:
        if k >= classes:
            out[f"top_{k}_accuracy"] = None
        elif classes > 2:
            # For two classes scikit-learn thresholds a single score instead.
            out[f"top_{k}_accuracy"] = sk.top_k_accuracy_score(labels, p, k=k, labels=every)
    matrix = sk.confusion_matrix(labels, predicted, labels=every)
    out["pairs"] = [[int(t), int(c), int(matrix[t, c])] for t, c in zip(*np.nonzero(matrix))]
    # scikit-learn has neither; the definitions, written differently from ours.
    confidence, right = p.max(1), (predicted == labels).astype(float)
    bins = np.clip(np.digitize(confidence, np.arange(1, 15) / 15, right=True), 0, 14)
    out["ece"] = sum(
        abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in set(bins)
    )
    n, z = len(labels), 1.959963984540054
    hits = right.sum()
    # The roots of (p - h/n)^2 = z^2 p (1 - p) / n.
    roots = np.roots([n + z * z, -(2 * hits + z * z), hits * hits / n])
    out["wilson"] = np.sort(roots.real)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--binary", default="target/release/examples/score")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(20261123)
    worst, kinds, compared = {}, {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.cases):
            kind, labels, p, classes = case(rng)
            kinds[kind] = kinds.get(kind, 0) + 1
            got = ours(arguments.binary, labels, p, classes, Path(folder))
            for name, expected in theirs(labels, p, classes).items():
                where = f"case {number} ({kind}, {len(labels)} rows, {classes} classes): {name}"
                if name == "pairs" or expected is None or got[name] is None:
                    if got[name] != expected:
                        sys.exit(f"{where}: expected {expected}, got {got[name]}")
                    continue
                scale = np.maximum(1, np.abs(expected))
                error = float(np.max(np.abs(np.asarray(got[name]) - expected) / scale))
                worst[name] = max(worst.get(name, 0), error)
                if not error <= TOLERANCE:
                    sys.exit(f"{where}: expected {expected}, got {got[name]}")
                compared += 1
    print(f"scikit-learn {sklearn.__version__}: {arguments.cases} cases {kinds}, {compared} figures agree")
    print("largest errors:", ", ".join(f"{name} {error:.1e}" for name, error in sorted(worst.items())))


if __name__ == "__main__":
    main()
