"""headstart_tiny: the network, its file, and how a photograph becomes its input."""
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models.resnet import BasicBlock

WIDTHS = (16, 48, 112, 224)
SIDE = 64
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


class HeadstartTiny(nn.Module):
    """torchvision's ResNet with one BasicBlock a stage, a stem for 64 x 64, and no classifier."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        before = WIDTHS[0]
        for stage, width in enumerate(WIDTHS, start=1):
            stride = 1 if stage == 1 else 2
            shortcut = None
            if stride != 1 or before != width:
                shortcut = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))
            self.add_module(f"layer{stage}", nn.Sequential(BasicBlock(before, width, stride, shortcut)))
            before = width
        # torchvision's initialisation of a ResNet.
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def grid(self, x):
        """x: (n, 3, 64, 64) normalised -> (n, 224, 4, 4)."""
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x):
        """x: (n, 3, 64, 64) normalised -> pooled (n, 224)."""
        return self.grid(x).mean((2, 3))


def save(network, path):
    state = OrderedDict(
        (name, tensor.detach().float().contiguous().clone())
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    )
    save_file(state, path, metadata={"format": "pt"})


def load(path):
    network = HeadstartTiny()
    missing, unexpected = network.load_state_dict(load_file(path), strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    return network.eval()


def fit_square(image, side=SIDE):
    """Shorter side to `side` (bilinear, antialiased), then the centre square; (side, side, 3) u8.

    The roundings are those of torchvision's Resize and CenterCrop.
    """
    image = image.convert("RGB")
    width, height = image.size
    short = min(width, height)
    width, height = int(side * width / short), int(side * height / short)
    image = image.resize((width, height), Image.BILINEAR)
    left, top = int(round((width - side) / 2.0)), int(round((height - side) / 2.0))
    return np.asarray(image.crop((left, top, left + side, top + side)))


def normalise(pixels):
    """(n, h, w, 3) u8 -> (n, 3, h, w) f32, channels last in memory (the faster order on a CPU)."""
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255)
    return x.sub_(MEAN).div_(STD)


def read_folder(folder):
    """folder/class/picture -> ((n, 64, 64, 3) u8, (n,) class numbers), classes and files in sorted order."""
    pictures, labels = [], []
    for label, kind in enumerate(sorted(p for p in Path(folder).iterdir() if p.is_dir())):
        for path in sorted(kind.iterdir()):
            pictures.append(fit_square(Image.open(path)))
            labels.append(label)
    return np.stack(pictures), np.array(labels)


@torch.inference_mode()
def features(network, pictures, batch=128):
    """(n, 64, 64, 3) u8 -> (n, 224) f32."""
    parts = [network(normalise(pictures[i : i + batch])) for i in range(0, len(pictures), batch)]
    return torch.cat(parts).numpy()
