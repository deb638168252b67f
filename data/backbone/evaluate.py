#!/usr/bin/env python3
"""Is the frozen network worth having? A linear head on its features, against two baselines.

The same head (logistic regression on standardised inputs, C chosen by 5-fold cross-validation
on the training part only) is put on: raw pixels; the same network with random weights, as
initialised and with its batch-norm statistics fitted to the training pictures; the trained network.

    python3 evaluate.py --shared ../shared [--data flowers]
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.preprocessing import StandardScaler

from network import HeadstartTiny, features, load, normalise, read_folder

PENALTIES = (1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)


def head_accuracy(train, train_labels, test, test_labels):
    """Test accuracy in percent, and the chosen C."""
    scaler = StandardScaler().fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    if train.shape[1] > len(train):
        # An L2 head cannot leave the span of its samples: turning onto that span changes
        # nothing in the answer, and spares 12,288 columns.
        span = np.linalg.svd(train, full_matrices=False)[2].T
        train, test = train @ span, test @ span
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    fit = lambda c: LogisticRegression(C=c, max_iter=2000)
    scores = [cross_val_score(fit(c), train, train_labels, cv=folds).mean() for c in PENALTIES]
    best = PENALTIES[int(np.argmax(scores))]
    return 100 * fit(best).fit(train, train_labels).score(test, test_labels), best


def shrink(pictures, side):
    return np.stack([np.asarray(Image.fromarray(p).resize((side, side), Image.BILINEAR)) for p in pictures])


def flat(pictures):
    return pictures.reshape(len(pictures), -1) / 255.0


def random_network(seed):
    torch.manual_seed(seed)
    return HeadstartTiny().eval()


@torch.inference_mode()
def fit_batch_norm(network, pictures):
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # a plain average over the batches
    network.train()
    for i in range(0, len(pictures), 128):
        network(normalise(pictures[i : i + 128]))
    return network.eval()


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", default="../shared", help="folder that holds data/")
    parser.add_argument("--data", default="flowers", help="a data set laid out as train/CLASS and test/CLASS")
    parser.add_argument("--weights", default=here / "headstart_tiny.safetensors")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    root = Path(args.shared) / "data" / args.data
    (train, train_labels), (test, test_labels) = read_folder(root / "train"), read_folder(root / "test")
    print(f"{args.data}: {len(train)} train, {len(test)} test, {train_labels.max() + 1} classes", flush=True)

    def row(name, inputs):
        results = [head_accuracy(a, train_labels, b, test_labels) for a, b in inputs]
        each = " ".join(f"{accuracy:.1f}" for accuracy, _ in results)
        mean = np.mean([accuracy for accuracy, _ in results])
        print(f"{name:<42} {mean:5.1f} %   (C {results[0][1]:g}; {each})", flush=True)

    row("raw pixels 32x32", [(flat(shrink(train, 32)), flat(shrink(test, 32)))])
    row("raw pixels 64x64", [(flat(train), flat(test))])
    nets = [random_network(seed) for seed in range(3)]
    row("random weights, 3 seeds", [(features(n, train), features(n, test)) for n in nets])
    nets = [fit_batch_norm(n, train) for n in nets]
    row("random weights, batch norm fitted, 3 seeds", [(features(n, train), features(n, test)) for n in nets])
    network = load(args.weights)
    row("headstart_tiny", [(features(network, train), features(network, test))])


if __name__ == "__main__":
    main()
