#!/usr/bin/env python3
"""Runs crates/train's networks in PyTorch, from the same graph and weights, and compares outputs and gradients with autograd's.

Needs PyTorch, and
    cargo build --release --workspace --examples
Run from the project's root: .venv/bin/python tests/peers/gradients.py

There is a network for each operation, and the last stage of one of each family. Each operation is PyTorch's own, in float64, and knows
nothing of ours but the graph. Every gradient must be autograd's within a relative L2 error of 1e-4.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open

BINARY = "target/release/examples/gradients"
LIMIT = 1e-4


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def padded(x, padding, value=0.0):
    top, left, bottom, right = [padding] * 4 if isinstance(padding, int) else padding
    return F.pad(x, (left, right, top, bottom), value=value)


def activation(x, function):
    if isinstance(function, dict):
        (name, how), = function.items()
        return {
            "leaky_relu": lambda: F.leaky_relu(x, how["slope"]),
            "elu": lambda: F.elu(x, how["alpha"]),
            "clip": lambda: torch.clamp(x, how["low"], how["high"]),
        }[name]()
    return {
        "relu": F.relu,
        "relu6": F.relu6,
        "gelu": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
        "silu": F.silu,
        "sigmoid": torch.sigmoid,
        "hard_sigmoid": F.hardsigmoid,
        "hard_swish": F.hardswish,
        "tanh": torch.tanh,
        "softplus": F.softplus,
        "mish": F.mish,
    }[function](x)


def channels_last(x):
    """Maps (n, c, h, w) with channels at the end; everything else has them there."""
    return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


def channels_back(x, like):
    return x.permute(0, 3, 1, 2) if like.dim() == 4 else x


def layer_norm(x, weight, bias, eps):
    return channels_back(F.layer_norm(channels_last(x), weight.shape, weight, bias, eps), x)


def pool(x, op, kind):
    kernel, stride = pair(op["kernel"]), pair(op["stride"])
    top, left, bottom, right = [op["padding"]] * 4 if isinstance(op["padding"], int) else op["padding"]
    assert (top, left) == (bottom, right), "a pool's padding is symmetric here"
    if kind == "max_pool":
        return F.max_pool2d(x, kernel, stride, (top, left), ceil_mode=op["ceil"])
    counted = op.get("count_include_pad", False)
    return F.avg_pool2d(x, kernel, stride, (top, left), ceil_mode=op["ceil"], count_include_pad=counted)


def heads_of(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attend(q, k, v, heads, bias=None, scale=None):
    """(n, m, d) each."""
    q, k, v = (heads_of(x, heads) for x in (q, k, v))
    scores = q @ k.transpose(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    scores = scores if bias is None else scores + bias
    return (torch.softmax(scores, -1) @ v).transpose(1, 2).flatten(2)


def attention(inputs, op, param):
    x = inputs[0]
    tokens = [y.flatten(2).transpose(1, 2) if y.dim() == 4 else y for y in inputs]
    if len(tokens) == 1:
        q, k, v = tokens[0].chunk(3, -1)
    else:
        # Keys may be the values.
        q, d = tokens[0], tokens[0].shape[-1]
        k, v = tokens[1][..., :d], tokens[1][..., -d:]
    bias = None if op.get("bias") is None else param(op["bias"])
    out = attend(q, k, v, op["heads"], bias)
    return out.transpose(1, 2).unflatten(2, x.shape[2:]) if x.dim() == 4 else out


def window_attention(x, op, table):
    """torchvision's shifted windows, with -inf for what is not seen."""
    n, _, height, width = x.shape
    side, heads = op["window"], op["heads"]
    shift = [0 if length <= side else op["shift"] for length in (height, width)]
    x = torch.roll(x.permute(0, 2, 3, 1), (-shift[0], -shift[1]), (1, 2))
    down, across = height // side, width // side

    def windows(x):
        return x.view(-1, down, side, across, side, x.shape[-1]).permute(0, 1, 3, 2, 4, 5).flatten(3, 4).flatten(0, 2)

    rows = windows(x)
    at = torch.arange(side)
    y, x_ = torch.meshgrid(at, at, indexing="ij")
    places = torch.stack([y.flatten(), x_.flatten()])
    apart = places[:, :, None] - places[:, None, :] + side - 1
    bias = table[apart[0] * (2 * side - 1) + apart[1]].permute(2, 0, 1)
    region = torch.zeros(1, height, width, 1)
    for which, length in enumerate((height, width)):
        if shift[which]:
            cut = torch.zeros(length)
            cut[length - side : length - shift[which]] = 1
            cut[length - shift[which] :] = 2
            region = region + (3**which) * (cut[:, None] if which == 0 else cut[None, :])[None, :, :, None]
    region = windows(region).squeeze(-1)
    hidden = torch.where(region[:, :, None] == region[:, None, :], 0.0, -math.inf).to(table)
    q, k, v = rows.chunk(3, -1)
    mask = hidden.repeat(n, 1, 1)[:, None] + bias[None]
    out = attend(q, k, v, heads, mask)
    out = out.view(n, down, across, side, side, -1).permute(0, 1, 3, 2, 4, 5).reshape(n, height, width, -1)
    return torch.roll(out, tuple(shift), (1, 2)).permute(0, 3, 1, 2)


def bucket(apart, rows, farthest):
    """transformers' `_relative_position_bucket` of T5."""
    half = rows // 2
    bucket = (apart > 0).long() * half
    apart = apart.abs()
    exact = half // 2
    large = exact + (torch.log(apart.float() / exact) / math.log(farthest / exact) * (half - exact)).long()
    return bucket + torch.where(apart < exact, apart, torch.clamp(large, max=half - 1))


def text_attention(inputs, op, param):
    """Of one text, (1, n, d)."""
    heads, key_heads = op["heads"], op["key_heads"]
    if len(inputs) == 1:
        depth = inputs[0].shape[-1] // (heads + 2 * key_heads)
        q, k, v = inputs[0].split([heads * depth, key_heads * depth, key_heads * depth], -1)
    else:
        q, k, v = inputs
    n = q.shape[1]
    k, v = (x.unflatten(-1, (key_heads, -1)).repeat_interleave(heads // key_heads, 2).flatten(2) for x in (k, v))
    apart = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    reach = op.get("reach") or {}
    seen = torch.ones(n, n, dtype=torch.bool)
    if reach.get("back") is not None:
        seen &= apart >= -reach["back"]
    if reach.get("ahead") is not None:
        seen &= apart <= reach["ahead"]
    bias = torch.where(seen, 0.0, -math.inf).to(q)[None]
    if op.get("distances"):
        table = param(op["distances"]["table"])
        bias = bias + table[bucket(apart, table.shape[0], op["distances"]["farthest"])].permute(2, 0, 1)
    return attend(q, k, v, heads, bias, op.get("scale"))


def rotary(x, op):
    """Of one text, (1, n, d)."""
    depth, turned, n = op["depth"], op["turned"], x.shape[1]
    assert op.get("scaling") is None
    speeds = 1 / torch.tensor(float(op["theta"])) ** (torch.arange(0, turned, 2).float() / turned)
    angles = (torch.arange(n).float()[:, None] * speeds).double()
    cosine, sine = angles.cos()[None, :, None], angles.sin()[None, :, None]
    x = x.unflatten(-1, (-1, depth))
    own, rest = x[..., :turned], x[..., turned:]
    if op["pairs"] == "halves":
        a, b = own.chunk(2, -1)
        own = torch.cat([a * cosine - b * sine, b * cosine + a * sine], -1)
    else:
        a, b = own[..., ::2], own[..., 1::2]
        own = torch.stack([a * cosine - b * sine, b * cosine + a * sine], -1).flatten(-2)
    return torch.cat([own, rest], -1).flatten(2)


def tokens(x, op, param):
    n, d, height, width = x.shape
    prefix = torch.cat([param(id) for id in op["prefix"]], 1) if op["prefix"] else x.new_zeros(1, 0, d)
    positions, (rows, columns) = param(op["positions"]), op["grid"]
    own, places = positions.split([positions.shape[1] - rows * columns, rows * columns], 1)
    if (rows, columns) != (height, width):
        grid = places.transpose(1, 2).unflatten(2, (rows, columns))
        how = op["interpolation"]
        if how == "offset":
            scale = ((height + 0.1) / rows, (width + 0.1) / columns)
            grid = F.interpolate(grid, scale_factor=scale, mode="bicubic", align_corners=False)
        else:
            grid = F.interpolate(grid, (height, width), mode="bicubic", align_corners=False, antialias=how == "antialiased")
        places = grid.flatten(2).transpose(1, 2)
    prefix = torch.cat([prefix[:, : own.shape[1]] + own, prefix[:, own.shape[1] :]], 1)
    x = x.flatten(2).transpose(1, 2) + places
    return torch.cat([prefix.expand(n, -1, -1), x], 1)


def merge(x):
    x = F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))
    return torch.cat([x[:, :, dy::2, dx::2] for dx in (0, 1) for dy in (0, 1)], 1)


def response_norm(x, weight, bias, eps):
    """timm's GlobalResponseNorm, without the residual."""
    norms = x.norm(p=2, dim=(2, 3), keepdim=True)
    shares = norms / (norms.mean(1, keepdim=True) + eps)
    return x * shares * weight.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)



def run(graph, param, inputs):
    """One batch of pictures, or one text: what every output gives. A value's prefix is how many of its tokens stand for no place."""
    values, prefixes, given = [], [], iter(inputs)
    for node in graph["nodes"]:
        x = [values[at] for at in node["inputs"]]
        first = x[0] if x else None
        prefix = prefixes[node["inputs"][0]] if x else 0
        kind = node["op"]
        if kind in ("given", "input"):
            y = next(given)
            shape = node.get("shape", {})
            prefix = shape["tokens"]["prefix"] if "tokens" in shape else 0
        elif kind == "conv":
            bias = None if node["bias"] is None else param(node["bias"])
            dilation = pair(node.get("dilation", 1))
            y = F.conv2d(padded(first, node["padding"]), param(node["weight"]), bias, pair(node["stride"]), 0, dilation, node["groups"])
        elif kind == "batch_norm":
            ids = [node[name] for name in ("mean", "variance", "weight", "bias")]
            turned = channels_last(first)
            mean, variance, weight, bias = (param(id) for id in ids)
            y = channels_back((turned - mean) / torch.sqrt(variance + node["eps"]) * weight + bias, first)
        elif kind == "activation":
            y = activation(first, node["function"])
        elif kind in ("max_pool", "average_pool"):
            y = pool(first, node, kind)
        elif kind == "adaptive_average_pool":
            y = F.adaptive_avg_pool2d(first, (node["height"], node["width"]))
        elif kind in ("global_average_pool", "global_max_pool"):
            places = first.flatten(2).transpose(1, 2) if first.dim() == 4 else first[:, prefix:]
            y = places.mean(1) if kind == "global_average_pool" else places.amax(1)
        elif kind == "last_token":
            y = first[:, -1]
        elif kind == "token":
            y = first[:, node["index"]]
        elif kind == "normalize":
            y = F.normalize(first, eps=1e-12)
        elif kind == "flatten":
            y = first.flatten(1)
        elif kind == "linear":
            bias = None if node["bias"] is None else param(node["bias"])
            y = channels_back(F.linear(channels_last(first), param(node["weight"]), bias), first)
        elif kind == "add":
            y = x[0] + x[1]
        elif kind == "multiply":
            y = x[0] * x[1]
        elif kind == "concat":
            y = torch.cat(x, 1)
        elif kind == "layer_norm":
            y = layer_norm(first, param(node["weight"]), param(node["bias"]), node["eps"])
        elif kind == "rms_norm":
            weight = param(node["weight"])
            parts = first.unflatten(-1, (-1, len(weight)))
            y = F.rms_norm(parts, (len(weight),), weight, node["eps"]).flatten(2)
        elif kind == "rotary":
            y = rotary(first, node)
        elif kind == "text_attention":
            y = text_attention(x, node, param)
        elif kind == "response_norm":
            y = response_norm(first, param(node["weight"]), param(node["bias"]), node["eps"])
        elif kind == "scale":
            y = channels_back(channels_last(first) * param(node["weight"]).flatten(), first)
        elif kind == "gate":
            y = x[0] * x[1]
        elif kind == "tokens":
            y = tokens(first, node, param)
            prefix = y.shape[1] - first.shape[2] * first.shape[3]
        elif kind == "constant":
            y = param(node["value"]).expand(len(inputs[0]), -1, -1)
            prefix = y.shape[1]
        elif kind == "attention":
            y = attention(x, node, param)
        elif kind == "window_attention":
            y = window_attention(first, node, param(node["bias"]))
        elif kind == "channels":
            y = channels_back(channels_last(first)[..., node["start"] : node["end"]], first)
        elif kind == "shuffle":
            turned = channels_last(first)
            y = turned.unflatten(-1, (node["groups"], -1)).transpose(-1, -2).flatten(-2)
            y = channels_back(y, first)
        elif kind == "merge_patches":
            y = merge(first)
        else:
            sys.exit(f"no {kind} here")
        values.append(y)
        prefixes.append(prefix)
    return [values[at] for at in graph["outputs"]]


def error(got, expected):
    return float((got - expected).norm() / expected.norm().clamp(min=1e-30))


def compare(path):
    """The number of gradients, and the worst error of outputs and gradients, with its name."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        graph = json.loads(metadata["graph"])
        tensors = {name: file.get_tensor(name).double() for name in file.keys()}
    ends = [int(end) for end in metadata["ends"].split(",") if end]
    params = {at: tensors[f"param.{param['name']}"].requires_grad_() for at, param in enumerate(graph["params"])}
    count = sum(name.startswith("input.") for name in tensors)
    inputs = [tensors[f"input.{at}"].requires_grad_() for at in range(count)]
    # Texts one by one, since each is as long as it is.
    starts = [0, *ends[:-1]]
    batches = [[x[start:end][None] for x in inputs] for start, end in zip(starts, ends)] if ends else [inputs]
    runs = [run(graph, params.__getitem__, batch) for batch in batches]
    outputs = [torch.cat([output.flatten() for output in each]) for each in zip(*runs)]
    found = [(f"output {at}", error(tensors[f"output.{at}"], output.detach())) for at, output in enumerate(outputs)]
    sum((output * tensors[f"along.{at}"]).sum() for at, output in enumerate(outputs)).backward()
    # Where everything cancels, as behind a norm, no digit is left to compare.
    scale = max(float(leaf.grad.norm()) for leaf in [*params.values(), *inputs] if leaf.grad is not None)
    if scale == 0:
        sys.exit(f"{path.stem}: no gradient at all")
    gradients = 0
    for at, param in enumerate(graph["params"]):
        if (ours := tensors.get(f"gradient.{param['name']}")) is not None:
            gradients += 1
            theirs = params[at].grad
            if float(theirs.norm()) > 1e-6 * scale:
                found.append((param["name"], error(ours, theirs)))
            else:
                found.append((param["name"], float(ours.norm()) / scale))
        elif "running_" not in param["name"]:
            found.append((f"no gradient of {param['name']}", math.inf))
    for at, x in enumerate(inputs):
        gradients += 1
        found.append((f"input {at}", error(tensors[f"input_gradient.{at}"], x.grad)))
    return gradients, max(found, key=lambda pair: pair[1])


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([BINARY, folder], capture_output=True, text=True)
        if made.returncode:
            sys.exit(f"{BINARY}: {made.stderr}")
        print(f"{'network':>28} {'gradients':>9} {'worst':>8}")
        paths = sorted(Path(folder).glob("*.safetensors"))
        for path in paths:
            gradients, (name, worst) = compare(path)
            ok = worst <= LIMIT
            failed += not ok
            print(f"{path.stem:>28} {gradients:9} {worst:8.1e} {'' if ok else 'FAILED: ' + name}")
    print(f"{len(paths) - failed} passed, {failed} failed")
    sys.exit(failed > 0 or not paths)


if __name__ == "__main__":
    main()
