"""Preprocessing against Pillow and torchvision: `decode`, `prepare` and the normalised tensor, to the bit.

    .venv/bin/python tests/peers/preprocess.py [--images FOLDER] [--time FOLDER]

Run from the repository's root; builds and runs `crates/input/examples/prepare.rs` on the pictures of `pictures.py`
(and on real JPEGs, where a folder of them is given or lies in `../shared/data`). All must agree in every bit. Ends with
`N passed, M failed`; exits with 1 when anything failed.

Without torchvision, its Resize, CenterCrop, ToTensor and Normalize are emulated in numpy, and the output says so.
"""

import argparse
import collections
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from PIL import Image, ImageOps

import pictures

try:
    import torch
    import torchvision
    from torchvision import transforms
    from torchvision.transforms import functional
except ImportError:
    torch = None

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "divisor": 255.0, "channels": "rgb"}
PRESETS = {
    "imagenet": {"resize": {"shorter_side": 256}, "filter": "bilinear", "crop": [224, 224], **IMAGENET},
    "bicubic": {"resize": {"shorter_side": 235}, "filter": "bicubic", "crop": [224, 224], **IMAGENET},
    "padded": {"resize": {"shorter_side": 40}, "filter": "bicubic", "crop": [51, 64], **IMAGENET},
    "odd": {"resize": {"exact": [67, 90]}, "filter": "bilinear", "crop": [64, 63], **IMAGENET},
    "caffe": {"resize": {"exact": [224, 224]}, "filter": "bilinear", "crop": None, "channels": "bgr", "divisor": 1.0,
              "mean": [103.939, 116.779, 123.68], "std": [1.0, 1.0, 1.0]},
    "fast": {"resize": {"shorter_side": 256}, "filter": "bilinear", "crop": [224, 224], "decode": "fast", **IMAGENET},
    "fast-64": {"resize": {"shorter_side": 64}, "filter": "bicubic", "crop": [64, 64], "decode": "fast", **IMAGENET},
    "scaled": {"resize": {"exact": [31, 40]}, "filter": "bilinear", "crop": None, "grey16": "scale", **IMAGENET},
    "fast-odd": {"resize": {"exact": [19, 30]}, "filter": "bilinear", "crop": [19, 30], "decode": "fast", **IMAGENET},
}
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def decoded(data):
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


def scaled(data):
    """As `decoded`, but of 16-bit grey the high byte is kept."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    opened = Image.open(io.BytesIO(data))
    if not image.mode.startswith("I;16") and not (opened.format == "PPM" and image.mode == "I"):
        return image.convert("RGB")
    levels = np.asarray(image).astype(np.int64)
    if opened.format == "TIFF" and opened.tag_v2[262] == 0:
        levels = 65535 - levels
    return Image.fromarray((levels >> 8).astype(np.uint8)).convert("RGB")


def drafted(data, how):
    """As `decoded`, but drafted to what it will be resized to, and that size: (height, width)."""
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    height, width = target(upright.size, how)
    image = Image.open(io.BytesIO(data))
    turned = image.getexif().get(0x0112, 1) >= 5
    image.draft(None, (height, width) if turned else (width, height))
    return ImageOps.exif_transpose(image).convert("RGB"), (height, width)


def target(size, how):
    """(height, width) that a picture of this (width, height) is resized to."""
    width, height = size
    if "exact" in how["resize"]:
        return how["resize"]["exact"]
    short, long = min(width, height), max(width, height)
    size = how["resize"]["shorter_side"]
    longer = int(size * long / short)
    return (longer, size) if width <= height else (size, longer)


def prepared(data, image, how):
    """The peers' picture after Resize and CenterCrop, and their tensor: (h, w, 3) u8 and (3, h, w) f32."""
    resize = with_torchvision if torch else with_numpy
    if how.get("grey16") == "scale":
        image = scaled(data)
    if how.get("decode") == "fast":
        image, size = drafted(data, how)
        how = {**how, "resize": {"exact": size}}
    image = resize(image, how)
    pixels = np.asarray(image)
    order = pixels if how["channels"] == "rgb" else pixels[..., ::-1]
    if torch:
        tensor = torch.from_numpy(order.transpose(2, 0, 1).copy()).to(torch.float32).div(how["divisor"])
        if how["channels"] == "rgb" and how["divisor"] == 255.0:
            assert torch.equal(tensor, transforms.ToTensor()(image))
        return pixels, transforms.Normalize(how["mean"], how["std"])(tensor).numpy()
    mean, std = (np.float32(how[key])[:, None, None] for key in ("mean", "std"))
    return pixels, (order.transpose(2, 0, 1).astype(np.float32) / np.float32(how["divisor"]) - mean) / std


def with_torchvision(image, how):
    modes = {"bilinear": functional.InterpolationMode.BILINEAR, "bicubic": functional.InterpolationMode.BICUBIC}
    size = how["resize"].get("exact") or how["resize"]["shorter_side"]
    image = transforms.Resize(size, modes[how["filter"]], antialias=True)(image)
    return transforms.CenterCrop(how["crop"])(image) if how["crop"] else image


def with_numpy(image, how):
    height, width = target(image.size, how)
    image = image.resize((width, height), FILTERS[how["filter"]])
    if how["crop"] is None:
        return image
    crop_height, crop_width = how["crop"]
    if crop_width > width or crop_height > height:
        left, top = max(crop_width - width, 0) // 2, max(crop_height - height, 0) // 2
        image = image.crop((-left, -top, max(crop_width, width) - left, max(crop_height, height) - top))
        width, height = image.size
    top, left = round((height - crop_height) / 2.0), round((width - crop_width) / 2.0)
    return image.crop((left, top, left + crop_width, top + crop_height))


class Kind:
    """What has been seen of one kind of picture."""

    def __init__(self):
        self.count, self.wrong, self.first = 0, 0, ""
        self.largest = collections.Counter()
        self.differing = collections.Counter()
        self.sum = collections.Counter()
        self.bytes = collections.Counter()

    def compare(self, what, ours, theirs):
        """True where equal; the difference is counted."""
        if ours.shape != theirs.shape:
            self.first = self.first or f"{what}: {ours.shape} against {theirs.shape}"
            return False
        gap = np.abs(ours.astype(np.int16) - theirs)
        self.largest[what] = max(self.largest[what], int(gap.max()))
        self.differing[what] += int(np.count_nonzero(gap))
        self.sum[what] += int(gap.sum())
        self.bytes[what] += gap.size
        return not gap.any()

    def difference(self, what):
        if not self.bytes[what]:
            return "-"
        share, mean = self.differing[what] / self.bytes[what], self.sum[what] / self.bytes[what]
        return f"max {self.largest[what]:3}, {share:7.3%}, mean {mean:.4f}"


def check(binary, cases):
    """Compares every (name, bytes); returns how many passed and failed."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "in").mkdir()
        (folder / "out").mkdir()
        (folder / "presets.json").write_text(json.dumps(PRESETS))
        files = []
        for number, (_, data) in enumerate(cases):
            files.append(folder / "in" / str(number))
            files[-1].write_bytes(data)
        (folder / "list").write_text("".join(f"{file}\n" for file in files))
        subprocess.run([binary, folder / "list", folder / "presets.json", folder / "out"], check=True)
        kinds = collections.defaultdict(Kind)
        for number, (name, data) in enumerate(cases):
            kind = kinds[name]
            kind.count += 1
            right = one(kind, folder / "out" / str(number), data, 1 if name == "JXL lossy" else 0)
            kind.wrong += not right
    return report(kinds)


def one(kind, out, data, levels=0):
    """One picture; whether it is as it should be: in `levels` of 255 of the peer's, where that dithers what it decodes."""
    error = out.with_suffix(".error")
    if error.exists():
        kind.first = kind.first or error.read_text()
        return False
    theirs = decoded(data)
    file = out.with_suffix(".decoded").read_bytes()
    width, height = np.frombuffer(file[:8], "<u4")
    right = kind.compare("decoded", np.frombuffer(file[8:], np.uint8).reshape(height, width, 3), np.asarray(theirs))
    if levels:
        return kind.largest["decoded"] <= levels
    for name, how in PRESETS.items():
        pixels, tensor = prepared(data, theirs, how)
        u8 = np.frombuffer(out.with_suffix(f".{name}.u8").read_bytes(), np.uint8).reshape(pixels.shape)
        f32 = np.frombuffer(out.with_suffix(f".{name}.f32").read_bytes(), "<f4").reshape(tensor.shape)
        same = kind.compare("prepared", u8, pixels) and f32.tobytes() == tensor.astype("<f4").tobytes()
        if not same:
            kind.first = kind.first or f"preset {name} differs"
        right = right and same
    return right


def report(kinds):
    print(f"{'kind':26} {'pictures':>8} {'failed':>6}  decoded bytes, and prepared ones, that differ from the peers'")
    passed = failed = 0
    for name, kind in kinds.items():
        passed, failed = passed + kind.count - kind.wrong, failed + kind.wrong
        if kind.differing["decoded"] or kind.differing["prepared"]:
            says = f"{kind.difference('decoded')} | {kind.difference('prepared')}"
        else:
            says = "none" if not kind.wrong else ""
        print(f"{name:26} {kind.count:8} {kind.wrong:6}  {says} {kind.first}".rstrip())
    return passed, failed


def real_jpegs(folders, limit=100):
    for folder in folders:
        files = sorted(path for path in folder.rglob("*.jp*g"))
        for file in files[:: max(1, len(files) // limit)]:
            yield f"JPEG {folder.name}", file.read_bytes()


def speed(binary, folder, rounds=3):
    """One thread, ours and the peers', by turns in one run: the ratio of the sums of each image's best time."""
    if torch:
        torch.set_num_threads(1)
    files = sorted(path for path in folder.rglob("*.jp*g"))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "list").write_text("".join(f"{file}\n" for file in files))
        (scratch / "presets.json").write_text(json.dumps(PRESETS))
        runs = []
        for _ in range(rounds):
            command = [binary, scratch / "list", scratch / "presets.json"]
            names, *rows = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()
            ours = np.array([row.split() for row in rows], float)
            runs.append((ours, np.array([peers_times(file.read_bytes()) for file in files])))
    ours, theirs = (np.min(sides, axis=0).mean(axis=0) * 1e3 for sides in zip(*runs))
    print(f"\n{len(files)} JPEGs of {folder.name}, ms an image on one thread: ours, peers', ratio")
    for name, mine, other in zip(names.split(), ours, theirs):
        what = f"decode + {name[5:]}" if name.startswith("load:") else name
        print(f"  {what:20} {mine:8.3f} {other:8.3f} {other / mine:6.2f}")


def peers_times(data):
    """Seconds for one image: decoding, then for each preset resizing and both together."""
    resize = with_torchvision if torch else with_numpy
    start = time.perf_counter()
    image = decoded(data)
    decoding = time.perf_counter() - start
    times = [decoding]
    for name in sorted(PRESETS):
        start = time.perf_counter()
        resize(image, PRESETS[name])
        resizing = time.perf_counter() - start
        times += [resizing, decoding + resizing]
    return times


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--images", type=pathlib.Path, action="append", help="a folder of real JPEGs to compare")
    arguments.add_argument("--time", type=pathlib.Path, help="a folder of JPEGs to time, after the comparison")
    given = arguments.parse_args()
    binary = pathlib.Path("target/release/examples/prepare").resolve()
    if not binary.exists():
        sys.exit("preprocess.py: build our side first: cargo build --release --workspace --examples")
    shared = pathlib.Path("../shared/data")
    folders = given.images or [shared / name for name in ("flowers", "bccd") if (shared / name).is_dir()]
    peers = f"Pillow {Image.__version__}, " + (
        f"torchvision {torchvision.__version__}" if torch
        else "no torchvision: its arithmetic emulated in numpy")
    print(peers)
    warnings.simplefilter("ignore")
    passed, failed = check(binary, [*pictures.everything(), *real_jpegs(folders)])
    if given.time:
        speed(binary, given.time)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
