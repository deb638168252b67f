"""Opens an exported folder with the library that it is for. Job on standard input, logits on standard output.

The job is a line of JSON, and then, where samples are pictures, the bytes of prepared ones: f32, little-endian.
"""

import json
import os
import sys
import tempfile

# Whatever a library prints goes where errors go.
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

job = json.loads(sys.stdin.buffer.readline())
numbers = sys.stdin.buffer.read()

import numpy as np

folder = job["folder"]
trusts = {"trust_remote_code": True} if job["trusts"] else {}


def of_transformers():
    import transformers

    more = {}
    if job["exact"]:
        more["image_processor"] = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    run = transformers.pipeline("image-classification", model=folder, device="cpu", **more, **trusts)
    classes = [run.model.config.id2label[i] for i in range(run.model.config.num_labels)]
    name = f"transformers {transformers.__version__}"
    return name, classes, lambda x: run.model(pixel_values=x).logits, lambda path: run.preprocess(path)["pixel_values"]


def of_torchvision():
    import torch
    import torchvision
    from PIL import Image, ImageOps
    from safetensors.torch import load_file

    config = json.load(open(os.path.join(folder, "config.json")))
    model = torchvision.models.get_model(config["torchvision"], num_classes=len(config["classes"]), **config["arguments"])
    if config["torchvision"].startswith("squeezenet"):
        # A ReLU between the head and the mean.
        model.set_submodule("classifier.2", torch.nn.Identity())
    model.load_state_dict(load_file(os.path.join(folder, "model.safetensors")))
    model.eval()
    said, steps = config["pretrained_cfg"], torchvision.transforms
    crop = said["input_size"][1:]
    resized = [int(side / said["crop_pct"]) for side in crop]
    prepare = steps.Compose(
        [
            steps.Resize(resized if said["crop_mode"] == "squash" else resized[0], steps.InterpolationMode(said["interpolation"])),
            steps.CenterCrop(crop),
            steps.ToTensor(),
            steps.Normalize(said["mean"], said["std"]),
        ]
    )
    opened = lambda path: ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    return f"torchvision {torchvision.__version__}", config["classes"], model, lambda path: prepare(opened(path))[None]


def of_keras():
    import importlib.util

    # Whichever backend is there, unless one that is there was chosen.
    there = [name for name in ("tensorflow", "torch", "jax") if importlib.util.find_spec(name)]
    home = os.environ.get("KERAS_HOME", os.path.join(os.path.expanduser("~"), ".keras"))
    try:
        chosen = json.load(open(os.path.join(home, "keras.json"))).get("backend")
    except (OSError, ValueError):
        chosen = None
    if chosen not in there:
        os.environ.setdefault("KERAS_BACKEND", there[0] if there else "numpy")
    import keras
    from PIL import Image, ImageOps

    model = keras.models.load_model(os.path.join(folder, "model.keras"))
    logits = keras.Model(model.inputs, model.get_layer(job["keras"]["logits"]).output)

    def prepare(path):
        scope = {"image": ImageOps.exif_transpose(Image.open(path)).convert("RGB"), "Image": Image}
        exec(job["keras"]["lines"], scope)
        return np.asarray(scope["image"], dtype="f4")[None]

    classes = json.load(open(os.path.join(folder, "config.json")))["classes"]
    name = f"keras {keras.__version__} on {keras.backend.backend()}"
    return name, classes, lambda x: keras.ops.convert_to_numpy(logits(x, training=False)), prepare


def of_texts():
    """Whole texts, in batches that are padded."""
    import transformers

    run = transformers.pipeline("text-classification", model=folder, device="cpu", truncation=True, **trusts)
    classes = [run.model.config.id2label[i] for i in range(run.model.config.num_labels)]
    size = 16 if run.tokenizer.pad_token else 1

    def forward(texts):
        said = run(texts, top_k=None, function_to_apply="none", batch_size=size) if texts else []
        rows = [{each["label"]: each["score"] for each in row} for row in said]
        return [[row[name] for name in classes] for row in rows]

    return f"transformers {transformers.__version__}", classes, forward


def of_torch(opened):
    """Of a library on PyTorch, which takes tensors."""
    import torch

    torch.set_grad_enabled(False)
    name, classes, forward, prepare = opened()
    return name, classes, lambda x: forward(torch.as_tensor(x)), prepare


def answers():
    if job["kind"] == "texts":
        name, classes, forward = of_texts()
        return name, classes, forward(job["probes"]), forward(job["samples"])
    if job["kind"] == "keras":
        name, classes, forward, prepare = of_keras()
    else:
        name, classes, forward, prepare = of_torch(of_transformers if job["kind"] == "hf" else of_torchvision)
    prepared = np.frombuffer(numbers, "<f4").reshape(job["shape"])
    probes = [forward(each[None].copy())[0].tolist() for each in prepared]
    return name, classes, probes, [forward(prepare(path))[0].tolist() for path in job["samples"]]


with tempfile.TemporaryDirectory() as modules:
    # Code of the folder is copied there before it runs.
    os.environ["HF_MODULES_CACHE"] = modules
    name, classes, probes, samples = answers()
json.dump({"with": name, "classes": classes, "probes": probes, "samples": samples}, answer)
answer.close()
