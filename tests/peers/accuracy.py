#!/usr/bin/env python3
"""Accuracy on real data: our whole chain beside PyTorch's features and scikit-learn's head, from the same files.

Ours: extract → fit-head --head linear --l2 1 → evaluate. Theirs: Pillow, torchvision's transforms and networks with the
same weights, StandardScaler and LogisticRegression(C=1), converged (tol 1e-7). Test accuracy must be within one point. Prints the table that
ACCURACY.md holds. Needs ../shared, PyTorch and torchvision; run from the repository's root, after `make`.
"""

import argparse
import pathlib
import sys
import tempfile

import numpy as np
import torch
import torchvision
from PIL import Image, ImageOps
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torchvision import transforms

import tools

DATA = tools.SHARED / "data"
TINY = pathlib.Path("data/backbone/headstart_tiny.safetensors")


def peer_network(backbone, tap, weights):
    """torchvision's network up to our tap, and the side of its input."""
    if backbone == "headstart_tiny":
        sys.path.insert(0, str(TINY.parent))
        from network import load  # the recipe's own definition

        return load(TINY), 64
    net = getattr(torchvision.models, backbone)(weights=None).eval()
    missing = net.load_state_dict(load_file(weights), strict=False).missing_keys
    if backbone == "resnet18":
        assert all(key.startswith(("layer4.", "fc.")) or key.endswith("num_batches_tracked") for key in missing)
        net = torch.nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3)
    else:
        net = net.features
    return net, 224


@torch.inference_mode()
def peer_features(net, side, root, ids):
    resize = 64 if side == 64 else 256
    steps = [transforms.Resize(resize), transforms.CenterCrop(side), transforms.ToTensor()]
    steps += [transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    prepare = transforms.Compose(steps)
    rows = []
    for start in range(0, len(ids), 16):
        opened = (ImageOps.exif_transpose(Image.open(root / name)).convert("RGB") for name in ids[start : start + 16])
        out = net(torch.stack([prepare(image) for image in opened]))
        rows.append(out.mean((2, 3)) if out.dim() == 4 else out)
    return torch.cat(rows).numpy()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", nargs="*", default=["flowers", "pneumonia_mnist", "bccd"])
    given = arguments.parse_args()
    if not DATA.is_dir():
        print("skipped: ../shared/data is missing")
        return
    torch.set_num_threads(2)
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")
    print("| data | backbone, tap | n train / test | Headstart | PyTorch + scikit-learn | features: cosine, relative L2 |")
    print("|---|---|---|---|---|---|", flush=True)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        for name in given.data:
            source = tools.bccd(scratch) if name == "bccd" else DATA / name
            root = source.parent if name == "bccd" else source
            for backbone, tap, weights in [("headstart_tiny", "pooled", None), *tools.REAL]:
                features, head, metrics = scratch / "a.features", scratch / "a.head", scratch / "a.json"
                tools.extract(source, features, backbone, tap, weights)
                tools.tool("fit-head", features, "-o", head, "--head", "linear", "--l2", "1", "--force")
                tools.tool("evaluate", features, head, "-o", metrics, "--split", "test", "--force")
                ours = tools.accuracy(metrics)
                x, ids, splits, labels = tools.matrix(features, scratch)
                peer = peer_features(*peer_network(backbone, tap, weights), root, ids)
                train, test = (np.array([s == split for s in splits]) for split in ("train", "test"))
                labels = np.array(labels)
                model = make_pipeline(StandardScaler(), LogisticRegression(C=1, max_iter=5000, tol=1e-7))
                theirs = model.fit(peer[train], labels[train]).score(peer[test], labels[test])
                cosine = np.mean((x * peer).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(peer, axis=1))
                distance = np.linalg.norm(x - peer) / np.linalg.norm(peer)
                good = abs(ours - theirs) <= 0.01
                passed, failed = passed + good, failed + (not good)
                print(f"| {name} | {backbone}, {tap} | {train.sum():,} / {test.sum():,} | {ours:.1%} | {theirs:.1%}"
                      f" | {cosine:.6f}, {distance:.1e} |{'' if good else ' FAILED'}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
