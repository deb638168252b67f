#!/usr/bin/env python3
"""What headstart_words is worth: a linear head on it and on others, for two sets of texts that it has not seen.

    python3 data/words/evaluate.py --shared ../shared [--teacher FOLDER]

banking77: train.csv and test.csv. sentiment_sentences: of each file every fifth sentence is a test sentence. Of few labels, the
mean over ten draws of so many training texts a class.
"""

import argparse
import csv
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tokenizers import Tokenizer

import train as recipe

HERE = Path(__file__).resolve().parent


def banking(shared):
    parts = []
    for name in ("train", "test"):
        with open(shared / f"data/banking77/{name}.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        parts += [[row["text"] for row in rows], [row["category"] for row in rows]]
    return parts


def sentiment(shared):
    parts = [], [], [], []
    for path in sorted((shared / "data/sentiment_sentences").glob("*_labelled.txt")):
        lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
        for at, line in enumerate(lines):
            text, label = line.rsplit("\t", 1)
            test = 2 if at % 5 == 4 else 0
            parts[test].append(text.strip())
            parts[test + 1].append(label.strip())
    return parts


def accuracy(train, train_labels, test, test_labels, grid):
    dense = isinstance(train, np.ndarray)
    scale = StandardScaler() if dense else "passthrough"
    head = make_pipeline(scale, LogisticRegression(max_iter=1000))
    search = GridSearchCV(head, {"logisticregression__C": grid}, cv=3, n_jobs=2).fit(train, train_labels)
    return f"{100 * search.score(test, test_labels):.1f} %   (C {search.best_params_['logisticregression__C']})"


def few(train, labels, test, test_labels, each, words):
    """Accuracy with `each` labels a class. Words are those of the texts that were drawn."""
    labels, accuracies = np.array(labels), []
    for seed in range(10):
        random = np.random.default_rng(seed)
        drawn = np.concatenate([random.permutation(np.flatnonzero(labels == name))[:each] for name in sorted(set(labels))])
        if words:
            scale = TfidfVectorizer(sublinear_tf=True)
            part, rest = scale.fit_transform([train[at] for at in drawn]), scale.transform(test)
        else:
            part, rest = train[drawn], test
            scale = StandardScaler().fit(part)
            part, rest = scale.transform(part), scale.transform(rest)
        head = LogisticRegression(C=30 if words else 0.1, max_iter=1000).fit(part, labels[drawn])
        accuracies.append(head.score(rest, test_labels))
    return f"{100 * np.mean(accuracies):.1f} %"


def rows(table, tokenizer, texts):
    found = recipe.averages(tokenizer, texts) @ table
    return found / np.linalg.norm(found, axis=1, keepdims=True).clip(1e-12)


def extracted(args, texts):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        with open(scratch / "t.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("id", "text"), *((f"{at:09}", text) for at, text in enumerate(texts))])
        tool = lambda name, *flags: subprocess.run([args.bin / name, *flags, "--quiet"], check=True)
        tool("extract", scratch / "t.csv", "-o", scratch / "t.features", "--weights", args.teacher)
        tool("export", scratch / "t.features", "-o", scratch / "t.npy")
        return np.load(scratch / "t.npy")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default="../shared", help="folder that holds data/")
    parser.add_argument("--teacher", type=Path, help="folder of all-MiniLM-L6-v2, to compare")
    parser.add_argument("--bin", type=Path, default=HERE.parents[1] / "target/release", help="folder of extract and export")
    args = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(HERE / "tokenizer.json"))
    table = load_file(HERE / "headstart_words.safetensors")["embedding.weight"].astype(np.float64)
    for name, (a, ya, b, yb) in (("banking77", banking(args.shared)), ("sentiment_sentences", sentiment(args.shared))):
        print(f"{name}: {len(a)} train, {len(b)} test, {len(set(ya))} classes", flush=True)
        print(f"{'':37s}{'all labels':21s}8 a class   32 a class")

        def row(what, train, test, grid=(0.003, 0.03, 0.3, 3), words=None):
            whole = [words.transform(part) for part in (train, test)] if words else [train, test]
            scarce = [few(train, ya, test, yb, each, words is not None) for each in (8, 32)]
            print(f"{what:37s}{accuracy(whole[0], ya, whole[1], yb, grid):21s}{scarce[0]:12s}{scarce[1]}", flush=True)

        random = np.random.default_rng(0).standard_normal(table.shape)
        row("random table", rows(random, tokenizer, a), rows(random, tokenizer, b))
        row("words of the training texts (tf-idf)", a, b, (1, 3, 10, 30), TfidfVectorizer(sublinear_tf=True).fit(a))
        row("headstart_words", rows(table, tokenizer, a), rows(table, tokenizer, b))
        if args.teacher:
            row("all-MiniLM-L6-v2, the teacher", extracted(args, a), extracted(args, b))


if __name__ == "__main__":
    main()
