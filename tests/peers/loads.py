#!/usr/bin/env python3
"""What `extract --list-backbones` says is loaded from each library: names and shapes as the library writes them.

For each network and each `yes`, the library builds the network without numbers, and a file of its names and shapes is made
whose data are a hole. `examples/loads` must say that this network is in it. timm must know each tag. Keras' column is
`keras_files.py`'s. Needs torch, torchvision, timm, transformers and open_clip; run from the repository's root, after `make`
and `cargo build --release --workspace --examples`.
"""

import json
import logging
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import open_clip
import timm
import torch
import torchvision
import transformers as hf
from transformers.core_model_loading import revert_weight_conversion

import tools

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
# Width, depth, heads, and numbers between the two dense layers.
SIZES = {
    "tiny": (192, 12, 3, 768),
    "small": (384, 12, 6, 1536),
    "base": (768, 12, 12, 3072),
    "base_plus": (896, 12, 14, 3584),
    "large": (1024, 24, 16, 4096),
    "so400m": (1152, 27, 16, 4304),
    "huge": (1280, 32, 16, 5120),
    "giant": (1408, 40, 16, 6144),
    "giantopt": (1536, 40, 16, 6144),
    "gigantic": (1664, 48, 16, 8192),
}
PROJECTED = {"base": 512, "base_plus": 640, "large": 768, "huge": 1024, "giant": 1024, "gigantic": 1280}


def transformer(name):
    """transformers' model of a Vision Transformer that bears a name of timm's."""
    size, patch, plus, side = re.match(r"(?:vit|deit)_([a-z0-9]+)_patch(\d+)(_plus)?.*?(?:_(\d+))?(?:\.|$)", name).groups()
    width, depth, heads, hidden = SIZES[size + (plus or "")]
    sizes = dict(hidden_size=width, num_hidden_layers=depth, num_attention_heads=heads, patch_size=int(patch))
    if "dinov2" in name:
        if size == "giant":
            sizes.update(hidden_size=1536, num_attention_heads=24, use_swiglu_ffn=True)
        return hf.Dinov2Model(hf.Dinov2Config(image_size=518, mlp_ratio=4, **sizes))
    sizes.update(intermediate_size=hidden, image_size=int(side))
    if "siglip" in name:
        return hf.SiglipModel(hf.SiglipConfig(vision_config=sizes))
    if "clip" in name:
        return hf.CLIPModel(hf.CLIPConfig(vision_config=sizes, projection_dim=PROJECTED[size + (plus or "")]))
    if name.endswith(".mae"):
        return hf.ViTMAEForPreTraining(hf.ViTMAEConfig(**sizes))
    return hf.ViTForImageClassification(hf.ViTConfig(num_labels=1000, **sizes))


CONVNEXT_V2 = {
    "atto": ([2, 2, 6, 2], 40), "femto": ([2, 2, 6, 2], 48), "pico": ([2, 2, 6, 2], 64), "nano": ([2, 2, 8, 2], 80),
    "tiny": ([3, 3, 9, 3], 96), "base": ([3, 3, 27, 3], 128), "large": ([3, 3, 27, 3], 192), "huge": ([3, 3, 27, 3], 352),
}


def of_transformers(name):
    if name.startswith("resnet"):
        depths = {"18": [2, 2, 2, 2], "34": [3, 4, 6, 3], "50": [3, 4, 6, 3], "101": [3, 4, 23, 3], "152": [3, 8, 36, 3]}[name[6:]]
        basic = name in ("resnet18", "resnet34")
        widths = [64, 128, 256, 512] if basic else [256, 512, 1024, 2048]
        kind = "basic" if basic else "bottleneck"
        return hf.ResNetForImageClassification(hf.ResNetConfig(layer_type=kind, depths=depths, hidden_sizes=widths))
    if name.startswith("regnet"):
        with torch.device("cpu"):
            stages = list(torchvision.models.get_model(name).trunk_output)
        inner = stages[-1][0].f.b[0]
        sizes = dict(depths=[len(stage) for stage in stages], hidden_sizes=[stage[0].f.c[0].out_channels for stage in stages])
        return hf.RegNetForImageClassification(
            hf.RegNetConfig(layer_type=name[7], groups_width=inner.in_channels // inner.groups, embedding_size=32, **sizes)
        )
    if name.startswith("convnextv2_"):
        depths, width = CONVNEXT_V2[name.split("_")[1].split(".")[0]]
        sizes = [width << stage for stage in range(4)]
        return hf.ConvNextV2ForImageClassification(hf.ConvNextV2Config(depths=depths, hidden_sizes=sizes))
    if name.startswith("convnext_"):
        depths, width = {"t": ([3, 3, 9, 3], 96), "s": ([3, 3, 27, 3], 96), "b": ([3, 3, 27, 3], 128), "l": ([3, 3, 27, 3], 192)}[name[9]]
        sizes = [width << stage for stage in range(4)]
        return hf.ConvNextForImageClassification(hf.ConvNextConfig(depths=depths, hidden_sizes=sizes))
    if name.startswith("swin_"):
        depths, width = {"t": ([2, 2, 6, 2], 96), "s": ([2, 2, 18, 2], 96), "b": ([2, 2, 18, 2], 128)}[name[5]]
        heads = [width // 32 << stage for stage in range(4)]
        return hf.SwinForImageClassification(hf.SwinConfig(depths=depths, embed_dim=width, num_heads=heads))
    return transformer(name)


def of_open_clip(name):
    pattern = r"vit_([a-z0-9]+)_patch(\d+)(_plus)?_(clip|siglip)(_quickgelu)?_(\d+)"
    size, patch, plus, kind, quick, side = re.match(pattern, name).groups()
    sizes = {"so400m": "SO400M", "giant": "g", "giantopt": "gopt", "gigantic": "bigG"}
    ending = (plus or "").replace("_", "-")
    if kind == "siglip":
        ending += "-SigLIP"
    if f"{plus}{side}" != "None224":
        ending += f"-{side}"
    ending += (quick or "").replace("_", "-")
    wanted = f"ViT-{sizes.get(size, size[0].upper())}-{patch}{ending}"
    # Some are there of the second SigLIP alone, or of those who trained towers of that size.
    others = [wanted, wanted.replace("SigLIP", "SigLIP2"), wanted.replace("-378", "-worldwide-378")]
    return open_clip.create_model(next(name for name in others if name in open_clip.list_models()), device="meta")


def of_torchvision(name):
    # Some fill their parameters in ways that need them.
    where = "cpu" if name.startswith(("regnet", "efficientnet_v2", "maxvit")) else "meta"
    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    with torch.device(where):
        return torchvision.models.get_model(name, **more)


LIBRARIES = {"torchvision": of_torchvision, "timm": timm.create_model, "transformers": of_transformers, "open_clip": of_open_clip}


def state(library, name):
    with torch.device("meta"):
        model = LIBRARIES[library](name)
    tensors = model.state_dict()
    # Names in files are not those in memory since transformers 5.
    return revert_weight_conversion(model, tensors) if library == "transformers" else tensors


def write(path, tensors):
    """A safetensors file of these names and shapes, and no numbers: it takes no room."""
    header, end = {}, 0
    for name, tensor in tensors.items():
        begin, end = end, end + 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


def main():
    lines = subprocess.run([tools.BIN / "extract", "--list-backbones"], check=True, capture_output=True, text=True).stdout.splitlines()
    columns = lines[0].split()
    at = lines[0].index("timm's tags")
    only = sys.argv[1:]
    passed = failed = 0
    known = set(timm.list_models(pretrained=True)) | set(timm.list_pretrained())
    with tempfile.TemporaryDirectory() as scratch:
        for line in lines[1:]:
            cells = line.split()
            name = cells[0]
            if only and name not in only:
                continue
            said = [column for column, cell in zip(columns, cells) if cell == "yes" and column in LIBRARIES]
            found = {}
            for library in said:
                path = pathlib.Path(scratch, "model.safetensors")
                write(path, state(library, name))
                out = subprocess.run([tools.BIN / "examples/loads"], input=f"{name}\t{path}\n", capture_output=True, text=True)
                found[library] = out.stdout.strip().split("\t")[-1] or out.stderr.strip()
            tags = [tag.strip() for tag in line[at:].split(",") if tag.strip() and not tag.strip().startswith("(")]
            plain = name.split(".")[0]
            strange = [tag for tag in tags if f"{plain}.{tag}" not in known]
            good = not strange and all(how in (library, "torchvision") for library, how in found.items())
            passed, failed = passed + good, failed + (not good)
            print(f"{'ok  ' if good else 'FAIL'} {name}: {', '.join(said) or 'none'}" + ("" if good else f" {found} {strange}"), flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
