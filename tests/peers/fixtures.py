"""Writes `crates/input/tests/fixtures` and prints the table of `crates/input/tests/decode.rs`.

One small picture of each kind of `pictures.py`, with the FNV-1a digest of Pillow's RGB bytes, so that the Rust tests
stand alone. Run from the repository's root.
"""

import io
import pathlib
import re
import warnings

import numpy as np
from PIL import Image, ImageOps

import pictures

FOLDER = pathlib.Path("crates/input/tests/fixtures")


def fnv(data):
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return digest


def main():
    warnings.simplefilter("ignore")
    pictures.SIZES = [(13, 11)] * 6
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    seen = set()
    for name, data in pictures.everything():
        if name in seen or name == "JXL lossy" or len(data) > 4096:
            continue
        seen.add(name)
        image = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
        file = re.sub(r"[^a-z0-9]+", "-", name.lower())
        (FOLDER / file).write_bytes(data)
        print(f'    ("{file}", ({image.shape[1]}, {image.shape[0]}), 0x{fnv(image.tobytes()):016X}),')


if __name__ == "__main__":
    main()
