"""What we read of a weight file."""

import subprocess

import numpy as np

import tools


def ours(path, scratch):
    """Tensors as (name, shape) → f32 array, or what is said of it; a text where the file is refused."""
    out = scratch / "values"
    run = subprocess.run([tools.BIN / "examples/tensors", path, out], text=True, capture_output=True)
    if run.returncode == 1:
        return run.stdout.strip()
    values, at, found = np.fromfile(out, "<f4"), 0, {}
    for line in run.stdout.splitlines():
        name, shape, error = line.split("\t")
        shape = tuple(map(int, shape.strip("[]").split(","))) if shape != "[]" else ()
        length = 0 if error else int(np.prod(shape))
        found[name] = (shape, error or values[at : at + length].reshape(shape))
        at += length
    assert at == len(values)
    return found
