#!/usr/bin/env python3
"""Is a default head as good as what a patient expert would tune? On every real set with every real backbone.

Ours: extract → fit-head (no flags) → evaluate, and the same with --head linear. Theirs, on the same features, standardised:
LogisticRegressionCV (10 values of C, 5 folds), and a random search over MLPs (hidden units, alpha, learning rate, batch, epochs; --trials
of them, the best on the val split or on a fifth of the train rows, fitted again on all train rows). Our test accuracy must not be below
the better of the two, or that of the linear head, by more than our own 95 % interval reaches. Also the log loss, and the calibration error
before and after the temperature. Prints the table that ACCURACY.md holds. Needs ../shared; run from the repository's root, after `make`.
"""

import argparse
import json
import pathlib
import re
import sys
import tempfile
import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

import tools

DATA = tools.SHARED / "data"


def overall(path, metric):
    rows = json.loads(pathlib.Path(path).read_text())
    return next(r for r in rows if r["metric"] == metric and r["scope"] == "overall")


def ours(features, scratch, *flags):
    head, metrics = scratch / "x.head", scratch / "x.json"
    kept = re.search(r"(\w+) kept: ", tools.tool("fit-head", features, "-o", head, "--force", *flags))
    tools.tool("evaluate", features, head, "-o", metrics, "--split", "test", "--force")
    return overall(metrics, "accuracy"), overall(metrics, "log_loss"), overall(metrics, "ece"), kept and kept[1]


def draw(random):
    return dict(
        hidden_layer_sizes=(int(random.choice([32, 64, 128, 256, 512])),),
        alpha=float(10 ** random.uniform(-5, 1.5)),
        learning_rate_init=float(10 ** random.uniform(-4, -2)),
        batch_size=int(random.choice([32, 128])),
        max_iter=int(random.choice([10, 20, 40])),
        random_state=int(random.integers(1 << 31)),
    )


def fit(settings, x, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged: the number of epochs is one of the settings
        return MLPClassifier(**settings).fit(x, y)


def trial(settings, train, val):
    return fit(settings, *train).score(*val)


def peers(x, y, split, trials):
    parts = {name: split == name for name in ("train", "val", "test")}
    x = StandardScaler().fit(x[parts["train"]]).transform(x).astype(np.float32)
    train, val, test = ((x[rows], y[rows]) for rows in parts.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        regression = LogisticRegressionCV(Cs=10, cv=5, max_iter=500, n_jobs=2).fit(*train)
    search = (train, val)
    if not len(val[1]):
        a, b, c, d = train_test_split(*train, test_size=0.2, stratify=train[1], random_state=0)
        search = ((a, c), (b, d))
    random = np.random.default_rng(0)
    settings = [draw(random) for _ in range(trials)]
    scores = Parallel(n_jobs=2)(delayed(trial)(one, *search) for one in settings)
    best = fit(settings[int(np.argmax(scores))], *train)
    return regression.score(*test), best.score(*test)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--trials", type=int, default=200)
    arguments.add_argument("--cache", type=pathlib.Path, help="keep what the peers reach in this JSON file, and take it from there")
    given = arguments.parse_args()
    cache = json.loads(given.cache.read_text()) if given.cache and given.cache.exists() else {}
    if not DATA.is_dir():
        print("tuned: skipped, no ../shared/data")
        return 0
    failed = 0
    print(
        "| data | backbone, tap | fit-head (95 %) | kept | --head linear | LogisticRegressionCV | MLP, random search "
        "| log loss | of linear | ECE before | after (95 %) |"
    )
    print("|" + "---|" * 11)
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        sets = [("flowers", DATA / "flowers"), ("pneumonia_mnist", DATA / "pneumonia_mnist"), ("bccd", tools.bccd(scratch))]
        for name, source in sets:
            for backbone, tap, weights in [("headstart_tiny", "pooled", None), *tools.REAL]:
                if weights and not weights.exists():
                    continue
                features = scratch / "x.features"
                tools.extract(source, features, backbone, tap, weights)
                x, _, split, label = tools.matrix(features, scratch)
                split, label = np.array(split), np.unique(label, return_inverse=True)[1]
                found, loss, after, kept = ours(features, scratch)
                linear, linear_loss, _, _ = ours(features, scratch, "--head", "linear")
                _, _, before, _ = ours(features, scratch, "--head", kept, "--no-calibrate")
                key = f"{name}, {backbone}, {tap}, {given.trials}"
                regression, mlp = cache[key] = cache.get(key) or peers(x, label, split, given.trials)
                if given.cache:
                    given.cache.write_text(json.dumps(cache))
                fine = found["ci_high"] >= max(regression, mlp, linear["value"])
                # ECE is biased upwards in resamples, so that either interval may be the one that covers both.
                within = lambda a, b: a["ci_low"] <= b["value"] <= a["ci_high"]
                calibrated = after["value"] <= before["value"] or within(after, before) or within(before, after)
                failed += not fine or not calibrated
                print(
                    f"| {name} | {backbone}, {tap} | {found['value']:.1%} ({found['ci_low']:.1%} to {found['ci_high']:.1%}) | {kept} | "
                    f"{linear['value']:.1%} | {regression:.1%} | {mlp:.1%} | {loss['value']:.3f} | {linear_loss['value']:.3f} | {before['value']:.3f} | "
                    f"{after['value']:.3f} ({after['ci_low']:.3f} to {after['ci_high']:.3f}) |{'' if fine and calibrated else ' FAILED'}",
                    flush=True,
                )
    print(f"tuned: {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
