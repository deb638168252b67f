#!/usr/bin/env python3
"""Runs exported models that take photographs as they are in ONNX Runtime, and compares them with our own path.

Photographs are decoded by Pillow and turned by EXIF, and given to the model as u8. Must hold:

- the preprocessing within the model gives Pillow's bytes, bit by bit, for photographs and for pictures of odd sizes, with
  either kernel, either order of channels, crops and padding;
- logits and distances of 200 photographs are those of `evaluate`, to 1e-3 (f16: 5e-2; neighbours, of which a near tie may
  swap two, all but 2 % of them);
- the class is the same wherever the best two lie further apart than that.

Run from the repository's root, after `make`. Without ../shared the rendered sample data set stands in.
"""

import argparse
import json
import pathlib
import resource
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
import PIL
from onnx import utils
from PIL import Image, ImageOps

import tools

TOLERANCE = 1e-3
SIZES = [(1, 1), (1, 300), (300, 1), (2000, 100), (2001, 30), (480, 640), (256, 256), (37, 53), (499, 333), (907, 61),
         (613, 40), (100, 2000), (513, 257)]
RECIPES = [
    ("--preprocess", "keras"),
    ("--resize", "232", "--crop", "224", "--filter", "bicubic"),
    ("--resize", "200x150", "--crop", "224", "--filter", "bicubic"),
    ("--resize", "256x192", "--crop", "none"),
]


def decoded(path):
    """(h, w, 3) u8, upright."""
    return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))


def resized_size(width, height, resize):
    if "exact" in resize:
        return resize["exact"][1], resize["exact"][0]
    side, short = resize["shorter_side"], min(width, height)
    return side * width // short, side * height // short


def span(length, crop, down):
    """Where the crop begins, where it ends, and how many zeros come before."""
    if crop >= length:
        return 0, length, (crop - length + down) // 2
    start = (length - crop) // 2 if down else round((length - crop) / 2)
    return start, start + crop, 0


def prepared(pixels, how):
    """(1, 3, h, w) f32 by Pillow and numpy."""
    image = Image.fromarray(pixels)
    kernel = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}[how["filter"]]
    image = np.asarray(image.resize(resized_size(*image.size, how["resize"]), kernel))
    crop, down = how["crop"] or image.shape[:2], how.get("crop_rounding") == "down"
    (top, bottom, above), (left, right, before) = (span(n, c, down) for n, c in zip(image.shape, crop))
    out = np.zeros((*crop, 3), np.uint8)
    out[above:above + bottom - top, before:before + right - left] = image[top:bottom, left:right]
    if how["channels"] == "bgr":
        out = out[:, :, ::-1]
    mean, std = (np.array(how[key], np.float32) for key in ("mean", "std"))
    return ((out.astype(np.float32) / np.float32(how["divisor"]) - mean) / std).transpose(2, 0, 1)[None]


def session(model):
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def inputs_alone(model, scratch):
    """The part of a model that prepares pictures, and what it gives for each backbone."""
    names = [node.output[0] for node in onnx.load(model).graph.node if node.output[0].endswith("picture/normalised")]
    part = scratch / "part.onnx"
    utils.extract_model(str(model), str(part), ["image"], names)
    return session(str(part)), names


def most_memory():
    """MiB that this process held at once so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


class Checks:
    """Counts what holds."""

    def __init__(self):
        self.passed = self.failed = 0

    def that(self, what, holds, told):
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        print(f"  {what:52} {told} {'ok' if holds else 'FAILED'}", flush=True)


def check_bits(checks, what, model, photographs, scratch):
    """Pixels as the model prepares them, and as Pillow does."""
    onnx.checker.check_model(str(model), full_check=True)
    run, names = inputs_alone(model, scratch)
    meta = session(str(model)).get_modelmeta().custom_metadata_map
    recipes = [json.loads(meta["headstart.preprocessing" + (f"_{at}" if at else "")]) for at in range(len(names))]
    random = np.random.default_rng(0)
    odd = [random.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]
    different = count = 0
    for pixels in [*photographs, *odd]:
        for got, how in zip(run.run(names, {"image": pixels}), recipes):
            expected = prepared(pixels, how)
            different += not np.array_equal(got.view(np.int32), expected.view(np.int32))
            count += 1
    checks.that(f"{what}: pixels", different == 0, f"{different} of {count} prepared pictures differ from Pillow's bits")


def predicted(head, features, scratch):
    """What `evaluate` predicts: a row for each id."""
    table = scratch / "predictions.json"
    tools.tool("evaluate", *features, head, "-o", scratch / "metrics.json", "--split", "all", "--predictions", table, "--force")
    return {row["id"]: row for row in json.loads(table.read_text())}


def check_outputs(checks, what, model, head, features, pictures, scratch, limit=TOLERANCE, swaps=0.0):
    """Probabilities, classes and distances of photographs against those of `evaluate`."""
    ours = predicted(head, features, scratch)
    run = session(str(model))
    classes = json.loads(run.get_modelmeta().custom_metadata_map["headstart.classes"])
    names = [output.name for output in run.get_outputs()]
    differences, same, close, distances, novel = [], 0, 0, [0.0], 0
    for id, pixels in pictures:
        got = dict(zip(names, run.run(None, {"image": pixels})))
        row = ours[id]
        expected = np.array(row["probabilities"])
        # Logits up to a constant: what a softmax takes no notice of.
        log = np.log(expected)
        logits = got["logits"][0].astype(np.float64)
        differences.append(np.abs((logits - logits.mean()) - (log - log.mean())).max())
        best = np.sort(log)[::-1]
        is_same = classes[logits.argmax()] == row["predicted"]
        same += is_same
        close += not is_same and best[0] - best[1] <= limit
        if "distance" in got:
            distances.append(abs(got["distance"][0] - row["distance"]) / max(1, row["distance"]))
            novel += bool(got["novel"][0]) != row["novel"]
    beyond = np.mean(np.array(differences) > limit)
    n = len(pictures)
    told = f"logits within {max(differences):.1e}, class the same {same}/{n}"
    if "distance" in names:
        told += f", distances within {max(distances):.1e}, novel otherwise {novel}"
    holds = beyond <= swaps and same + close >= n * (1 - swaps) and max(distances) <= limit and novel == 0
    checks.that(what, holds, told)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--pictures", type=int, default=200)
    count = arguments.parse_args().pictures
    print(f"Pillow {PIL.__version__}, onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}, {count} pictures")
    checks = Checks()
    data = tools.SHARED / "data/flowers"
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        networks = [("headstart_tiny", "pooled", None)]
        if data.is_dir():
            networks = [network for network in tools.REAL if network[2].is_file()][:2]
        else:
            print("skipped: ../shared/data/flowers is missing; the rendered sample data set stands in")
            data = scratch / "pictures"
            tools.tool("make-sample", data)
        files = sorted(path for path in data.rglob("*") if path.suffix in (".jpg", ".png"))
        chosen = [files[i] for i in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)]
        pictures = [(path.relative_to(data).as_posix(), decoded(path)) for path in chosen]
        made = []
        for at, (backbone, tap, weights) in enumerate(networks):
            features = scratch / f"{at}.features"
            tools.extract(data, features, backbone, tap, weights)
            given = ["--weights", weights] if weights else []
            made.append((backbone, features, given))
            for kind, flags, limit, swaps in (("linear", [], TOLERANCE, 0), ("linear", ["--dtype", "f16"], 5e-2, 0),
                                              ("knn:10", [], TOLERANCE, 0.02)):
                head, model = scratch / "m.head", scratch / "m.onnx"
                tools.tool("fit-head", features, "-o", head, "--head", kind, "--novelty-at", "0.95", "--force")
                line = tools.tool("export", head, "-o", model, *given, *flags, "--with-preprocessing", "--force")
                what = " ".join([backbone, kind, *flags[1:]])
                if at == 0 and kind == "linear" and not flags:
                    print("  " + line.strip())
                if not flags and kind == "linear":
                    check_bits(checks, what, model, [pixels for _, pixels in pictures], scratch)
                check_outputs(checks, what, model, head, [features], pictures, scratch, limit, swaps)
        # Other recipes, of which only the pixels are looked at.
        backbone, tap, weights = networks[-1]
        for flags in RECIPES:
            features, head, model = scratch / "r.features", scratch / "m.head", scratch / "m.onnx"
            tools.extract(data, features, backbone, tap, weights, *flags)
            tools.tool("fit-head", features, "-o", head, "--head", "prototype", "--force")
            given = ["--weights", weights] if weights else []
            tools.tool("export", head, "-o", model, *given, "--with-preprocessing", "--force")
            check_bits(checks, " ".join(flags), model, [pixels for _, pixels in pictures[:50]], scratch)
        if len(made) > 1:
            head, model = scratch / "m.head", scratch / "m.onnx"
            features = [features for _, features, _ in made]
            tools.tool("fit-head", *features, "-o", head, "--head", "linear", "--force")
            given = [flag for *_, given in made for flag in given]
            tools.tool("export", head, "-o", model, *given, "--with-preprocessing", "--force")
            what = " + ".join(name for name, *_ in made)
            check_bits(checks, what, model, [pixels for _, pixels in pictures[:50]], scratch)
            check_outputs(checks, what, model, head, features, pictures, scratch)
        large = np.random.default_rng(1).integers(0, 256, (3000, 4000, 3), dtype=np.uint8)
        run, names = inputs_alone(model, scratch)
        run.run(names[:1], {"image": large[:300, :400]})
        before, start = most_memory(), time.perf_counter()
        run.run(names[:1], {"image": large})
        print(f"  preparing 12 megapixels: {time.perf_counter() - start:.2f} s, {most_memory() - before} MiB more")
    print(f"{checks.passed} passed, {checks.failed} failed")
    raise SystemExit(checks.failed > 0)


if __name__ == "__main__":
    main()
