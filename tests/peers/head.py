#!/usr/bin/env python3
"""Compares crates/head's heads with scikit-learn's, on random cases.

Needs numpy and scikit-learn 1.7 or later, and
    cargo build --release --workspace --examples
Run from the project's root: python tests/peers/head.py [--time]

Logistic regression: the same minimum.
Both standardise, both minimise  C · Σ w·nll + ½‖W‖²  with C = 1/l2 (for two classes over the difference of
the two rows), ours with products in f32 and as far down as they let it. Weights and biases must agree to 1e-2 of the
largest (a flat minimum lets them), our minimum must not lie above scikit-learn's by more than 1e-6 of it.

Ridge regression (RidgeClassifier): weights and biases to 1e-5 of the largest. Linear discriminants (solver lsqr): scores
to 1e-4 of the largest. Class means (NearestCentroid) and neighbours (KNeighborsClassifier, with votes of exp(cosine /
0.07)): predictions, but for ties. Novelty (Mahalanobis' distance under scikit-learn's OAS covariance within classes): distances
to 1e-4.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.covariance import OAS
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.preprocessing import StandardScaler


def case(rng, rows, dim, classes, spread):
    """Overlapping clusters with columns of very different scale and offset."""
    labels = np.concatenate([np.arange(classes), rng.choice(classes, rows - classes, p=prior(rng, classes))])
    centres = rng.normal(0, spread, (classes, dim))
    x = (centres[labels] + rng.normal(0, 1, (rows, dim))) * 10 ** rng.uniform(-2, 2, dim) + rng.normal(0, 5, dim)
    return x.astype(np.float32), labels.astype(np.uint32)


def prior(rng, classes):
    weights = rng.uniform(0.2, 1, classes)
    return weights / weights.sum()


def ours(binary, folder, x, labels, classes, l2, weights, tolerance):
    (folder / "x").write_bytes(x.astype("<f4").tobytes())
    (folder / "y").write_bytes(labels.astype("<u4").tobytes())
    command = [binary, folder / "x", folder / "y", x.shape[1], classes, l2, weights, tolerance]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{binary}: {run.stderr}")
    return json.loads(run.stdout)


def theirs(x, labels, classes, l2, weights, tol):
    """Weights (C, d) and biases (C,) for raw features, and the objective / C."""
    start = time.perf_counter()
    scaler = StandardScaler().fit(x.astype(np.float64))
    scaled = scaler.transform(x.astype(np.float64))
    class_weight = "balanced" if weights == "balanced" else None
    model = LogisticRegression(C=1 / l2, tol=tol, max_iter=10_000, class_weight=class_weight)
    model.fit(scaled, labels)
    seconds = time.perf_counter() - start
    coefficients, intercept = model.coef_, model.intercept_
    penalty = 0.5 * l2 * np.sum(coefficients**2)
    if classes == 2:
        coefficients = np.concatenate([-coefficients / 2, coefficients / 2])
        intercept = np.concatenate([-intercept / 2, intercept / 2])
    logits = scaled @ coefficients.T + intercept
    top = logits.max(1)
    nll = top + np.log(np.exp(logits - top[:, None]).sum(1)) - logits[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=classes)
    row_weights = len(labels) / (classes * counts)[labels] if weights == "balanced" else 1
    raw = coefficients / scaler.scale_
    bias = intercept - raw @ scaler.mean_
    return raw, bias, np.sum(row_weights * nll) + penalty, seconds, int(model.n_iter_[0])


def compare(binary, folder, rng):
    worst = {"weights": 0.0, "objective": 0.0}
    number = 0
    for classes in [2, 3, 5, 10]:
        for rows, dim in [(60, 5), (300, 40), (120, 200)]:
            for l2 in [0.01, 1, 100]:
                weights = ["none", "balanced"][number % 2]
                x, labels = case(rng, rows, dim, classes, 0.5)
                got = ours(binary, folder, x, labels, classes, l2, weights, 1e-8)
                raw, bias, objective, _, _ = theirs(x, labels, classes, l2, weights, 1e-9)
                mine = np.array(got["weight"]).reshape(classes, dim)
                # Weights of scaled features, so that columns can be compared with one another.
                std = x.astype(np.float64).std(0)
                error = np.max(np.abs(mine - raw) * std) / np.max(np.abs(raw) * std)
                # Biases of softmax are known up to a common shift; ours and theirs both add up to zero
                # for scaled features.
                error = max(error, np.max(np.abs(np.array(got["bias"]) - bias)) / np.abs(bias).max())
                above = (got["objective"] - objective) / objective
                worst["weights"] = max(worst["weights"], float(error))
                worst["objective"] = max(worst["objective"], abs(float(above)))
                where = f"{rows} x {dim}, {classes} classes, l2 {l2}, weights {weights}"
                if error > 1e-2 or above > 1e-6:
                    sys.exit(f"{where}: weights differ by {error:.1e}, objective by {above:.1e}, {got['iterations']} iterations")
                number += 1
    print(f"scikit-learn {sklearn.__version__}: {number} fits agree;", worst)


def closed(binary, folder, form, x, labels, classes, strength, queries):
    (folder / "x").write_bytes(x.astype("<f4").tobytes())
    (folder / "y").write_bytes(labels.astype("<u4").tobytes())
    (folder / "q").write_bytes(queries.astype("<f4").tobytes())
    command = [binary, form, folder / "x", folder / "y", x.shape[1], classes, strength, folder / "q"]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{binary}: {run.stderr}")
    got = json.loads(run.stdout)
    got["scores"] = np.array(got["scores"]).reshape(len(queries), -1)
    return got


def closed_error(form, got, x, labels, classes, strength, queries):
    """How far our head is from scikit-learn's: of coefficients or scores, or the part of predictions that differ."""
    scaler = StandardScaler().fit(x.astype(np.float64))
    scaled, queries_scaled = scaler.transform(x.astype(np.float64)), scaler.transform(queries.astype(np.float64))
    predicted = got["scores"].argmax(1)
    if form == "ridge":
        model = RidgeClassifier(alpha=strength).fit(scaled, labels)
        weight, bias = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
        if classes == 2:
            weight, bias = np.concatenate([-weight, weight]), np.concatenate([-bias, bias])
        raw = weight / scaler.scale_
        mine = np.array(got["weight"]).reshape(classes, -1)
        error = np.max(np.abs(mine - raw) * scaler.scale_) / np.max(np.abs(weight))
        bias = bias - raw @ scaler.mean_
        return max(error, np.max(np.abs(got["bias"] - bias)) / max(1, np.abs(bias).max()))
    if form == "lda":
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=strength).fit(scaled, labels)
        theirs = queries_scaled @ model.coef_.T + model.intercept_
        if classes == 2:
            theirs = np.concatenate([-theirs / 2, theirs / 2], 1)
        # Scores of softmax are known up to what all classes share.
        centred = [scores - scores.mean(1, keepdims=True) for scores in (got["scores"], theirs)]
        return np.max(np.abs(centred[0] - centred[1])) / np.abs(centred[1]).max()
    if form == "prototype":
        return np.mean(NearestCentroid().fit(scaled, labels).predict(queries_scaled) != predicted)
    if form == "novelty":
        means = np.array([scaled[labels == c].mean(0) for c in range(classes)])
        precision = np.linalg.inv(OAS(assume_centered=True).fit(scaled - means[labels]).covariance_)
        apart = queries_scaled[:, None] - means[None]
        squared = np.einsum("ncd,de,nce->nc", apart, precision, apart).min(1)
        expected = np.sqrt(squared / x.shape[1])
        return np.max(np.abs(got["scores"][:, 0] - expected) / expected)
    votes = lambda distances: np.exp((1 - distances) / 0.07)  # noqa: E731
    model = KNeighborsClassifier(int(strength), metric="cosine", algorithm="brute", weights=votes)
    share = model.fit(x.astype(np.float64), labels).predict_proba(queries.astype(np.float64))
    expected = (strength * share + 1 / classes) / (strength + 1)
    return np.mean(np.abs(np.exp(got["scores"]) - expected).max(1) > 1e-4)


def compare_closed(binary, folder, rng):
    # Of neighbours one in a thousand may differ: where the last that votes and the next are equally far in f32.
    bounds = {"ridge": 1e-5, "lda": 1e-4, "prototype": 0, "knn": 1e-3, "novelty": 1e-4}
    strengths = {"ridge": [0.1, 10, 1000], "lda": [0.01, 0.3, 1], "prototype": [0], "knn": [1, 5, 20], "novelty": [0]}
    for form, bound in bounds.items():
        number, worst = 0, 0.0
        for classes in [2, 3, 10]:
            for rows, dim in [(60, 5), (300, 40), (120, 200), (1500, 30)]:
                for strength in strengths[form]:
                    x, labels = case(rng, rows, dim, classes, 0.5)
                    queries = x + rng.normal(0, 0.3, x.shape).astype(np.float32) * x.std(0)
                    got = closed(binary, folder, form, x, labels, classes, strength, queries)
                    error = float(closed_error(form, got, x, labels, classes, strength, queries))
                    worst = max(worst, error)
                    number += 1
                    if error > bound:
                        sys.exit(f"{form}, {rows} x {dim}, {classes} classes, {strength}: differs by {error:.1e}")
        print(f"{form}: {number} fits agree; worst {worst:.1e}")


def clock(binary, folder, rng):
    """Each at its default tolerance (ours 1e-6, theirs 1e-4, on the same gradient) and at the other's."""
    x, labels = case(rng, 20_000, 512, 10, 0.1)
    for tolerance in [1e-4, 1e-6]:
        got = ours(binary, folder, x, labels, 10, 1, "none", tolerance)
        _, _, objective, seconds, iterations = theirs(x, labels, 10, 1, "none", tolerance)
        print(
            f"20,000 x 512, 10 classes, tolerance {tolerance:.0e}: ours {got['seconds']:.2f} s, "
            f"{got['iterations']} iterations, {got['objective']:.4f}; scikit-learn {seconds:.2f} s, "
            f"{iterations} iterations, {objective:.4f}; ratio {got['seconds'] / seconds:.2f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/examples/fit")
    parser.add_argument("--closed", default="target/release/examples/closed")
    parser.add_argument("--time", action="store_true", help="also time both, on 20,000 rows")
    arguments = parser.parse_args()
    rng = np.random.default_rng(20261123)
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments.binary, Path(folder), rng)
        compare_closed(arguments.closed, Path(folder), rng)
        if arguments.time:
            clock(arguments.binary, Path(folder), rng)


if __name__ == "__main__":
    main()
