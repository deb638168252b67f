#!/usr/bin/env python3
"""What `extract --decode fast` does to features and accuracy, on real data with real weights.

The same chain twice, extract → fit-head --head linear --l2 1 → evaluate, with JPEGs decoded exactly and fast. Prints the
table that ACCURACY.md holds. Needs ../shared; run from the repository's root, after `make`.
"""

import pathlib
import sys
import tempfile

import numpy as np

import tools

# Data, and what its pictures are resized and cropped to: (resize, crop); none for the backbone's own.
CASES = [
    ("flowers", "headstart_tiny", "pooled", None),
    ("bccd", "headstart_tiny", "pooled", None),
    ("flowers", "squeezenet1_1", "gap", ("128", "112")),
    ("bccd", "squeezenet1_1", "gap", ("128", "112")),
    ("bccd", "resnet18", "layer3", ("128", "112")),
    ("bccd", "squeezenet1_1", "gap", None),
]


def main():
    if not tools.SHARED.is_dir():
        print("skipped: ../shared is missing")
        return
    weights = {name: file for name, _, file in tools.REAL}
    print("| data | backbone, tap | resized to | exact | fast | features: cosine, relative L2 |")
    print("|---|---|---|---|---|---|", flush=True)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        sources = {"flowers": tools.SHARED / "data/flowers", "bccd": tools.bccd(scratch)}
        for data, backbone, tap, sides in CASES:
            size = ["--resize", sides[0], "--crop", sides[1]] if sides else []
            found = {}
            for decode in ("exact", "fast"):
                features, head, metrics = (scratch / f"{decode}.{end}" for end in ("features", "head", "json"))
                tools.extract(sources[data], features, backbone, tap, weights.get(backbone), *size, "--decode", decode)
                tools.tool("fit-head", features, "-o", head, "--head", "linear", "--l2", "1", "--force")
                tools.tool("evaluate", features, head, "-o", metrics, "--split", "test", "--force")
                found[decode] = tools.matrix(features, scratch)[0], tools.accuracy(metrics)
            (x, exact), (y, fast) = found["exact"], found["fast"]
            cosine = np.mean((x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1))
            distance = np.linalg.norm(x - y) / np.linalg.norm(x)
            good = cosine > 0.98 and fast > exact - 0.05
            passed, failed = passed + good, failed + (not good)
            side = sides[0] if sides else ("64" if backbone == "headstart_tiny" else "256")
            print(f"| {data} | {backbone}, {tap} | {side} | {exact:.1%} | {fast:.1%} | {cosine:.5f}, {distance:.1e} |"
                  f"{'' if good else ' FAILED'}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
