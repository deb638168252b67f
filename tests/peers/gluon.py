"""MXNet's files: every array beside MXNet's own reading, and features of residual networks beside MXNet's and GluonCV's.

Networks have random weights. MXNet is no longer kept up and wants an old numpy, so that it has an environment of its own:
    make peers-gluon
Or run it from the repository's root, after `make` and `cargo build --release --workspace --examples`.
"""

import importlib.util
import pathlib
import sys
import tempfile

import mxnet as mx
import numpy as np
from mxnet.gluon.model_zoo import vision
from PIL import Image

import tools
from checkpoint_values import ours

ZOO = ["alexnet", "densenet121", "inceptionv3", "mobilenet1.0", "mobilenetv2_1.0", "resnet18_v1", "resnet50_v1", "resnet18_v2",
       "resnet50_v2", "squeezenet1.1", "vgg11", "vgg16_bn"]  # fmt: skip


def gluoncv(name):
    """GluonCV as a whole wants more packages than this file of it."""
    folder = pathlib.Path(importlib.util.find_spec("mxnet").origin).parents[1]
    spec = importlib.util.spec_from_file_location("resnetv1b", folder / "gluoncv/model_zoo/resnetv1b.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)()


def randomise(net, side):
    net.initialize(mx.init.Xavier(magnitude=2))
    net(mx.nd.zeros((1, 3, side, side)))
    random = np.random.default_rng(1)
    for name, parameter in net.collect_params().items():
        if name.endswith(("gamma", "running_var")):
            parameter.set_data(mx.nd.array(random.uniform(0.5, 1.25, parameter.shape)))
        elif name.endswith(("beta", "bias", "running_mean")):
            parameter.set_data(mx.nd.array(random.normal(0, 0.1, parameter.shape)))
    return net


def same(path, scratch):
    """What is wrong with our reading of a file; nothing where all is equal."""
    theirs = {name.split(":")[-1]: value.asnumpy().astype("<f4") for name, value in mx.nd.load(str(path)).items()}
    found = ours(path, scratch)
    if isinstance(found, str) or found.keys() != theirs.keys():
        return str(found)[:300]
    wrong = [name for name, value in theirs.items() if found[name][0] != value.shape or found[name][1].tobytes() != value.tobytes()]
    return ", ".join(wrong[:3])


def features(net, images):
    """What the last layer reads, of pictures at their own size but for a centre crop of 224."""
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    x = (images[:, 16:240, 16:240].astype(np.float64) / 255 - mean) / deviation
    x = mx.nd.array(x.transpose(0, 3, 1, 2))
    if hasattr(net, "features"):
        return net.features(x).asnumpy().reshape(len(images), -1)
    for part in [net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3, net.layer4]:
        x = part(x)
    return x.mean((2, 3)).asnumpy()


def main():
    passed = []

    def report(what, wrong):
        passed.append(not wrong)
        print(f"{'FAIL' if wrong else 'ok':5}{what}{': ' + wrong if wrong and wrong is not True else ''}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for name in ZOO:
            net = randomise(vision.get_model(name), 299 if name.startswith("inception") else 224)
            net.save_parameters(str(scratch / "w.params"))
            report(f"{name}, save_parameters", same(scratch / "w.params", scratch))
        net.hybridize()
        net(mx.nd.zeros((1, 3, 224, 224)))
        net.export(str(scratch / "net"))
        report(f"{name}, export", same(scratch / "net-0000.params", scratch))
        mx.nd.save(str(scratch / "w.params"), {str(np.dtype(t)): mx.nd.ones((3, 2), dtype=t) * 3 for t in ("float16", "float32", "float64")})
        report("floats of every size", same(scratch / "w.params", scratch))

        images = np.random.default_rng(7).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
        images = [Image.fromarray(image).resize((256, 256), Image.BICUBIC) for image in images]
        for i, image in enumerate(images):
            (scratch / "photos" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
            image.save(scratch / "photos" / "ab"[i % 2] / f"{i}.png")
        images = np.stack([np.asarray(image) for image in images[::2] + images[1::2]])
        for ours_name, net, theirs in [
            ("resnet18", vision.get_model("resnet18_v1"), "resnet18_v1"),
            ("resnet34", vision.get_model("resnet34_v1"), "resnet34_v1"),
            *((f"resnet{n}", gluoncv(f"resnet{n}_v1b"), f"resnet{n}_v1b") for n in (18, 34, 50, 101, 152)),
            *((f"resnet{n}d", gluoncv(f"resnet{n}_v1d"), f"resnet{n}_v1d") for n in (50, 101)),
        ]:
            randomise(net, 224).save_parameters(str(scratch / "w.params"))
            # 256×256 as it is, and its middle.
            flags = ["--preprocess", "imagenet"]
            tools.extract(scratch / "photos", scratch / "f.features", ours_name, "pooled", scratch / "w.params", *flags)
            found, expected = tools.matrix(scratch / "f.features", scratch)[0], features(net, images)
            worst = np.abs(found - expected).max() / np.abs(expected).max()
            report(f"{theirs} as {ours_name}: {worst:.1e} of the largest", bool(worst > 1e-5))
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed")
    sys.exit(not all(passed))


main()
