#!/usr/bin/env python3
"""Compares crates/metrics with scikit-learn on random cases: every figure to 1e-12.

Needs numpy, scipy and scikit-learn 1.7 or later (the multi-class Brier score), and
    cargo build --release --workspace --examples
Run from the project's root: python tests/peers/metrics.py [--cases 300]
What scikit-learn has not is written here again from its definition, differently from ours.
"""

import argparse
import json
import subprocess
import sys
import warnings

import numpy as np
import sklearn
from scipy import stats
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

TOLERANCE = 1e-12
CLASSES = ["plain", "ties", "absent", "perfect", "saturated", "one class", "two classes", "many classes", "one row"]
LABELS = ["plain", "ties", "absent", "everywhere", "one row", "nothing predicted"]
OPEN = ["plain", "ties", "no unknown rows", "no known rows"]
VALUES = ["plain", "ties", "perfect", "constant truth", "constant both", "one row", "offset"]


def classes_case(rng, kind):
    """Random labels and probabilities; many with ties, absent classes, perfect or saturated scores."""
    rows, classes = int(rng.integers(1, 400)), int(rng.integers(2, 14))
    if kind == "two classes":
        classes = 2
    if kind == "many classes":
        classes = 50
    if kind == "one row":
        rows = 1
    known = classes if kind != "absent" else int(rng.integers(1, classes))
    labels = rng.integers(0, known, rows)
    if kind == "one class":
        labels[:] = rng.integers(0, classes)
    logits = rng.normal(0, 2, (rows, classes))
    logits[np.arange(rows), labels] += rng.uniform(0, 3)
    if kind == "ties" or (kind == "two classes" and rng.random() < 0.5):
        logits = np.round(logits / 2)
    if kind == "saturated":
        logits *= 300
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    if kind == "perfect":
        p = np.eye(classes)[labels]
    return {"labels": labels.tolist(), "probabilities": p.ravel().tolist(), "classes": classes}


def multi_label_case(rng, kind):
    rows, labels = int(rng.integers(1, 200)), int(rng.integers(2, 12))
    if kind == "one row":
        rows = 1
    truth = rng.random((rows, labels)) < rng.uniform(0.05, 0.7, labels)
    if kind == "absent":
        truth[:, rng.random(labels) < 0.5] = False
    if kind == "everywhere":
        truth[:, rng.random(labels) < 0.5] = True
        truth[rng.random(rows) < 0.2] = True
    p = 1 / (1 + np.exp(-rng.normal(0, 2, truth.shape) - 2 * truth + 1))
    if kind == "ties":
        p = np.round(p * 4) / 4
    if kind == "nothing predicted":
        p /= 2
    return {"truth": truth.ravel().tolist(), "probabilities": p.ravel().tolist(), "labels": labels}


def regression_case(rng, kind):
    rows = 1 if kind == "one row" else int(rng.integers(2, 300))
    truth = rng.normal(0, 3, rows)
    predicted = truth + rng.normal(0, 1, rows)
    if kind == "ties":
        truth, predicted = np.round(truth), np.round(predicted)
    if kind == "perfect":
        predicted = truth.copy()
    if kind.startswith("constant"):
        truth[:] = 2.5
    if kind == "constant both":
        predicted[:] = rng.choice([2.5, 1.0])
    if kind == "offset":
        truth, predicted = truth + 1000, predicted + 1000
    return {"truth": truth.tolist(), "predicted": predicted.tolist()}


def open_set_case(rng, kind):
    def rows(n, shift):
        doubt = np.round(rng.normal(shift, 1, n), 1 if kind == "ties" else 9)
        return [[bool(rng.random() < 0.7), bool(value > 0.5), value] for value in doubt]

    n = {"no unknown rows": [50, 0], "no known rows": [0, 50]}.get(kind, rng.integers(1, 200, 2).tolist())
    return {"known": rows(n[0], 0), "unknown": rows(n[1], 1)}


def mcnemar_case(rng, kind):
    return {"only_first": int(rng.integers(0, 60)), "only_second": int(rng.integers(0, 60))}


def classes_theirs(case):
    classes = case["classes"]
    labels, p = np.array(case["labels"]), np.array(case["probabilities"]).reshape(-1, classes)
    every, predicted = list(range(classes)), p.argmax(1)
    kappa = sk.cohen_kappa_score(labels, predicted, labels=every)
    out = {
        "accuracy": sk.accuracy_score(labels, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, predicted),
        "cohen_kappa": None if np.isnan(kappa) else kappa,
        "matthews_corrcoef": sk.matthews_corrcoef(labels, predicted),
        "log_loss": sk.log_loss(labels, p, labels=every),
        "brier_score_loss": sk.brier_score_loss(labels, p, labels=every),
    }
    out |= averages(labels, predicted, ["macro"], labels=np.unique(labels))
    out |= averages(labels, predicted, ["micro", "weighted"], labels=every)
    # Nothing can be found of a class that no row bears.
    for name in ["recall", "f1"]:
        out[name] = [value if rows else None for value, rows in zip(out[name], out["support"])]
    for k in [1, 2, 5]:
        if k >= classes:
            out[f"top_{k}_accuracy"] = None
        elif classes > 2:
            # For two classes scikit-learn thresholds a single score instead.
            out[f"top_{k}_accuracy"] = sk.top_k_accuracy_score(labels, p, k=k, labels=every)
    matrix = sk.confusion_matrix(labels, predicted, labels=every)
    out["pairs"] = [[int(t), int(c), int(matrix[t, c])] for t, c in zip(*np.nonzero(matrix))]
    wrong = matrix[~np.eye(classes, dtype=bool)]
    out["mistakes"] = sorted(wrong[wrong > 0].tolist(), reverse=True)
    out |= calibration(labels, p, predicted) | rejection(labels, p, predicted) | one_vs_rest(labels, p)
    n, hits = len(labels), (labels == predicted).sum()
    # Clopper and Pearson: the smallest and the largest truth under which so many hits are no outlier.
    out["proportion"] = [
        stats.beta.ppf(0.025, hits, n - hits + 1) if hits > 0 else 0.0,
        stats.beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0,
    ]
    return out


def averages(truth, predicted, names, **options):
    each = sk.precision_recall_fscore_support(truth, predicted, zero_division=0, **options)
    out = dict(zip(["precision", "recall", "f1", "support"], (values.tolist() for values in each)))
    for average in names:
        means = sk.precision_recall_fscore_support(truth, predicted, average=average, zero_division=0, **options)
        for name, value in zip(["precision", "recall", "f1"], means):
            out[f"{average}_{name}"] = value
    return out


def calibration(labels, p, predicted):
    confidence, right = p.max(1), (predicted == labels).astype(float)
    out, n = {}, len(labels)

    def bins(where):
        return [[(where == b).sum(), right[where == b].mean(), confidence[where == b].mean()] for b in np.unique(where)]

    def error(table):
        return sum(rows * abs(accuracy - mean) for rows, accuracy, mean in table) / n

    table = bins(np.clip(np.digitize(confidence, np.arange(1, 15) / 15, right=True), 0, 14))
    out["reliability"], out["ece"] = table, error(table)
    edges = np.percentile(confidence, np.linspace(0, 1, 16) * 100)
    table = bins(np.searchsorted(edges[1:-1], confidence))
    accuracies, means = calibration_curve(right, confidence, n_bins=15, strategy="quantile")
    table = [[rows, accuracy, mean] for (rows, _, _), accuracy, mean in zip(table, accuracies, means, strict=True)]
    out["reliability_equal_mass"], out["ece_equal_mass"] = table, error(table)
    return out


def rejection(labels, p, predicted):
    confidence, wrong = p.max(1), (predicted != labels).astype(float)
    risks = {c: wrong[confidence >= c].mean() for c in confidence}
    points = [[c, (confidence >= c).mean(), risks[c]] for c in sorted(risks, reverse=True)]
    return {"rejection": points, "aurc": np.mean([risks[c] for c in confidence])}


def one_vs_rest(labels, p):
    n, classes = p.shape
    auc, precision, variance, pr_curves, roc_curves = ([None] * classes for _ in range(5))
    ranked = 0
    for c in range(classes):
        y, s = labels == c, p[:, c]
        pr_curves[c], roc_curves[c] = [], []
        if not 0 < y.sum() < n:
            continue
        ranked += 1
        auc[c] = sk.roc_auc_score(y, s)
        precision[c] = sk.average_precision_score(y, s)
        wins = np.sign(s[y][:, None] - s[~y]) / 2 + 0.5
        if min(y.sum(), (~y).sum()) > 1:
            variance[c] = wins.mean(1).var(ddof=1) / y.sum() + wins.mean(0).var(ddof=1) / (~y).sum()
        at = np.unique(s[y])[::-1]
        precisions, recalls, thresholds = sk.precision_recall_curve(y, s)
        where = np.searchsorted(thresholds, at)
        pr_curves[c] = [[t, recalls[i], precisions[i]] for t, i in zip(at, where)]
        fpr, tpr, _ = sk.roc_curve(y, s, drop_intermediate=False)
        roc_curves[c] = corners(fpr.tolist(), tpr.tolist())
    there = [value for value in auc if value is not None]
    out = {
        "roc_auc": auc, "average_precision": precision, "roc_auc_variance": variance,
        "precision_recall_curves": pr_curves, "roc_curves": roc_curves,
        "macro_roc_auc": np.mean(there) if there else None,
        "macro_average_precision": np.mean([v for v in precision if v is not None]) if there else None,
    }
    if ranked == classes > 2:
        # For two classes scikit-learn ranks the second alone, whose scores are the first's only up to rounding.
        out["macro_roc_auc"] = sk.roc_auc_score(labels, p, multi_class="ovr", labels=list(range(classes)))
    return out


def corners(fpr, tpr):
    """A curve without the points within its vertical and horizontal runs, which ours has only some of."""
    points = list(zip(fpr, tpr))

    def needed(i):
        if i in (0, len(points) - 1):
            return True
        (x0, y0), (x1, y1), (x2, y2) = points[i - 1 : i + 2]
        return not (x0 == x1 == x2 or y0 == y1 == y2)

    return [list(point) for i, point in enumerate(points) if needed(i)]


def multi_label_theirs(case):
    labels = case["labels"]
    truth = np.array(case["truth"]).reshape(-1, labels).astype(int)
    p = np.array(case["probabilities"]).reshape(-1, labels)
    predicted = (p > 0.5).astype(int)
    out = averages(truth, predicted, ["macro", "micro", "weighted", "samples"])
    both = [0 < truth[:, label].sum() < len(truth) for label in range(labels)]
    columns = [(truth[:, label], p[:, label]) for label in range(labels)]

    def ranked(of):
        return [of(y, s) if there else None for (y, s), there in zip(columns, both)]

    def mean(values):
        there = [value for value in values if value is not None]
        return np.mean(there) if there else None

    out |= {
        "subset_accuracy": sk.accuracy_score(truth, predicted),
        "hamming_loss": sk.hamming_loss(truth, predicted),
        "coverage_error": sk.coverage_error(truth, p),
        "label_ranking_average_precision": sk.label_ranking_average_precision_score(truth, p),
        "label_log_loss": [sk.log_loss(y, s, labels=[0, 1]) for y, s in columns],
        "label_brier_score_loss": [sk.brier_score_loss(y, s, labels=[0, 1]) for y, s in columns],
        "roc_auc": ranked(sk.roc_auc_score),
        "average_precision": ranked(sk.average_precision_score),
    }
    out["log_loss"], out["brier_score_loss"] = np.mean(out["label_log_loss"]), np.mean(out["label_brier_score_loss"])
    out["macro_roc_auc"], out["macro_average_precision"] = mean(out["roc_auc"]), mean(out["average_precision"])
    if all(both):
        out["macro_roc_auc"] = sk.roc_auc_score(truth, p)
        out["macro_average_precision"] = sk.average_precision_score(truth, p)
    return out


def regression_theirs(case):
    pair = np.array(case["truth"]), np.array(case["predicted"])
    names = ["mean_absolute_error", "root_mean_squared_error", "median_absolute_error", "max_error"]
    out = {name: getattr(sk, name)(*pair) for name in names + ["r2_score", "explained_variance_score"]}
    if np.isnan(out["r2_score"]):
        out["r2_score"] = None
    return out


def open_set_theirs(case):
    """A label for what is declined, one more than those of classes; the first class is every known row's."""
    known, unknown = case["known"], case["unknown"]
    truth = np.array([0] * len(known) + [2] * len(unknown))
    said = np.array([2 if declined else int(not right) for right, declined, _ in known + unknown])
    doubt = np.array([doubt for *_, doubt in known + unknown])
    of_known, of_unknown = said[truth == 0], said[truth == 2]
    return {
        "unknown_rows": len(unknown),
        "open_set_accuracy": sk.accuracy_score(truth, said),
        "known_accepted": (of_known != 2).mean() if known else None,
        "unknown_rejected": sk.recall_score(truth, said, labels=[2], average="micro") if unknown else None,
        "unknown_roc_auc": sk.roc_auc_score(truth == 2, doubt) if known and unknown else None,
    }


def mcnemar_theirs(case):
    """What statsmodels' mcnemar does, exact below 25 discordant rows."""
    b, c = case["only_first"], case["only_second"]
    if b + c < 25:
        return {"statistic": None, "p_value": min(1, 2 * stats.binom.cdf(min(b, c), b + c, 0.5))}
    statistic = (abs(b - c) - 1) ** 2 / (b + c)
    return {"statistic": statistic, "p_value": stats.chi2.sf(statistic, 1)}


def worst_gap(expected, got, where):
    """The largest error of numbers in lists of lists, relative above 1; None agrees with None alone."""
    if isinstance(expected, (list, tuple)):
        if not isinstance(got, list) or len(got) != len(expected):
            sys.exit(f"{where}: expected {expected}, got {got}")
        gaps = [worst_gap(e, g, where) for e, g in zip(expected, got)]
        return max((gap for gap, _ in gaps), default=0), sum(count for _, count in gaps)
    if expected is None or got is None:
        if got is not expected:
            sys.exit(f"{where}: expected {expected}, got {got}")
        return 0, 1
    gap = abs(got - expected) / max(1, abs(expected))
    if not gap <= TOLERANCE:
        sys.exit(f"{where}: expected {expected!r}, got {got!r}")
    return gap, 1


KINDS = {
    "classes": (CLASSES, classes_case, classes_theirs),
    "multi_label": (LABELS, multi_label_case, multi_label_theirs),
    "regression": (VALUES, regression_case, regression_theirs),
    "open_set": (OPEN, open_set_case, open_set_theirs),
    "mcnemar": (["plain"], mcnemar_case, mcnemar_theirs),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=300, help="of each kind of input")
    parser.add_argument("--binary", default="target/release/examples/score")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(20261123)
    cases = []
    for kind, (variants, make, _) in KINDS.items():
        for number in range(arguments.cases):
            variant = variants[number % len(variants)]
            cases.append((kind, f"{kind} {number} ({variant})", make(rng, variant)))
    lines = "".join(json.dumps({kind: case}) + "\n" for kind, _, case in cases)
    run = subprocess.run([arguments.binary], input=lines, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{arguments.binary}: {run.stderr}")
    print(f"scikit-learn {sklearn.__version__}, {arguments.cases} cases of each kind; largest errors:")
    worst, figures = {}, 0
    for (kind, where, case), line in zip(cases, run.stdout.splitlines(), strict=True):
        got, expected = json.loads(line), KINDS[kind][2](case)
        if got.keys() - expected.keys() - {"top_1_accuracy", "top_5_accuracy"}:
            sys.exit(f"{where}: nothing to compare {got.keys() - expected.keys()} with")
        for name, value in expected.items():
            mine = corner_lists(got[name]) if name == "roc_curves" else got[name]
            gap, count = worst_gap(value, mine, f"{where}: {name}")
            worst[kind, name] = max(worst.get((kind, name), 0), gap)
            figures += count
    for (kind, name), gap in sorted(worst.items()):
        print(f"  {kind:<12} {name:<32} {gap:.1e}")
    print(f"{len(cases)} cases, {figures} figures passed, 0 failed")


def corner_lists(curves):
    return [corners([x for x, _ in curve], [y for _, y in curve]) for curve in curves]


if __name__ == "__main__":
    main()
