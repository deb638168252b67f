"""Files that Keras writes, and features of them: ours against Keras' own, on its torch backend.

Applications get random weights and are saved in every way there is. Pictures have the size that the network takes, so that
resizing plays no role.

    keras_files.py [NAME …]     only these networks
"""

import os

os.environ["KERAS_BACKEND"] = "torch"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import logging
import pathlib
import sys
import tempfile

import h5py
import keras
import numpy as np
from keras import applications as apps
from PIL import Image

import pictures
import tools

logging.getLogger("absl").setLevel(logging.ERROR)
SQUEEZENET = tools.SHARED / "weights/squeezenet1_1.keras.h5"
COUNT = 4

# Our name and tap, Keras' builder and module, side of pictures.
NETWORKS = [
    ("vgg16", "gap", apps.VGG16, apps.vgg16, 224),
    ("vgg19", "gap", apps.VGG19, apps.vgg19, 224),
    ("keras_resnet50", "pooled", apps.ResNet50, apps.resnet, 224),
    ("keras_resnet101", "pooled", apps.ResNet101, apps.resnet, 224),
    ("keras_resnet152", "pooled", apps.ResNet152, apps.resnet, 224),
    ("keras_resnet50v2", "pooled", apps.ResNet50V2, apps.resnet_v2, 224),
    ("keras_resnet101v2", "pooled", apps.ResNet101V2, apps.resnet_v2, 224),
    ("keras_resnet152v2", "pooled", apps.ResNet152V2, apps.resnet_v2, 224),
    ("keras_densenet121", "pooled", apps.DenseNet121, apps.densenet, 224),
    ("keras_densenet169", "pooled", apps.DenseNet169, apps.densenet, 224),
    ("keras_densenet201", "pooled", apps.DenseNet201, apps.densenet, 224),
    ("keras_mobilenet", "pooled", apps.MobileNet, apps.mobilenet, 224),
    ("keras_mobilenet_v2", "pooled", apps.MobileNetV2, apps.mobilenet_v2, 224),
    ("keras_efficientnet_b0", "pooled", apps.EfficientNetB0, apps.efficientnet, 224),
    ("keras_efficientnet_b1", "pooled", apps.EfficientNetB1, apps.efficientnet, 240),
    ("keras_efficientnet_b2", "pooled", apps.EfficientNetB2, apps.efficientnet, 260),
    ("keras_efficientnet_b3", "pooled", apps.EfficientNetB3, apps.efficientnet, 300),
    ("keras_efficientnet_b4", "pooled", apps.EfficientNetB4, apps.efficientnet, 380),
    ("keras_efficientnet_b5", "pooled", apps.EfficientNetB5, apps.efficientnet, 456),
    ("keras_efficientnet_b6", "pooled", apps.EfficientNetB6, apps.efficientnet, 528),
    ("keras_efficientnet_b7", "pooled", apps.EfficientNetB7, apps.efficientnet, 600),
    ("keras_xception", "pooled", apps.Xception, apps.xception, 299),
    ("keras_inception_v3", "pooled", apps.InceptionV3, apps.inception_v3, 299),
]
# The ways to save; the first of these networks is saved in all, the others in the first two and the last in turn.
WAYS = [".weights.h5", ".keras", ".h5", ".2.h5", ".1.h5", ".part.weights.h5", ".part.h5", ".part.keras"]
# Before, such files do not say what layers are called.
if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 5):
    WAYS = [way for way in WAYS if not way.endswith(".weights.h5")]


def randomise(model, seed):
    """Numbers that keep activations in bounds, with every weight of a layer another."""
    random = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt_mean.assign(np.float32([0.485, 0.456, 0.406]))
            layer.adapt_variance.assign(np.float32([0.229, 0.224, 0.225]))
            continue
        for weight in layer.weights:
            last, shape = weight.name, weight.shape
            if last in ("gamma", "moving_variance"):
                weight.assign(random.uniform(0.5, 1.5, shape))
            elif last in ("beta", "bias", "moving_mean"):
                weight.assign(random.normal(0, 0.1, shape))
            else:
                fan = max(1, np.prod(shape[:-1])) if last != "depthwise_kernel" else shape[0] * shape[1]
                weight.assign(random.normal(0, 1, shape) * np.sqrt(2 / fan))


def application(build, side, seed):
    """An application without its top, with random weights, as Keras makes it for trained ones: EfficientNet differs then."""
    options = {"include_top": False, "pooling": "avg", "input_shape": (side, side, 3)}
    model = build(weights=None, **options)
    randomise(model, seed)
    if not build.__name__.startswith("EfficientNet"):
        return model
    files = keras.src.utils.file_utils
    kept, files.get_file = files.get_file, lambda *names, **more: path
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/m.weights.h5"
        model.save_weights(path)
        model = build(weights="imagenet", **options)
    files.get_file = kept
    return model


def legacy(model, path, spell):
    """As Keras 1 and 2 wrote: `spell` makes names of a layer's weights from the layer's name and Keras' names of them."""
    with h5py.File(path, "w", libver="earliest") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [spell(layer.name, weight.name) for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights):
                group[name] = keras.ops.convert_to_numpy(weight)


def keras1(layer, weight):
    old = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
    return f"{layer}_{old.get(weight, weight)}_1:0"


def save(model, path, way):
    if way == ".2.h5":
        legacy(model, path, lambda layer, weight: f"{layer}/{weight}:0")
    elif way == ".1.h5":
        legacy(model, path, keras1)
    elif way.startswith(".part"):
        whole = keras.Sequential([model, keras.layers.Dense(3), keras.layers.Dense(2)])
        whole.build((None, *model.input_shape[1:]))
        whole.save_weights(path) if way.endswith(".weights.h5") else whole.save(path)
    elif way == ".weights.h5":
        model.save_weights(path)
    else:
        model.save(path)


def scenes(folder, side):
    """Pictures as PNGs, and as one array."""
    for label in "ab":
        (folder / label).mkdir(parents=True, exist_ok=True)
    arrays = [pictures.scene(side, side, 700 + i, 3) for i in range(COUNT)]
    for i, array in enumerate(arrays):
        Image.fromarray(array).save(folder / f"{'ab'[2 * i // COUNT]}/{i}.png")
    return np.stack(arrays)


def compare(what, ours, theirs):
    """The largest difference, as a part of the largest feature."""
    worst = np.abs(ours - theirs).max() / np.abs(theirs).max()
    passed = ours.shape == theirs.shape and worst <= 1e-5
    print(f"{'ok  ' if passed else 'FAIL'} {what:<44} {worst:.1e}", flush=True)
    return passed


def squeezenet():
    """rcmalli's SqueezeNet 1.1 without its top, in Keras."""
    layers = keras.layers
    x = image = keras.Input((224, 224, 3))
    x = layers.Conv2D(64, 3, strides=2, activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for n, (squeeze, expand) in enumerate([(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)], 2):
        x = layers.Conv2D(squeeze, 1, activation="relu", name=f"fire{n}_squeeze1x1")(x)
        narrow = layers.Conv2D(expand, 1, activation="relu", name=f"fire{n}_expand1x1")(x)
        wide = layers.Conv2D(expand, 3, padding="same", activation="relu", name=f"fire{n}_expand3x3")(x)
        x = layers.Concatenate()([narrow, wide])
        if n in (3, 5):
            x = layers.MaxPooling2D(3, strides=2)(x)
    return keras.Model(image, layers.GlobalAveragePooling2D()(x))


def real_squeezenet(scratch):
    """A really trained file, which Keras 2 wrote."""
    model = squeezenet()
    with h5py.File(SQUEEZENET) as file:
        for layer in model.layers:
            if layer.weights:
                group = file[layer.name.replace("_", "/", 1)]
                layer.set_weights([group[name][()] for name in group.attrs["weight_names"]])
    images = scenes(scratch / "224", 224)
    theirs = model.predict(apps.imagenet_utils.preprocess_input(images.astype(np.float32)), verbose=0)
    tools.extract(scratch / "224", scratch / "f.features", "squeezenet1_1", "gap", SQUEEZENET, "--preprocess", "keras")
    return compare("squeezenet1_1.keras.h5", tools.matrix(scratch / "f.features", scratch)[0], theirs)


def network(scratch, at, name, tap, build, module, side):
    keras.utils.clear_session()
    if at % 2:
        keras.layers.Conv2D(1, 1), keras.layers.BatchNormalization()  # names are counted from elsewhere then
    if name == "vgg16":
        model = build(weights=None)
        randomise(model, at)
        inner = keras.Model(model.input, keras.layers.GlobalAveragePooling2D()(model.get_layer("block5_pool").output))
    else:
        inner = model = application(build, side, at)
    images = scenes(scratch / str(side), side)
    theirs = inner.predict(module.preprocess_input(images.astype(np.float32)), verbose=0)
    preprocess = ["--preprocess", "keras"] if not name.startswith("keras_") else []
    passed = []
    for way in WAYS if at in (1, 2) else [WAYS[at % len(WAYS)]]:
        path = scratch / f"{name}{way}"
        save(model, path, way)
        tools.extract(scratch / str(side), scratch / "f.features", name, tap, path, *preprocess)
        passed.append(compare(path.name, tools.matrix(scratch / "f.features", scratch)[0], theirs))
        if name == "vgg16":
            top = keras.Model(model.input, model.get_layer("fc2").output)
            logits = top.predict(module.preprocess_input(images.astype(np.float32)), verbose=0)
            tools.extract(scratch / str(side), scratch / "f.features", name, "fc7", path, *preprocess)
            passed.append(compare(f"{path.name}, fc2", tools.matrix(scratch / "f.features", scratch)[0], logits))
        path.unlink()
    return passed


def main():
    chosen = sys.argv[1:]
    passed = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        if SQUEEZENET.exists() and (not chosen or "squeezenet1_1" in chosen):
            passed.append(real_squeezenet(scratch))
        for at, row in enumerate(NETWORKS):
            if not chosen or row[0] in chosen:
                passed += network(scratch, at, *row)
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
