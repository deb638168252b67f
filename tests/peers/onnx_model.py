#!/usr/bin/env python3
"""Runs exported models in ONNX Runtime and compares their logits with ours on real pictures.

For each backbone: extract → fit-head → export --to onnx; `onnx.checker` must pass; then ONNX Runtime gets the pictures
as Pillow and numpy prepare them, by nothing but the constants in the file's metadata. JPEGs are turned into PNGs first,
so that both sides see the same pixels. A logit may differ by 1e-4 of the largest. Without ../shared, the sample data
set and the embedded backbone are used.

Before that, every operation by itself: the engine's tests leave small graphs in target/tmp/onnx (and, asked for by
`cargo test --release -p headstart-engine --test graphs -- --ignored`, whole networks whose weights are made by a
formula), each with an input and the features that our reference gives. `onnx.checker` must pass, and ONNX Runtime must
give these features to 1e-5 (relative L2; whole networks 1e-4), with its optimisations and without, for the whole batch and for one picture
of it. Run from the repository's root, after `make` and `make test`.
"""

import csv
import json
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from PIL import Image, ImageOps
from safetensors import safe_open
from safetensors.numpy import load_file

import tools

PICTURES = 50
TOLERANCE = 1e-4
GRAPHS = tools.BIN.parent / "tmp/onnx"
GRAPH_TOLERANCE = 1e-5
# Of whole networks: either side may be 1e-5 off by itself.
NETWORK_TOLERANCE = 1e-4


def prepared(path, how):
    """(3, h, w) f32, as the metadata describes."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    kernel = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}[how["filter"]]
    if "exact" in how["resize"]:
        height, width = how["resize"]["exact"]
    else:
        side, (width, height) = how["resize"]["shorter_side"], image.size
        short = min(width, height)
        width, height = (side if length == short else int(side * length / short) for length in (width, height))
    image = image.resize((width, height), kernel)
    if how["crop"]:
        h, w = how["crop"]
        top, left = round((image.height - h) / 2), round((image.width - w) / 2)
        image = image.crop((left, top, left + w, top + h))
    pixels = np.asarray(image, np.float32)
    if how["channels"] == "bgr":
        pixels = pixels[:, :, ::-1]
    constants = (np.float32(how["divisor"]), np.array(how["mean"], np.float32), np.array(how["std"], np.float32))
    return ((pixels / constants[0] - constants[1]) / constants[2]).transpose(2, 0, 1)


def our_logits(head, features):
    """What our head makes of our features, in f64."""
    tensors = load_file(head)
    depth = sum(name.endswith(".weight") for name in tensors)
    x = features.astype(np.float64)
    for layer in range(depth):
        x = x @ tensors[f"layers.{layer}.weight"].T.astype(np.float64) + tensors[f"layers.{layer}.bias"]
        if layer + 1 < depth:
            x = np.maximum(x, 0)
    return x


def check(data, backbone, tap, weights, kind, scratch):
    """The largest difference of a logit, and the largest logit."""
    features, head, model = scratch / "m.features", scratch / "m.head", scratch / "m.onnx"
    tools.extract(data, features, backbone, tap, weights)
    tools.tool("fit-head", features, "-o", head, "--head", kind, "--force")
    tools.tool("export", head, "-o", model, *(["--weights", weights] if weights else []), "--force")
    onnx.checker.check_model(str(model), full_check=True)
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    meta = session.get_modelmeta().custom_metadata_map
    how = json.loads(meta["headstart.preprocessing"])
    values, ids, _, labels = tools.matrix(features, scratch)
    chosen = np.linspace(0, len(ids) - 1, min(PICTURES, len(ids))).astype(int)
    batch = np.stack([prepared(data / ids[i], how) for i in chosen])
    ours = our_logits(head, values[chosen])
    logits, probabilities = session.run(["logits", "probabilities"], {"pixels": batch})
    # One alone and all together must both work: the batch axis is dynamic.
    alone = session.run(["logits"], {"pixels": batch[:1]})[0]
    assert np.allclose(alone[0], logits[0], atol=1e-4 * np.abs(logits).max()), "a batch of one differs"
    assert np.allclose(probabilities.sum(1), 1, atol=1e-5), "probabilities do not add up to one"
    assert json.loads(meta["headstart.classes"]) == sorted(set(labels)), "classes are out of order"
    return np.abs(logits - ours).max(), np.abs(ours).max()


def check_targets(data, scratch):
    """Heads of labels and of numbers on the embedded backbone: the largest difference, and the largest output."""
    features, manifest = scratch / "m.features", scratch / "m.csv"
    tools.extract(data, features, "headstart_tiny", "pooled", None)
    values, ids, _, labels = tools.matrix(features, scratch)
    names = sorted(set(labels))
    with open(manifest, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "odd", "late", "size"])
        for id, label in zip(ids, labels):
            at = names.index(label)
            rows.writerow([id, at % 2, int(2 * at >= len(names)), 10 + at])
    for target, columns, output in (("labels", "odd,late", "logits"), ("number", "size", "values")):
        head, model = scratch / "m.head", scratch / "m.onnx"
        tools.tool("fit-head", features, "-o", head, "--target", target, "--manifest", manifest,
                   "--target-columns", columns, "--l2", "10", "--force")
        tools.tool("export", head, "-o", model, "--force")
        onnx.checker.check_model(str(model), full_check=True)
        session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        meta = session.get_modelmeta().custom_metadata_map
        chosen = np.linspace(0, len(ids) - 1, min(PICTURES, len(ids))).astype(int)
        batch = np.stack([prepared(data / ids[i], json.loads(meta["headstart.preprocessing"])) for i in chosen])
        got = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"pixels": batch})))
        ours = our_logits(head, values[chosen])
        assert meta["headstart.task"] == target and set(got) == {"features", output} | (
            {"probabilities"} if target == "labels" else set()), f"{target}: outputs {sorted(got)}"
        if target == "labels":
            assert np.allclose(got["probabilities"], 1 / (1 + np.exp(-got["logits"])), atol=1e-6), "no sigmoid"
        yield target, np.abs(got[output] - ours).max(), np.abs(ours).max()


def error_of_graph(path):
    """What a graph is, and the largest relative L2 error of its features."""
    onnx.checker.check_model(str(path), full_check=True)
    with safe_open(path.with_suffix(".safetensors"), "numpy") as file:
        name, pixels, expected = file.metadata()["graph"], file.get_tensor("input"), file.get_tensor("features")
    errors = []
    for level in ("ORT_ENABLE_ALL", "ORT_DISABLE_ALL"):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for part in (slice(None), slice(1, 2)):
            (got,) = session.run(["features"], {"pixels": pixels[part]})
            right = expected[part].astype(np.float64)
            assert got.shape == right.shape, f"{name}: expected {right.shape}, got {got.shape}"
            errors.append(np.linalg.norm(got - right) / np.linalg.norm(right))
    return name, max(errors)


def check_graphs():
    """How many of the graphs that tests have left passed and failed."""
    paths = sorted(GRAPHS.glob("*.onnx"))
    if not paths:
        print(f"skipped: no graphs in {GRAPHS}; `make test` leaves them there")
        return 0, 0
    failed = 0
    for kind, tolerance in ((False, GRAPH_TOLERANCE), (True, NETWORK_TOLERANCE)):
        errors = dict(error_of_graph(path) for path in paths if path.name.startswith("zoo-") == kind)
        for name, error in errors.items():
            if not error <= tolerance:
                failed += 1
                print(f"  {name}: relative L2 error {error:.2e} FAILED")
        if errors:
            worst, what = max(errors, key=errors.get), "whole networks" if kind else "graphs"
            print(f"  {len(errors)} {what}, the largest relative L2 error {errors[worst]:.2e} ({worst})")
    return len(paths) - failed, failed


def pngs(scratch):
    """Every sixth flowers photograph as PNG, or the rendered sample data set."""
    source, target = tools.SHARED / "data/flowers", scratch / "pictures"
    if not source.is_dir():
        print("skipped: ../shared/data/flowers is missing; the rendered sample data set stands in")
        tools.tool("make-sample", target)
        return target
    for photograph in sorted(source.rglob("*.jpg"))[::6]:
        path = (target / photograph.relative_to(source)).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.open(photograph).convert("RGB").save(path)
    return target


def main():
    jobs = [("headstart_tiny", "pooled", None, "linear"), ("headstart_tiny", "layer3", None, "mlp:32")]
    for backbone, tap, weights in tools.REAL:
        if weights.is_file():
            jobs.append((backbone, tap, weights, "linear"))
        else:
            print(f"skipped: {weights} is missing")
    print(f"onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}, {PICTURES} pictures")
    passed, failed = check_graphs()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        data = pngs(scratch)
        for backbone, tap, weights, kind in jobs:
            difference, largest = check(data, backbone, tap, weights, kind, scratch)
            good = difference <= TOLERANCE * max(1, largest)
            passed, failed = passed + good, failed + (not good)
            print(f"  {backbone:15} {tap:7} {kind:7} largest difference {difference:.2e} (logits up to {largest:.1f}) {'ok' if good else 'FAILED'}")
        for target, difference, largest in check_targets(data, scratch):
            good = difference <= TOLERANCE * max(1, largest)
            passed, failed = passed + good, failed + (not good)
            print(f"  headstart_tiny  {target:15} largest difference {difference:.2e} (up to {largest:.1f}) {'ok' if good else 'FAILED'}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
