#!/usr/bin/env python3
"""Folders of `export --to hf` and `--to torch`, opened by the libraries that they are for.

For each family of the zoo, and each kind of folder that transformers writes: random weights as its library writes them, features
of random pictures, a linear head, and the exported folder. `transformers.pipeline` opens it, with no further code but what lies in it. Its logits, of pictures
that the folder itself prepares, must agree with ours to 1e-4 of the largest. Of `--to torch`, the lines of the folder's README.md are run as they stand.

What no library holds exactly must be refused. Run from the repository's root, after `make`; names of cells may be given. It
prints a table. Needs torch, torchvision, timm and transformers.
"""

import contextlib
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Code of folders is copied there before it runs.
MODULES = tempfile.TemporaryDirectory()
os.environ["HF_MODULES_CACHE"] = MODULES.name
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import numpy as np
import torch
import torchvision
import transformers
from safetensors.torch import load_file

import sources
import tools

TOLERANCE = 1e-4
# torchvision's networks: name, tap.
TORCHVISION = [
    ("resnet18", "pooled"), ("resnet50", "pooled"), ("resnext50_32x4d", "pooled"), ("wide_resnet50_2", "pooled"),
    ("vgg11_bn", "pooled"), ("vgg11", "gap"), ("alexnet", "pooled"), ("squeezenet1_1", "gap"), ("googlenet", "pooled"),
    ("inception_v3", "pooled"), ("densenet121", "pooled"), ("mobilenet_v2", "pooled"), ("mobilenet_v3_small", "pooled"),
    ("mobilenet_v3_small", "classifier.2"), ("mnasnet0_5", "pooled"), ("mnasnet1_3", "pooled"), ("shufflenet_v2_x0_5", "pooled"),
    ("efficientnet_b0", "pooled"), ("efficientnet_b6", "pooled"), ("efficientnet_v2_s", "pooled"), ("regnet_x_400mf", "pooled"),
    ("regnet_y_400mf", "pooled"), ("convnext_tiny", "pooled"), ("vit_b_32", "pooled"), ("swin_t", "pooled"),
    ("resnet18", "layer3"), ("vit_b_32", "patch_mean"),
]
# timm's networks and taps, each in a folder as timm writes it.
TIMM = [
    ("resnet18d.ra2_in1k", "pooled"), ("mobilenetv2_100.ra_in1k", "pooled"), ("mobilenetv4_conv_small.e2400_r224_in1k", "pooled"),
    ("tf_efficientnet_b0.ns_jft_in1k", "pooled"), ("tf_efficientnetv2_b0.in1k", "pooled"), ("tf_efficientnet_lite0.in1k", "pooled"),
    ("convnextv2_atto.fcmae_ft_in1k", "pooled"), ("vit_tiny_patch16_224.augreg_in21k_ft_in1k", "pooled"),
    ("deit_tiny_patch16_224.fb_in1k", "pooled"), ("deit3_small_patch16_224.fb_in22k_ft_in1k", "pooled"),
    ("vit_small_patch14_dinov2.lvd142m", "pooled"), ("vit_small_patch14_reg4_dinov2.lvd142m", "pooled"),
    ("vit_small_patch14_dinov2.lvd142m", "pooled,patch_mean"), ("vit_base_patch32_clip_224.openai", "pooled"),
    ("vit_base_patch16_siglip_224.webli", "pooled"), ("vit_base_patch16_siglip_224.webli", "patch_mean"),
    ("swin_tiny_patch4_window7_224.ms_in1k", "pooled"),
]
# Pictures of another size than the network's own.
SIZES = {"vit_small_patch14_dinov2.lvd142m": ["--resize", 256, "--crop", 224], "vit_small_patch14_reg4_dinov2.lvd142m": ["--resize", 256, "--crop", 224]}
RESIZED = [("deit3_small_patch16_224.fb_in22k_ft_in1k", ["--resize", 192, "--crop", 160]), ("resnet18d.ra2_in1k", ["--resize", 200, "--crop", 160])]


def torchvision_cell(name):
    def make(scratch):
        net = sources.settled(sources.randomise(torchvision.models.get_model(name)))
        torch.save(net.state_dict(), scratch / f"{name}.pth")
        return scratch / f"{name}.pth", ["--backbone", name]

    return make


def timm_cell(name, flags=()):
    return lambda scratch: (sources.timm_folder(scratch, name)[0], list(flags))


def cells():
    """Name, tap, and what makes the weights: a source and flags."""
    for name, tap in TORCHVISION:
        yield f"torchvision {name}", tap, torchvision_cell(name)
    for name, tap in TIMM:
        yield f"timm {name}", tap, timm_cell(name, SIZES.get(name, ()))
    for name, flags in RESIZED:
        yield f"timm {name} at another size", "pooled", timm_cell(name, flags)
    for name, make in sources.CELLS:
        if name.startswith("transformers ") and not name.endswith("projected"):
            tap = "patch_mean" if "siglip, whole" in name else "pooled"
            yield name, tap, lambda scratch, make=make: make(scratch)[:2]


def opened(model, paths):
    """What `transformers.pipeline` makes of pictures: the class, and logits."""
    trusts = {"trust_remote_code": True} if (model / "modeling_headstart.py").exists() else {}
    run = transformers.pipeline("image-classification", model=str(model), device="cpu", **trusts)
    processor, exact = run.image_processor, ""
    if (model / "preprocessor_config.json").exists():
        processor = transformers.AutoImageProcessor.from_pretrained(model, backend="pil")
        run = transformers.pipeline("image-classification", model=str(model), image_processor=processor, device="cpu", **trusts)
        exact = ", pil"
    logits = []
    for path in paths:
        inputs = run.preprocess(str(path))
        with torch.inference_mode():
            logits.append(run.model(**inputs).logits[0].double().numpy())
    labels = [run.model.config.id2label[i] for i in range(run.model.config.num_labels)]
    best = [labels[int(row.argmax())] for row in logits]
    assert run(str(paths[0]))[0]["label"] == best[0], "the pipeline's first is another than that of the logits"
    architecture = getattr(run.model.config, "architecture", None) or getattr(run.model.config, "torchvision", None)
    return f"{type(run.model).__name__}{f' ({architecture})' if architecture else ''}{exact}", np.array(logits), labels


def loaded(model, paths):
    """What the lines of README.md make of pictures, run in the folder."""
    code = re.search(r"```python\n(.*?)```", (model / "README.md").read_text(), re.S)[1]
    assert len(code.strip().splitlines()) <= 12, code
    logits = []
    here = os.getcwd()
    for path in paths:
        scope = {}
        os.chdir(model)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(code.replace('"photo.jpg"', repr(str(path))), scope)
        finally:
            os.chdir(here)
        logits.append(scope["logits"].detach().double().numpy())
    return "torchvision", np.array(logits), scope["config"]["classes"]


def check(name, tap, make, root, scratch, to):
    source, flags = make(scratch)
    given = ["--weights", source, *flags]
    taps = tap.split(",")
    folders = [root / f"{index}.features" for index in range(len(taps))]
    for one, folder in zip(taps, folders):
        tools.tool("extract", root / "data", "-o", folder, *given, "--tap", one, "--force", "--quiet")
    head, model = root / "m.head", root / "model"
    # Hardly held back, so that logits are large: of zeros nothing could be told.
    fit = ["--head", "linear", "--l2", "0.1", "--no-calibrate", *(["--concat"] if len(taps) > 1 else [])]
    tools.tool("fit-head", *folders, "-o", head, *fit, "--force", "--quiet")
    command = [str(tools.BIN / "export"), str(head), "-o", str(model), "--to", to, "--weights", str(source), "--force"]
    # Random numbers in its wide layers take our own engines 1.5e-4 apart on the probes, in any format.
    command += ["--tolerance", "1e-3"] if "vgg" in name else []
    run = subprocess.run(command, text=True, capture_output=True)
    if run.returncode:
        return None, run.stderr.strip().removeprefix("export: ")
    expected = ours(folders, head, root)
    paths = [(root / "data" / file).resolve() for file in expected[1]]
    kind, logits, labels = (opened if to == "hf" else loaded)(model, paths)
    assert labels == ["a", "b"], labels
    largest = np.abs(expected[0]).max()
    assert largest > 1e-2, "the logits are next to nothing"
    gap = np.abs(logits - expected[0]).max() / largest
    # What was written is what extract reads, with the same features.
    if to == "hf" and len(taps) == 1:
        again = root / "again.features"
        tools.tool("extract", root / "data", "-o", again, "--weights", model, "--tap", tap, "--force", "--quiet")
        (rows, *_), (back, *_) = tools.matrix(folders[0], root), tools.matrix(again, root)
        assert np.abs(rows - back).max() <= 1e-5 * max(np.abs(rows).max(), 1), "extract reads other features from the folder"
    return gap, kind


def ours(folders, head, root):
    """Our logits of each picture, in f64, and the pictures' paths."""
    matrices = [tools.matrix(folder, root) for folder in folders]
    rows = np.concatenate([rows for rows, *_ in matrices], 1)
    layer = load_file(head)
    weight, bias = (layer[f"layers.0.{part}"].double().numpy() for part in ("weight", "bias"))
    return rows.astype(np.float64) @ weight.T + bias, matrices[0][1]


def main():
    warnings.simplefilter("ignore")
    passed = failed = refused = 0
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        sources.pictures(root / "data" / "train", 6)
        print("| library | network | tap | format | opened by | largest difference |\n|---|---|---|---|---|---|", flush=True)
        for index, (name, tap, make) in enumerate(cells()):
            for to in ("hf", "torch") if name.startswith("torchvision") else ("hf",):
                label = f"{name} {tap} {to}"
                if wanted and not any(word in label for word in wanted):
                    continue
                scratch = root / f"cell{index}{to}"
                scratch.mkdir()
                try:
                    gap, what = check(name, tap, make, root, scratch, to)
                except Exception as error:
                    gap, what = float("inf"), (getattr(error, "stderr", None) or repr(error)).strip()[:300]
                row = f"| {name.replace(' ', ' | ', 1)} | {tap} | {to} |"
                if gap is None:
                    refused += 1
                    print(f"{row} refused: {what} | |", flush=True)
                else:
                    fine = gap <= TOLERANCE
                    passed, failed = passed + fine, failed + (not fine)
                    print(f"{row} {what} | {gap:.1e}{' |' if fine else ' BAD'}", flush=True)
    print(f"{refused} refused, {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
