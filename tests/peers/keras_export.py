"""Models of `export --to keras`, opened by Keras on its torch backend.

Keras' own networks with random weights as Keras saves them, and convolutional ones of torchvision: features of photographs of any
size, a head, and the exported folder. Keras' logits of pictures that it prepares itself must be ours, by `--verify-with`. The lines of
the folder's README.md are run as they stand, and must give what `predict` gives. Layers must stand in Keras' own order, and
`extract` reads the weights back from the model.

    keras_export.py [NAME …]     only these networks
"""

import keras_files  # first: it chooses Keras' backend

import contextlib
import io
import json
import os
import pathlib
import re
import sys
import tempfile
import zipfile

import keras
import numpy as np
import torch
import torchvision

import pictures
import sources
import tools

TOLERANCE = 1e-4
# torchvision's networks and taps; the pictures are prepared as torchvision does.
TORCHVISION = [
    ("resnet18", "pooled"), ("resnet18", "layer3"), ("resnext50_32x4d", "pooled"), ("densenet121", "pooled"), ("mobilenet_v2", "pooled"),
    ("mobilenet_v3_small", "classifier.2"), ("mnasnet0_5", "pooled"), ("efficientnet_b0", "pooled"), ("regnet_y_400mf", "pooled"),
    ("convnext_tiny", "pooled"), ("googlenet", "pooled"), ("inception_v3", "pooled"), ("squeezenet1_0", "gap"), ("alexnet", "pooled"),
    ("vgg11_bn", "gap"),
]
# Random networks so deep that they either blow up on the probes, in any format, or find all pictures alike.
ALIKE = [f"keras_efficientnet_b{n}" for n in range(1, 8)]
# Pictures that are cropped where they are too small, by an uneven number of pixels.
SMALL = [("resnet18", "pooled", ["--resize", "61", "--crop", "64"]), ("resnet18", "pooled", ["--resize", "59", "--crop", "64"])]


def cells():
    """Name, tap, and what makes the weights: a file and flags."""
    for at, (name, tap, build, module, side) in enumerate(keras_files.NETWORKS):

        def own(scratch, at=at, name=name, build=build, module=module, side=side):
            keras.utils.clear_session()
            path = scratch / f"{name}.keras"
            if name.startswith("vgg"):
                # With its top, whose first layer reads a flattened map.
                model = build(weights=None)
                keras_files.randomise(model, at)
            else:
                model = keras_files.application(build, side, 100 + at)
                if name not in ALIKE:
                    settled(model, module, side)
            model.save(path)
            return path, ["--preprocess", "keras"] if name.startswith("vgg") else []

        yield name, tap, own
        if name == "vgg16":
            yield name, "fc7", own
    for name, tap, flags in [(name, tap, []) for name, tap in TORCHVISION] + SMALL:

        def theirs(scratch, name=name, flags=flags):
            net = sources.settled(sources.randomise(torchvision.models.get_model(name)))
            torch.save(net.state_dict(), scratch / f"{name}.pth")
            return scratch / f"{name}.pth", flags

        yield name, tap, theirs


def settled(model, module, side):
    """With statistics of batch norms that are those of some pictures: of random ones, all pictures would be alike in the end."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    images = np.stack([pictures.scene(side, side, 800 + i, 3) // (1 + i) for i in range(4)]).astype(np.float32)
    for layer in norms:
        layer.momentum, layer.kept = 0.0, layer.momentum
    model(module.preprocess_input(images), training=True)
    for layer in norms:
        layer.momentum = layer.kept
        # Of channels that hardly change, differences would be blown up.
        spread = keras.ops.convert_to_numpy(layer.moving_variance)
        layer.moving_variance.assign(np.maximum(spread, 0.1 * spread.mean()))


def photographs(folder):
    """Two classes of pictures of several sizes."""
    for i in range(12):
        path = folder / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        array = pictures.scene(200 + 31 * i, 320 - 17 * i, 900 + i, 3)
        keras_files.Image.fromarray(array // 2 + 100 * (i % 2)).save(path)


def loaded(model, path):
    """What the lines of README.md print and give, run in the folder."""
    code = re.search(r"```python\n(.*?)```", (model / "README.md").read_text(), re.S)[1]
    scope, here, said = {}, os.getcwd(), io.StringIO()
    os.chdir(model)
    try:
        with contextlib.redirect_stdout(said):
            exec(code.replace('"photo.jpg"', repr(str(path))), scope)
    finally:
        os.chdir(here)
    return said.getvalue().strip(), scope["output"], scope["model"]


def check(name, tap, make, root, scratch, at):
    source, flags = make(scratch)
    data, features, head, model = root / "data", root / "f.features", root / "m.head", scratch / "model"
    tools.extract(data, features, name, tap, source, *flags)
    # Of random networks, what differs between pictures is next to nothing: scaled up, nothing could be told.
    kind = ["mlp:16", "linear"][at % 2]
    held = ["--l2", "1e-6", "--no-calibrate"] if kind == "linear" else []
    tools.tool("fit-head", features, "-o", head, "--head", kind, "--no-standardize", *held, "--force", "--quiet")
    tools.tool(
        "export", head, "-o", model, "--to", "keras", "--weights", source, "--tolerance", TOLERANCE,
        "--verify-with", sys.executable, "--images", data,
    )
    verified = json.loads((model / "config.json").read_text())["headstart"]
    rows = root / "p.jsonl"
    tools.tool("predict", head, data, "-o", rows, "--weights", source, "--probabilities", "--force")
    said = [json.loads(line) for line in rows.read_text().splitlines()]
    spread = np.ptp([each["probabilities"]["a"] for each in said])
    assert spread > 1e-3 or name in ALIKE, f"all pictures are alike to the head: {spread:.1e}"
    row = said[0]
    printed, output, opened = loaded(model, (data / row["id"]).resolve())
    ours = [row["probabilities"][label] for label in "ab"]
    assert printed == row["predicted"] and np.abs(output - ours).max() <= TOLERANCE, (printed, output, row)
    # Keras finds weights by its own order of layers.
    config = json.loads(zipfile.ZipFile(model / "model.keras").read("config.json"))
    assert [layer.name for layer in opened.layers] == [layer["name"] for layer in config["config"]["layers"]]
    if name.startswith(("keras_", "vgg1")) and not name.endswith("_bn"):
        again = root / "again.features"
        tools.extract(data, again, name, tap, model / "model.keras", *flags)
        (one, *_), (two, *_) = tools.matrix(features, root), tools.matrix(again, root)
        assert np.array_equal(one, two), "extract reads other weights from the model"
    largest = max(verified["parity"]["largest_logit"], 1)
    gap = max(verified["verified"]["probes"], verified["verified"]["pictures"]) / largest
    return gap, f"{kind}, best the same on {verified['verified']['same_best']} of {verified['verified']['samples']}"


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        photographs(root / "data")
        print("| network | tap | head | largest difference |\n|---|---|---|---|", flush=True)
        for at, (name, tap, make) in enumerate(cells()):
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            with tempfile.TemporaryDirectory(dir=root) as scratch:
                try:
                    gap, what = check(name, tap, make, root, pathlib.Path(scratch), at)
                except Exception as error:
                    gap, what = float("inf"), (getattr(error, "stderr", None) or repr(error)).strip()[:300]
            fine = gap <= TOLERANCE
            passed, failed = passed + fine, failed + (not fine)
            print(f"| {name} | {tap} | {what} | {gap:.1e}{' |' if fine else ' BAD'}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
