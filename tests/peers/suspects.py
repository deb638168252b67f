#!/usr/bin/env python3
"""Compares crates/review with cleanlab: its scores of labels to 1e-9, and how many flipped labels each finds.

Five per cent of the labels are flipped at random; scikit-learn gives out-of-fold probabilities on our features, once
overfitted (C = 1) and once well regularised (C = 0.01). Of the flipped ones, those among the tenth of all rows that looks worst
count as found: ours, model and neighbours together, must find at least as many over all as the best of cleanlab's. Needs
../shared, numpy, scikit-learn and cleanlab, and
    cargo build --release --workspace --examples
Run from the project's root: python tests/peers/suspects.py [--seeds 3]
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from cleanlab.count import estimate_joint
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tools

SCORES = ["self_confidence", "normalized_margin"]


def ours(x, labels, p, folder):
    files = {"x": x.astype("<f4"), "labels": labels.astype("<u4"), "p": p.astype("<f8")}
    for name, values in files.items():
        (folder / name).write_bytes(values.tobytes())
    x_file, labels_file, p_file = (folder / name for name in files)
    command = [tools.BIN / "examples/suspects", x_file, str(x.shape[1]), labels_file, p_file, str(p.shape[1])]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def theirs(labels, p):
    out = {score: get_label_quality_scores(labels, p, method=score) for score in SCORES}
    for score in SCORES:
        out[f"{score}_adjusted"] = get_label_quality_scores(labels, p, method=score, adjust_pred_probs=True)
    # Issues first, in their order, then nothing: all others tie.
    ranked = find_label_issues(labels, p, return_indices_ranked_by="self_confidence")
    out["find_label_issues"] = np.full(len(labels), float(len(labels)))
    out["find_label_issues"][ranked] = np.arange(len(ranked))
    return out


def differences(mine, peer, labels, p):
    """Where ours should be cleanlab's: scores, the joint distribution (theirs is of whole rows), off-diagonal issues."""
    for score, values in peer.items():
        if score in mine and (worst := np.abs(mine[score] - values).max()) > 1e-9:
            yield f"{score} by {worst:.1e}"
    # Each of theirs is rounded to a row, up or down.
    if (worst := np.abs(np.ravel(estimate_joint(labels, p)) - mine["joint"]).max()) > 1.001 / len(labels):
        yield f"joint by {worst:.1e}"
    if list(find_label_issues(labels, p, filter_by="confident_learning").nonzero()[0]) != mine["issues"]:
        yield "issues"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seeds", type=int, default=3)
    given = arguments.parse_args()
    if not (tools.SHARED / "data").is_dir():
        print("skipped: ../shared/data is missing")
        return
    warnings.filterwarnings("ignore")
    print("| data | backbone, C | ours, combined | self-confidence | best of cleanlab's | which |\n|---|---|---|---|---|---|")
    passed, failed, total = 0, 0, np.zeros(2)
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        for name in ["flowers", "pneumonia_mnist", "bccd"]:
            source = tools.bccd(scratch) if name == "bccd" else tools.SHARED / "data" / name
            for backbone, tap, weights in [("headstart_tiny", "pooled", None), *tools.REAL]:
                tools.extract(source, scratch / "a.features", backbone, tap, weights)
                x, _, _, names = tools.matrix(scratch / "a.features", scratch)
                true = np.unique(names, return_inverse=True)[1]
                n, classes = len(true), true.max() + 1
                for c in [1, 0.01]:
                    found = {}
                    for seed in range(given.seeds):
                        rng = np.random.default_rng(seed)
                        flipped = rng.choice(n, n // 20, replace=False)
                        labels = true.copy()
                        labels[flipped] = (true[flipped] + rng.integers(1, classes, len(flipped))) % classes
                        model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=300, tol=1e-3))
                        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
                        p = cross_val_predict(model, x.astype(float), labels, cv=folds, method="predict_proba")
                        mine, peer = ours(x, labels, p, scratch), theirs(labels, p)
                        wrong = list(differences(mine, peer, labels, p))
                        passed, failed = passed + (not wrong), failed + bool(wrong)
                        if wrong:
                            print(f"FAILED: {name}, {backbone}, C = {c}, seed {seed}: {', '.join(wrong)} unlike cleanlab's")
                        for score, values in [("ours", mine["combined"]), *peer.items()]:
                            worst = np.argsort(values, kind="stable")[: n // 10]
                            found.setdefault(score, []).append(np.isin(flipped, worst).mean())
                    share = {score: np.mean(values) for score, values in found.items()}
                    mine = share.pop("ours")
                    best = max(share, key=share.get)
                    total += mine, share[best]
                    print(f"| {name} | {backbone}, {c} | {mine:.1%} | {share['self_confidence']:.1%} | {share[best]:.1%} | {best} |",
                          flush=True)
    good = total[0] >= total[1]
    passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
