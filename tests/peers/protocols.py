#!/usr/bin/env python3
"""`evaluate --protocol`, against MTEB's classification and scikit-learn, draw by draw.

Made features of several kinds: rows of length 1, rows of length 30 on which scikit-learn stops long before the minimum, two
classes, and classes with fewer rows than are drawn. `mteb` must give each draw's accuracy to 0.1 points in the mean of draws and
to 0.4 in each: a row near a boundary may fall on either side, and a step that differs by rounding leads elsewhere. `few` with as
many rows of each class as there are must be scikit-learn's regression of penalty 10 on all of them, to one row.

MTEB's own code runs where `mteb` can be imported, else its steps written out again here. With a folder of sentence-transformers
as an argument, that network on banking77 of ../shared too; for all-MiniLM-L6-v2, 80.04 is published.

Needs numpy and scikit-learn; run from the repository's root, after `make`.
"""

import csv
import json
import pathlib
import sys
import tempfile
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tools

try:
    import datasets
    from mteb.tasks.classification.eng.banking77_classification import Banking77Classification
    from mteb.timing import TimingStack
except ImportError:
    datasets = None

warnings.filterwarnings("ignore")
METRICS = {"accuracy": "accuracy", "macro_f1": "f1", "weighted_f1": "f1_weighted", "macro_precision": "precision", "macro_recall": "recall"}
MEAN, EACH = 1e-3, 4e-3


def by_mteb(train, test, rows, draws):
    """MTEB's own scores of each draw. A text is the number of its row."""

    class Rows:
        """A model that has all rows already."""

        mteb_model_meta = None
        similarity = similarity_pairwise = lambda *_: None

        def encode(self, inputs, *, hf_split, **_):
            numbers = [int(text) for batch in inputs for text in batch["text"]]
            return (train if hf_split == "train" else test)[0][numbers]

    task = Banking77Classification()
    task.samples_per_label, task.n_experiments = rows, draws
    split = lambda part: datasets.Dataset.from_dict({"text": [str(row) for row in range(len(part[1]))], "label": part[1]})  # noqa: E731
    data = datasets.DatasetDict(train=split(train), test=split(test))
    given = dict(hf_split="test", hf_subset="default", encode_kwargs={}, timer=TimingStack())
    return task._evaluate_subset(Rows(), data, **given)["scores_per_experiment"]


def by_hand(train, test, rows, draws):
    """The same, as abstasks/classification.py of mteb 2.26 has it."""
    (x, y), (queries, truth) = train, test
    index, scores = list(range(len(y))), []
    for _ in range(draws):
        np.random.RandomState(42).shuffle(index)
        counts, drawn = {}, []
        for row in index:
            if counts.get(y[row], 0) < rows:
                drawn.append(row)
                counts[y[row]] = counts.get(y[row], 0) + 1
        model = LogisticRegression(max_iter=100, random_state=42).fit(x[drawn], [y[row] for row in drawn])
        said = model.predict(queries)
        score = {"accuracy": accuracy_score(truth, said)}
        for name, of in [("f1", f1_score), ("precision", precision_score), ("recall", recall_score)]:
            score[name] = of(truth, said, average="macro")
        score["f1_weighted"] = f1_score(truth, said, average="weighted")
        scores.append(score)
    return scores


def ours(features, protocol, root, *flags):
    """Each draw's figures, and the means."""
    tools.tool("evaluate", features, "--protocol", protocol, "-o", root / "m.json", "--force", *flags)
    table = json.loads((root / "m.json").read_text())
    scope = lambda name: {row["metric"]: row["value"] for row in table if row["scope"] == name}  # noqa: E731
    draws = sum(row["scope"].startswith("draw:") and row["metric"] == "accuracy" for row in table)
    return [scope(f"draw:{draw + 1}") for draw in range(draws)], scope("overall")


def made(rng, counts, dim, length, shift):
    """Overlapping clusters on a sphere of this radius, moved away from zero: train and test rows with their classes."""
    centres = rng.normal(0, 1, (len(counts), dim))

    def rows(labels):
        x = centres[labels] + rng.normal(0, 0.22 * dim**0.5, (len(labels), dim)) + shift
        return (length * x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), labels.tolist()

    return rows(rng.permutation(np.repeat(np.arange(len(counts)), counts))), rows(np.repeat(np.arange(len(counts)), 100))


def write(root, train, test):
    """Features of both, whose rows are in this order."""
    np.save(root / "x.npy", np.concatenate([train[0], test[0]]))
    with open(root / "y.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["label", "split"])
        for part, split in [(train, "train"), (test, "test")]:
            # Names that are sorted as the numbers are.
            out.writerows([f"c{label:03}", split] for label in part[1])
    tools.tool("extract", "--from-npy", root / "x.npy", "--labels", root / "y.csv", "-o", root / "x.features", "--force")
    return root / "x.features"


def compare(name, features, train, test, protocol, root, *flags):
    """Prints how far ours is from theirs; says whether that is too far."""
    rows, draws = map(int, protocol.removeprefix("mteb:").split("x"))
    theirs = (by_mteb if datasets else by_hand)(train, test, rows, draws)
    each, mean = ours(features, protocol, root, *flags)
    apart = {of: np.abs([got[of] - want[key] for got, want in zip(each, theirs, strict=True)]) for of, key in METRICS.items()}
    means = {of: abs(mean[of] - np.mean([want[key] for want in theirs])) for of, key in METRICS.items()}
    bad = max(means.values()) > MEAN or max(values.max() for values in apart.values()) > EACH
    said = 100 * np.mean([want["accuracy"] for want in theirs])
    print(
        f"| {name} | {protocol} | {said:.2f} | {100 * mean['accuracy']:.2f} | {100 * means['accuracy']:.3f} | "
        f"{100 * apart['accuracy'].max():.3f} | {100 * max(means.values()):.3f}{' BAD' if bad else ''} |",
        flush=True,
    )
    return bad


def few(root):
    """All rows are drawn, so the draws do not matter."""
    train, test = made(np.random.default_rng(7), [20] * 6, 50, 3, 0.5)
    each, mean = ours(write(root, train, test), "few:20x2", root)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, tol=1e-8, max_iter=10_000))
    accuracy = model.fit(train[0].astype(np.float64), train[1]).score(test[0].astype(np.float64), test[1])
    got = [draw["accuracy"] for draw in each]
    bad = got[0] != got[1] or abs(mean["accuracy"] - accuracy) > 1.01 / len(test[1])
    print(f"few:20x2 of all rows: scikit-learn {100 * accuracy:.2f}, ours {100 * mean['accuracy']:.2f}{' BAD' if bad else ''}")
    return bad


def banking(folder, root):
    files = [tools.SHARED / f"data/banking77/{split}.csv" for split in ("train", "test")]
    tools.tool("extract", *files, "-o", root / "b.features", "--weights", folder, "--force")
    x = tools.matrix(root / "b.features", root)[0]
    labels = [[row["category"] for row in csv.DictReader(open(path, encoding="utf-8"))] for path in files]
    numbers = {name: number for number, name in enumerate(sorted(set(labels[0])))}
    train, test = ([numbers[name] for name in part] for part in labels)
    # Ids begin with the file's name, so test is first.
    parts = (x[len(test) :], train), (x[: len(test)], test)
    return compare("banking77", root / "b.features", *parts, "mteb:8x10", root, "--target-columns", "category")


CASES = {
    # name: rows of each class, dimensions, length, shift, protocol
    "length 1": ([30] * 20, 128, 1, 0, "mteb:8x10"),
    "length 30": ([30] * 20, 128, 30, 0, "mteb:8x10"),
    "length 30, off centre": ([30] * 20, 128, 30, 2, "mteb:8x10"),
    "length 1, few rows": ([3, 5, 8, 40, 90], 64, 1, 0, "mteb:16x5"),
    "two classes, length 1": ([40, 90], 64, 1, 0, "mteb:16x10"),
    "two classes, length 30": ([40, 90], 64, 30, 1, "mteb:32x10"),
    "wide": ([12] * 10, 1024, 1, 0.2, "mteb:8x5"),
}


def main():
    failed = 0
    print(f"Against {'mteb' if datasets else 'scikit-learn, by the steps of mteb'}.\n")
    print("| features | protocol | theirs | ours | means apart | a draw, at most | other means |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        for seed, (name, (counts, dim, length, shift, protocol)) in enumerate(CASES.items()):
            train, test = made(np.random.default_rng(seed), counts, dim, length, shift)
            failed += compare(name, write(root, train, test), train, test, protocol, root)
        for folder in sys.argv[1:]:
            failed += banking(pathlib.Path(folder), root)
        failed += few(root)
    passed = len(CASES) + len(sys.argv[1:]) + 1 - int(failed)
    print(f"{passed} passed, {int(failed)} failed")
    sys.exit(int(failed > 0))


main()
