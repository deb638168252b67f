#!/usr/bin/env python3
"""Heads on sentences, against scikit-learn on sentence-transformers' own vectors.

`extract` and `fit-head` with no flags but `--head linear`, beside the better of two regressions on what `SentenceTransformer.encode`
gives: scikit-learn's default, and C = 10. Vectors must agree to a cosine of 0.999999. Test accuracy must be at most 0.3 points less.

Needs scikit-learn and sentence-transformers, a folder of sentence-transformers as the argument, and the texts of ../shared/data;
run from the repository's root, after `make`.
"""

import csv
import os
import pathlib
import sys
import tempfile
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression

import tools

warnings.filterwarnings("ignore")
DATA = tools.SHARED / "data"
WITHIN, COSINE = 0.003, 0.999999


def banking():
    for split in ("train", "test"):
        with open(DATA / f"banking77/{split}.csv", newline="") as file:
            yield from ((row["text"], row["category"], split) for row in csv.DictReader(file))


def sentiment():
    """Every fourth sentence is for testing: the data have no splits of their own."""
    lines = [line for file in sorted((DATA / "sentiment_sentences").glob("*labelled.txt")) for line in file.read_text().split("\n") if line]
    for i, line in enumerate(lines):
        text, label = line.rsplit("\t", 1)
        yield text.strip(), "good" if label == "1" else "bad", "test" if i % 4 == 3 else "train"


def main():
    folder, failed = sys.argv[1], 0
    model = SentenceTransformer(folder, device="cpu")
    print("| data | test rows | cosine | scikit-learn, C = 1 | C = 10 | ours |\n|---|---|---|---|---|---|")
    for name, rows in (("banking77", list(banking())), ("sentiment_sentences", list(sentiment()))):
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            with open(scratch / "t.csv", "w", newline="") as file:
                csv.writer(file).writerows([("text", "label", "split"), *rows])
            tools.tool("extract", scratch / "t.csv", "-o", scratch / "t.features", "--weights", folder, "--quiet")
            tools.tool("fit-head", scratch / "t.features", "-o", scratch / "t.head", "--head", "linear", "--quiet")
            tools.tool("evaluate", scratch / "t.features", scratch / "t.head", "-o", scratch / "m.json", "--quiet")
            ours = tools.accuracy(scratch / "m.json")
            vectors, ids, *_ = tools.matrix(scratch / "t.features", scratch)
        x = model.encode([text for text, *_ in rows], batch_size=64, show_progress_bar=False)
        vectors = vectors[np.argsort(ids)]
        cosine = ((vectors * x).sum(1) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(x, axis=1)).min()
        y, train = np.array([label for _, label, _ in rows]), np.array([split == "train" for *_, split in rows])
        theirs = [LogisticRegression(C=c, max_iter=2000).fit(x[train], y[train]).score(x[~train], y[~train]) for c in (1, 10)]
        failed += ours < max(theirs) - WITHIN or cosine < COSINE
        print(f"| {name} | {(~train).sum()} | {cosine:.7f} | {theirs[0]:.2%} | {theirs[1]:.2%} | {ours:.2%} |", flush=True)
    print(f"{2 - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
