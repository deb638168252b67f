#!/usr/bin/env python3
"""The whole recipe of headstart_tiny, in one command:

    python3 train.py --shared ../shared --scratch /tmp/headstart_tiny

1. Draw 24,000 pictures (pictures.py): crops of 364 blood-cell micrographs (bccd, MIT) and of
   2,428 chest X-rays (pneumonia_mnist, training part, CC BY 4.0), their colours varied, and
   scenes drawn by rule. The labels are not read. The flowers are never opened.
2. Ask three networks trained on ImageNet what they see: MobileNetV2 (Apache-2.0 / BSD-3),
   SqueezeNet 1.1 (Apache-2.0), ResNet-18 up to layer3 (BSD-3). They see 128 x 128 (ResNet-18: 64 x 64).
3. Train the student, at 64 x 64, to say the same through linear heads that are then dropped:
   both the average over the picture and each cell of a 4 x 4 grid. One picture thus teaches
   16 things, which matters where pictures are few.

Distillation on heavily varied crops of few pictures follows Asano and Saeed, "Extrapolating
from a single image to a thousand classes using distillation" (2021).
Seed 0 throughout; a thread count other than 1 may change the last digits.
Steps 1 and 2 are kept in the scratch folder and are not repeated.
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate, pad
from torchvision import models

import network as tiny
import pictures

SEED = 0
SCENES, VIEWS = 12000, 2
BATCH = 128
# The learning rate follows a cycle of 12 epochs. The committed weights are those after 10, where
# it has come down to a tenth: the last two were left out for want of time.
CYCLE_EPOCHS = 12
# A target's variance is about 1/200: unscaled heads would start, and jitter, far outside it.
HEAD_SCALE = 0.07
CELLS = 4  # the grid of targets is CELLS x CELLS, as large as the student's last map


def draw_pictures(shared, path):
    """(SCENES * VIEWS, 128, 128, 3) u8."""
    if not path.exists():
        painter = pictures.Painter(shared, SEED)
        part = path.with_suffix(".part")
        shape = (SCENES * VIEWS, pictures.SIDE, pictures.SIDE, 3)
        out = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
        for scene in range(SCENES):
            out[VIEWS * scene : VIEWS * (scene + 1)] = painter.views(scene, VIEWS)
        out.flush()
        part.rename(path)
    return np.load(path, mmap_mode="r")


def load_teacher(module, path):
    """Fill a torchvision module; the files lack only what is not used here."""
    missing, _ = module.load_state_dict(load_file(path), strict=False)
    unused = ("classifier", "layer4", "fc")
    assert all(k.startswith(unused) or k.endswith("num_batches_tracked") for k in missing), missing
    return module.eval()


def teachers(shared):
    """name -> (a network that gives a feature map, the side of its input)."""
    weights = Path(shared) / "weights"
    mobilenet = load_teacher(models.mobilenet_v2(), weights / "mobilenet_v2.features.safetensors")
    squeezenet = load_teacher(models.squeezenet1_1(), weights / "squeezenet1_1.safetensors")
    r = load_teacher(models.resnet18(), weights / "resnet18.layer1-3.safetensors")
    resnet = nn.Sequential(r.conv1, r.bn1, r.relu, r.maxpool, r.layer1, r.layer2, r.layer3)
    return {"mobilenet": (mobilenet.features, 128), "squeezenet": (squeezenet.features, 128), "resnet": (resnet, 64)}


@torch.inference_mode()
def ask_teachers(shared, drawn, scratch):
    """name -> (n, CELLS * CELLS, channels) f16: what each teacher sees in each cell."""
    answers = {}
    for name, (teacher, side) in teachers(shared).items():
        path = scratch / f"{name}.npy"
        if not path.exists():
            teacher = teacher.to(memory_format=torch.channels_last)
            out = None
            for i in range(0, len(drawn), 64):
                x = tiny.normalise(np.array(drawn[i : i + 64]))
                if side != x.shape[2]:
                    x = interpolate(x, size=(side, side), mode="bilinear", antialias=True)
                seen = adaptive_avg_pool2d(teacher(x), CELLS).flatten(2).transpose(1, 2).numpy()
                if out is None:
                    shape = (len(drawn), *seen.shape[1:])
                    out = np.lib.format.open_memmap(path.with_suffix(".part"), "w+", np.float16, shape)
                out[i : i + 64] = seen
            out.flush()
            path.with_suffix(".part").rename(path)
        answers[name] = np.load(path, mmap_mode="r")
    return answers


def principal(rows, keep):
    """A linear map onto `keep` standardised principal directions: (mean, matrix).

    Each direction is scaled by its eigenvalue to the power -1/4, half way to whitening: rare
    directions count, noise does not rule. The kept variances add up to 1, so that a squared
    error is the share left unexplained.
    """
    mean, std = rows.mean(0), rows.std(0) + 1e-3
    rows = (rows - mean) / std
    values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    values, vectors = values[::-1][:keep], vectors[:, ::-1][:, :keep]
    matrix = vectors * values**-0.25 / np.sqrt(np.sqrt(values).sum())
    return mean, (matrix / std[:, None]).astype(np.float32)


def targets(answers, path):
    """(n, d) f32 for the whole picture, (n, 16, e) f16 for its cells; each teacher has weight 1."""
    if path.exists():
        return torch.load(path)
    whole, cells = [], []
    for name, keep_whole, keep_cells in (("mobilenet", 256, 128), ("squeezenet", 160, 96), ("resnet", 192, 128)):
        seen = answers[name]
        pooled = np.concatenate([seen[i : i + 1000].astype(np.float32).mean(1) for i in range(0, len(seen), 1000)])
        mean, matrix = principal(pooled, keep_whole)
        whole.append((pooled - mean) @ matrix)
        mean, matrix = principal(seen[::4, ::3].astype(np.float32).reshape(-1, seen.shape[2]), keep_cells)
        part = [((seen[i : i + 1000] - mean) @ matrix).astype(np.float16) for i in range(0, len(seen), 1000)]
        cells.append(np.concatenate(part))
    both = torch.from_numpy(np.concatenate(whole, 1)), torch.from_numpy(np.concatenate(cells, 2))
    torch.save(both, path)
    return both


def train(small, whole, cells, epochs, save_to):
    """small: (n, 64, 64, 3) u8."""
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    student = tiny.HeadstartTiny().to(memory_format=torch.channels_last)
    heads = nn.ModuleList([nn.Linear(tiny.WIDTHS[-1], whole.shape[1]), nn.Linear(tiny.WIDTHS[-1], cells.shape[2])])
    parameters = [*student.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=3e-3, weight_decay=0.02)
    steps = len(small) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=CYCLE_EPOCHS * steps, pct_start=0.15)
    mirrored = torch.arange(CELLS * CELLS).view(CELLS, CELLS).flip(1).flatten()
    start = time.time()
    for epoch in range(epochs):
        order, total = rng.permutation(len(small)), np.zeros(2)
        for step in range(steps):
            rows = order[step * BATCH : (step + 1) * BATCH]
            x, whole_goal, cell_goal = tiny.normalise(small[rows]), whole[rows], cells[rows].float()
            # Mirroring and a small shift change what the teachers see so little that the
            # targets may stay; other changes were made before the teachers looked.
            if rng.random() < 0.5:
                x, cell_goal = x.flip(3), cell_goal[:, mirrored]
            dy, dx = rng.integers(0, 7, 2)
            x = pad(x, (3, 3, 3, 3), mode="reflect")[:, :, dy : dy + tiny.SIDE, dx : dx + tiny.SIDE]
            seen = student.grid(x.contiguous(memory_format=torch.channels_last)).flatten(2).transpose(1, 2)
            whole_loss = (HEAD_SCALE * heads[0](seen.mean(1)) - whole_goal).square().sum(1).mean() / 3
            cell_loss = (HEAD_SCALE * heads[1](seen) - cell_goal).square().sum(2).mean() / 3
            optimizer.zero_grad()
            (whole_loss + 0.5 * cell_loss).backward()
            optimizer.step()
            schedule.step()
            total += [whole_loss.item(), cell_loss.item()]
        tiny.save(student, save_to)
        left = total / steps
        print(f"epoch {epoch + 1}: unexplained {left[0]:.3f} whole, {left[1]:.3f} cells, {time.time() - start:.0f} s", flush=True)
    return student.eval()


@torch.inference_mode()
def write_probe(student, path):
    """An input by formula and the answer in float64, to check another implementation against."""
    c, y, x = np.meshgrid(np.arange(3), np.arange(tiny.SIDE), np.arange(tiny.SIDE), indexing="ij")
    wave = np.sin(0.1 * (c + 1) * x + 0.07 * y).astype(np.float32)
    pooled = student.double()(torch.from_numpy(wave.astype(np.float64))[None])[0]
    probe = {
        "input": "x[0, c, y, x] = sin(0.1 * (c + 1) * x + 0.07 * y), computed in f64, rounded to f32, used as the normalised input",
        "shape": [1, 3, tiny.SIDE, tiny.SIDE],
        "output": "pooled, computed in f64",
        "pooled": pooled.tolist(),
    }
    path.write_text(json.dumps(probe, indent=1) + "\n")


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", default="../shared", help="folder that holds data/ and weights/")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for about 4 GB of pictures and targets")
    parser.add_argument("--out", type=Path, default=here, help="folder for the weights and the probe")
    parser.add_argument("--epochs", type=int, default=10, help=f"at most {CYCLE_EPOCHS}")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.scratch.mkdir(parents=True, exist_ok=True)

    start = time.time()
    drawn = draw_pictures(args.shared, args.scratch / "pictures.npy")
    print(f"{len(drawn)} pictures, {time.time() - start:.0f} s", flush=True)
    whole, cells = targets(ask_teachers(args.shared, drawn, args.scratch), args.scratch / "targets.pt")
    print(f"targets {whole.shape[1]} + {cells.shape[2]} a cell, {time.time() - start:.0f} s", flush=True)
    small = np.stack([tiny.fit_square(Image.fromarray(picture)) for picture in drawn])
    weights = args.out / "headstart_tiny.safetensors"
    train(small, whole, cells, args.epochs, weights)
    # The probe speaks of the file, not of what memory holds.
    write_probe(tiny.load(weights), args.out / "probe.json")
    print(f"wrote {weights}, {weights.stat().st_size} bytes, {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
