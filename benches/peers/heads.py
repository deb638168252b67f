#!/usr/bin/env python3
"""`fit-head` against a script with scikit-learn's LogisticRegression (lbfgs): whole processes on the same matrices, in turn.

    .venv/bin/python benches/peers/heads.py [--rounds 3] [--cases made,flowers] [--folder /tmp/matrices]

Needs numpy, scikit-learn, the programs and `cargo build --release --workspace --example features_of`. The script reads f32
from a file, standardises, fits and saves its weights; its own time includes importing scikit-learn, `fit` is StandardScaler
and LogisticRegression alone. It runs with scikit-learn's defaults (tol 1e-4, 100 iterations at most) and to convergence (tol
1e-6). Both sides' objectives, Σ nll + l2/2 · ‖W‖² of standardised features (for two classes over the difference of the two
rows), are computed here in f64; `above` is a side's less that of the converged one, as a part of it, **more** where ours is
not within 1e-6. `as low` is how long fit-head takes to an objective that is not above theirs (`--max-iterations`, found by
halving), and their time over ours.

Then a sweep over 45 penalties and 5 folds, `fit-head --folds 5 --l2 …`, against five times one fit at C = 1 by default, which
is what cross-validating one penalty takes. Medians over the rounds; ratios are theirs over ours.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/peers"))
import tools  # noqa: E402

DATA = tools.SHARED / "data"
MADE = [(20_000, 512, 10), (50_000, 2048, 100)]
REAL = ["flowers", "pneumonia_mnist", "bccd"]
PENALTIES = np.logspace(5, -3, 45)
WAYS = {"default": (1e-4, 100), "converged": (1e-6, 100_000)}
CHUNK = 10_000


def make(folder, rows, dim, classes, train):
    """Writes x (rows, dim) f32, y (rows,) u32 and x.features of both, whose first `train` rows are train, all others test.

    Classes differ in dim / 4 directions whose lengths fall as 1/√k, all features have noise, and then a ReLU: correlated
    and half of it zero, as what a network computes.
    """
    rng = np.random.default_rng(0)
    k = dim // 4
    directions = (rng.normal(size=(k, dim)) * np.arange(1, k + 1)[:, None] ** -0.5).astype(np.float32)
    centres = (rng.normal(size=(classes, k)) * 0.35).astype(np.float32)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, rows - classes)]).astype("<u4")
    labels.tofile(folder / "y")
    with open(folder / "x", "wb") as file:
        for y in np.split(labels, range(CHUNK, rows, CHUNK)):
            inner = centres[y] + rng.standard_normal((len(y), k), np.float32)
            x = inner @ directions + np.float32(0.3) * rng.standard_normal((len(y), dim), np.float32)
            np.maximum(x, 0).astype("<f4").tofile(file)
    command = [tools.BIN / "examples/features_of", folder / "x", folder / "y", train, dim, classes, folder / "x.features"]
    subprocess.run(list(map(str, command)), check=True)


def real(folder, name, backbone, tap, weights):
    """Writes x.features of a data set, and x and y of its train rows."""
    tools.extract(tools.bccd(folder) if name == "bccd" else DATA / name, folder / "x.features", backbone, tap, weights)
    x, _, splits, labels = tools.matrix(folder / "x.features", folder)
    train = np.array(splits) == "train"
    x[train].astype("<f4").tofile(folder / "x")
    np.unique(labels, return_inverse=True)[1][train].astype("<u4").tofile(folder / "y")


def read(folder):
    """x (n, d) f32 and y (n,)."""
    dim = json.loads((folder / "x.features/index.json").read_text())["dim"]
    return np.fromfile(folder / "x", "<f4").reshape(-1, dim), np.fromfile(folder / "y", "<u4")


def fit(folder, out, l2, tolerance, iterations):
    """What a user's script does, in a process of its own."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore")  # that it has not converged
    x, y = read(folder)
    start = time.perf_counter()
    x = StandardScaler().fit_transform(x)
    model = LogisticRegression(C=1 / l2, tol=tolerance, max_iter=iterations).fit(x, y)
    print(json.dumps({"fit": time.perf_counter() - start, "iterations": int(model.n_iter_[0])}))
    np.savez(out, weight=model.coef_, bias=model.intercept_)


def environment(threads):
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}


def timed(command, threads):
    start = time.perf_counter()
    run = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, env=environment(threads))
    return time.perf_counter() - start, run.stdout


def theirs(folder, l2, way, counts):
    """(seconds of the process, of the fit, iterations), at the number of threads that is fastest."""
    runs = []
    for threads in counts:
        seconds, out = timed([sys.executable, __file__, "--fit", folder, folder / f"{way}.npz", l2, *WAYS[way]], threads)
        found = json.loads(out)
        runs.append((seconds, found["fit"], found["iterations"]))
    return min(runs)


def ours(folder, threads, *flags):
    """(seconds, what the head says of its fit)"""
    out = folder / "x.head"
    command = [tools.BIN / "fit-head", folder / "x.features", "-o", out, *flags, "--threads", threads, "--force", "-q"]
    seconds, _ = timed(command, threads)
    return seconds, head(out)[0]


def head(path):
    """What a head says of its fit, and its one layer: weight (C, d) and bias (C,) for raw features."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])

    def tensor(name):
        begin, stop = header[name]["data_offsets"]
        return np.frombuffer(data[end + begin : end + stop], "<f4").reshape(header[name]["shape"]).astype(float)

    fit = json.loads(header["__metadata__"]["headstart"])["fit"]
    return fit, tensor("layers.0.weight"), tensor("layers.0.bias")


class Objective:
    """Σ nll + l2/2 · ‖W‖² of standardised rows, in f64."""

    def __init__(self, folder):
        self.x, self.y = read(folder)
        self.mean = self.x.mean(0, dtype=float)
        square = sum(((x - self.mean) ** 2).sum(0) for x in self.chunks())
        self.std = np.sqrt(square / len(self.x))
        self.std[self.std < 1e-7 * np.abs(self.mean)] = 1
        self.std[self.std == 0] = 1

    def chunks(self):
        return (self.x[at : at + CHUNK].astype(float) for at in range(0, len(self.x), CHUNK))

    def of_head(self, path, l2):
        _, weight, bias = head(path)
        return self.of(weight * self.std, bias + weight @ self.mean, l2)

    def of_model(self, path, l2):
        model = np.load(path)
        weight, bias = model["weight"].astype(float), model["bias"].astype(float)
        if len(bias) == 1:
            weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
        return self.of(weight, bias, l2)

    def of(self, weight, bias, l2):
        nll = 0
        for at, x in zip(range(0, len(self.x), CHUNK), self.chunks()):
            z = (x - self.mean) / self.std @ weight.T + bias
            top = z.max(1)
            nll += (top + np.log(np.exp(z - top[:, None]).sum(1)) - z[np.arange(len(z)), self.y[at : at + CHUNK]]).sum()
        # For two classes the penalty is on w, whose rows here are w/2 and −w/2.
        return nll + l2 / 2 * (weight**2).sum() * (2 if len(bias) == 2 else 1)


def median(values):
    return statistics.median(values)


def as_low(folder, objective, l2, goal, seconds, args):
    """What fit-head takes to `goal`, which takes the script so many seconds: a cell of the first table."""
    def run(iterations):
        found = ours(folder, args.threads, "--l2", l2, "--no-calibrate", "--tolerance", 1e-9, "--max-iterations", iterations)
        return found[0], objective.of_head(folder / "x.head", l2) <= goal

    low, high = 0, 8
    while not run(high)[1]:
        low, high = high, 2 * high
        if high > 256:
            return f"not after {low}"
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if run(middle)[1] else (middle, high)
    mine = median(run(high)[0] for _ in range(args.rounds))
    return f"{mine:.2f} s, {high}: {seconds / mine:.2f}"


def single(name, folder, objective, l2, flags, args):
    """One row of the first table; gives the default fits' seconds, whole and alone."""
    runs = {"ours": [], "default": [], "converged": []}
    for _ in range(args.rounds):
        runs["ours"].append(ours(folder, args.threads, "--l2", l2, "--no-calibrate", *flags))
        for way in WAYS:
            runs[way].append(theirs(folder, l2, way, args.peer_threads))
    found = runs["ours"][-1][1]
    mine = median(seconds for seconds, _ in runs["ours"])
    least = objective.of_model(folder / "converged.npz", l2)
    values = {"ours": objective.of_head(folder / "x.head", l2), "default": objective.of_model(folder / "default.npz", l2)}
    above = {side: (value - least) / least for side, value in values.items()}
    mark = "" if found["converged"] and above["ours"] <= 1e-6 else " **more**"
    line = f"| {name} | {l2} | {mine:.2f} s, {found['iterations']} | {above['ours']:+.1e}{mark}"
    for way in WAYS:
        whole, alone = (median(run[at] for run in runs[way]) for at in (0, 1))
        line += f" | {whole:.2f} s (fit {alone:.2f}), {runs[way][-1][2]} | {whole / mine:.2f} ({alone / mine:.2f})"
        line += f" | {above['default']:+.1e}" if way == "default" else ""
        goal = values["default"] if way == "default" else least
        line += f" | {as_low(folder, objective, l2, goal, whole, args)}" if args.as_low else ""
    print(line + " |", flush=True)
    return [median(run[at] for run in runs["default"]) for at in (0, 1)]


def sweep(folder, args):
    penalties = ",".join(f"{l2:.6g}" for l2 in PENALTIES)
    runs = [ours(folder, args.threads, "--folds", 5, "--l2", penalties) for _ in range(args.sweeps or args.rounds)]
    return median(seconds for seconds, _ in runs), runs[-1][1]


def cases(root, names):
    """Name and folder of each wanted matrix, made where it is not there yet."""
    wanted = [(f"made-{rows}", make, (rows, dim, classes, rows)) for rows, dim, classes in MADE]
    networks = [("headstart_tiny", "pooled", None), *tools.REAL]
    wanted += [(f"{name}-{network[0]}", real, (name, *network)) for name in REAL for network in networks]
    for name, write, how in wanted:
        if not name.startswith(names):
            continue
        if write is real and not DATA.is_dir():
            print("skipped: ../shared/data is missing")
            return
        folder = root / name
        if not all((folder / part).exists() for part in ("x", "y", "x.features")):
            folder.mkdir(parents=True, exist_ok=True)
            write(folder, *how)
        x, y = read(folder)
        yield f"{name.replace('-', ', ')}: {len(x):,} × {x.shape[1]:,} × {y.max() + 1}", folder


def main():
    if sys.argv[1:2] == ["--fit"]:
        folder, out, l2, tolerance, iterations = sys.argv[2:]
        return fit(pathlib.Path(folder), out, float(l2), float(tolerance), int(iterations))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sweeps", type=int, help="rounds of the sweep, if not as many; 0 leaves it out")
    parser.add_argument("--cases", default=",".join(["made", *REAL]), help="how the names of wanted matrices begin")
    parser.add_argument("--l2", default="1,100")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer-threads", help="of the script, if not as many; of several, the fastest counts in each round")
    parser.add_argument("--tolerance", help="of fit-head's single fits, if not its default")
    parser.add_argument("--as-low", action="store_true", help="how long fit-head takes to their objectives, too")
    parser.add_argument("--folder", type=pathlib.Path, help="where matrices are kept for another time")
    args = parser.parse_args()
    args.peer_threads = list(map(int, (args.peer_threads or str(args.threads)).split(",")))
    if args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
        low = " | as low" if args.as_low else ""
        print(f"| matrix | l2 | fit-head, iterations | above | scikit-learn by default | ratio (fit) | above{low} | converged | ratio (fit){low} |")
        print("|---" * (11 if args.as_low else 9) + "|", flush=True)
        sweeps = []
        for title, folder in cases(args.folder or pathlib.Path(scratch), tuple(args.cases.split(","))):
            objective = Objective(folder)
            flags = ["--tolerance", args.tolerance] if args.tolerance else []
            penalties = map(int, args.l2.split(","))
            fits = {l2: single(title, folder, objective, l2, flags, args) for l2 in penalties}
            if 1 in fits and args.sweeps != 0:
                sweeps.append((title, *sweep(folder, args), *(5 * seconds for seconds in fits[1])))
    print("\n| matrix | fit-head, 45 penalties, 5 folds | chosen | 5 processes at C = 1 (fits) | ratio (fits) |\n|---|---|---|---|---|")
    for title, mine, found, whole, alone in sweeps:
        print(f"| {title} | {mine:.2f} s | {found['l2']:.2g} | {whole:.2f} s ({alone:.2f}) | {whole / mine:.2f} ({alone / mine:.2f}) |")


if __name__ == "__main__":
    main()
