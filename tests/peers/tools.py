"""What the peers' scripts share: our programs, where real data lies, and reading what the programs wrote."""

import csv
import json
import os
import pathlib
import re
import subprocess

import numpy as np

BIN = pathlib.Path(os.environ.get("BIN", "target/release"))
SHARED = pathlib.Path("../shared")

# Backbones of the zoo whose real weights may lie in ../shared: name, tap, weights file.
REAL = [
    ("mobilenet_v2", "pooled", SHARED / "weights/mobilenet_v2.features.safetensors"),
    ("squeezenet1_1", "gap", SHARED / "weights/squeezenet1_1.safetensors"),
    ("resnet18", "layer3", SHARED / "weights/resnet18.layer1-3.safetensors"),
]


def tool(name, *arguments):
    """Runs one of our programs; gives what it printed on stderr."""
    command = [str(BIN / name), *map(str, arguments)]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).stderr


def extract(source, out, backbone, tap, weights, *more):
    """Features of a folder or manifest; `weights` is None for those that come with Headstart, `more` are further flags."""
    given = ["--weights", weights] if weights else []
    tool("extract", source, "-o", out, "--backbone", backbone, "--tap", tap, *given, *more, "--force", "--quiet")


def matrix(features, scratch):
    """A features folder as (n, d) f32, and its rows' ids, splits and labels."""
    npy, rows = scratch / "matrix.npy", scratch / "rows.csv"
    tool("export", features, "-o", npy, "--rows", rows, "--force")
    with open(rows, newline="") as file:
        table = list(csv.DictReader(file))
    return np.load(npy), *([row[key] for row in table] for key in ("id", "split", "label"))


def bccd(scratch):
    """A manifest in scratch/bccd: is there a platelet in the micrograph? The data have boxes, this is a label for each picture."""
    source, target = SHARED / "data/bccd/BCCD", scratch / "bccd"
    target.mkdir(exist_ok=True)
    (target / "images").unlink(missing_ok=True)
    (target / "images").symlink_to((source / "JPEGImages").resolve())
    rows = ["path,label,split"]
    for split in ("train", "val", "test"):
        for name in (source / f"ImageSets/Main/{split}.txt").read_text().split():
            boxes = re.findall(r"<name>(\w+)</name>", (source / f"Annotations/{name}.xml").read_text())
            rows.append(f"images/{name}.jpg,{'platelets' if 'Platelets' in boxes else 'none'},{split}")
    (target / "manifest.csv").write_text("\n".join(rows) + "\n")
    return target / "manifest.csv"


def accuracy(metrics):
    """The overall test accuracy in a metrics table that was written as JSON."""
    rows = json.loads(pathlib.Path(metrics).read_text())
    return next(r["value"] for r in rows if r["metric"] == "accuracy" and r["scope"] == "overall" and r["split"] == "test")
