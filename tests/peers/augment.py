"""Augmented views against Pillow: crops, mirrored copies, brightness, contrast and saturation, to the bit.

    .venv/bin/python tests/peers/augment.py

Run from the repository's root; runs `crates/input/examples/augment.rs` on the fixtures of the decoder's
tests and on made-up pictures, and does what was drawn there with Pillow's `Image.crop`, `Image.resize`,
`ImageOps.mirror` and `ImageEnhance`. Ends with `N passed, M failed`; exits with 1 when anything failed.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

FIXTURES = pathlib.Path("crates/input/tests/fixtures")
NAMES = ["jpeg-4-2-0", "jpeg-4-4-0", "jpeg-exif", "jpeg-cmyk", "png-rgb"]
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
ENHANCE = {"Brightness": ImageEnhance.Brightness, "Contrast": ImageEnhance.Contrast, "Saturation": ImageEnhance.Color}
VIEWS = 24


def made(folder):
    """Noise, gradients and a strip, as PNG files."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (150, 200, 3), np.uint8)
    x, y = np.meshgrid(np.arange(180), np.arange(240))
    waves = np.stack([x * 255 // 179, y * 255 // 239, (x * y) % 256], axis=-1).astype(np.uint8)
    dark = random.integers(0, 40, (90, 300, 3), np.uint8)
    for name, pixels in {"noise": noise, "waves": waves, "dark": dark, "strip": noise[:9]}.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
        yield folder / f"{name}.png"


def view(path, drawn, how):
    """What Pillow makes of a picture, given what was drawn."""
    window, mirrored, *changes = drawn.strip().split(",")
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB").crop(tuple(map(int, window.split())))
    height, width = how["crop"]
    image = image.resize((width, height), FILTERS[how["filter"]])
    if mirrored == "mirrored":
        image = ImageOps.mirror(image)
    for change in changes:
        kind, factor = change.split()
        image = ENHANCE[kind](image).enhance(int(factor) / 256)
    return np.asarray(image)


def main():
    binary = pathlib.Path("target/release/examples/augment")
    if not binary.exists():
        sys.exit("augment.py: build our side first: cargo build --release --workspace --examples")
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        paths = [FIXTURES / name for name in NAMES] + list(made(scratch))
        (scratch / "list").write_text("".join(f"{path}\n" for path in paths))
        views = {"count": VIEWS, "augment": ["flip", "crop", "colour"], "seed": 3}
        (scratch / "views").write_text(json.dumps(views))
        for kernel in FILTERS:
            how = {"resize": {"shorter_side": 64}, "filter": kernel, "crop": [56, 64], "channels": "rgb",
                   "divisor": 255.0, "mean": [0.5] * 3, "std": [0.5] * 3}
            (scratch / "how").write_text(json.dumps(how))
            out = scratch / kernel
            out.mkdir()
            arguments = [scratch / name for name in ("list", "how", "views")] + [out]
            subprocess.run([binary, *arguments], check=True)
            for i, path in enumerate(paths):
                for number in range(1, VIEWS):
                    ours = np.fromfile(out / f"{i}.{number}.u8", np.uint8).reshape(56, 64, 3)
                    theirs = view(path, (out / f"{i}.{number}.drawn").read_text(), how)
                    same = np.array_equal(ours, theirs)
                    passed, failed = passed + same, failed + (not same)
                    if not same:
                        gap = np.abs(ours.astype(int) - theirs).max()
                        print(f"{path}, {kernel}, view {number}: differs by up to {gap}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
