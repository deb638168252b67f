"""Rewrites the small HDF5 files in crates/weights/tests/fixtures: numbers by a formula, in every way in which Keras wrote them,
and files that are no weights. Needs h5py."""

import io
import json
import pathlib
import zipfile

import h5py
import numpy as np

FOLDER = pathlib.Path("crates/weights/tests/fixtures")
# A layer, its class in Keras 3, and its weights in Keras' order: name and shape.
LAYERS = [
    ("block1_conv1", "conv2d", [("kernel", (2, 3, 2, 4)), ("bias", (4,))]),
    ("block1_bn", "batch_normalization", [(w, (4,)) for w in ("gamma", "beta", "moving_mean", "moving_variance")]),
    ("conv_dw_1", "depthwise_conv2d", [("depthwise_kernel", (2, 2, 4, 1))]),
    ("sepconv", "separable_conv2d", [("depthwise_kernel", (2, 2, 4, 1)), ("pointwise_kernel", (1, 1, 4, 3))]),
    ("conv2d_7", "conv2d", [("kernel", (1, 1, 3, 2)), ("bias", (2,))]),
    ("conv2d_12", "conv2d", [("kernel", (1, 1, 2, 2)), ("bias", (2,))]),
    ("predictions", "dense", [("kernel", (2, 3)), ("bias", (3,))]),
]


def values(name, shape, dtype="f4"):
    """((37 i + length of the name) mod 101 - 50) / 64: whatever float holds them exactly."""
    i = np.arange(int(np.prod(shape)))
    return (((37 * i + len(name)) % 101 - 50) / 64).reshape(shape).astype(dtype)


def legacy(file, spell, layers, libver="earliest", **options):
    with h5py.File(file, "w", libver=libver) as h5:
        whole = options.pop("whole", False)
        root = h5.create_group("model_weights") if whole else h5
        if whole:
            h5.attrs["model_config"] = '{"class_name": "Functional"}'
        root.attrs["layer_names"] = [LAYERS[at][0].encode() for at in layers]
        for layer, _, weights in (LAYERS[at] for at in layers):
            group = root.create_group(layer)
            group.attrs["weight_names"] = [spell(layer, weight).encode() for weight, _ in weights]
            for weight, shape in weights:
                chunks = {"chunks": shape, **options} if options else {}
                group.create_dataset(spell(layer, weight), data=values(f"{layer}/{weight}", shape), **chunks)


def keras1(layer, weight):
    old = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
    return f"{layer}_{old.get(weight, weight)}_1:0"


def keras2(layer, weight):
    return f"{layer}/{weight}:0"


def keras3(file, layers, root="layers", named=True):
    with h5py.File(file, "w") as h5:
        counts = {}
        for layer, kind, weights in (LAYERS[at] for at in layers):
            count = counts[kind] = counts.get(kind, -1) + 1
            group = h5.create_group(f"{root}/{kind}{f'_{count}' if count else ''}/vars")
            if named:
                group.attrs["name"] = layer
            for i, (weight, shape) in enumerate(weights):
                group[str(i)] = values(f"{layer}/{weight}", shape)
        group = h5.create_group("optimizer/vars")
        if named:
            group.attrs["name"] = "adam"
        group["0"] = np.int64(7)


def zipped(path, config, weights, method):
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in [("metadata.json", b"{}"), ("config.json", config), ("model.weights.h5", weights.getvalue())]:
            archive.writestr(zipfile.ZipInfo(entry), data, method)


def config(layers):
    """What Keras says of a model with these layers, and with one that has no weights."""
    classes = {"conv2d": "Conv2D", "batch_normalization": "BatchNormalization", "depthwise_conv2d": "DepthwiseConv2D",
               "separable_conv2d": "SeparableConv2D", "dense": "Dense"}  # fmt: skip
    listed = [("InputLayer", "input")] + [(classes[LAYERS[at][1]], LAYERS[at][0]) for at in layers]
    listed = [{"module": "keras.layers", "class_name": kind, "config": {"name": name, "units": None}} for kind, name in listed]
    return json.dumps({"class_name": "Functional", "config": {"name": "functional", "layers": listed}})


def main():
    FOLDER.mkdir(exist_ok=True)
    legacy(FOLDER / "keras1.h5", keras1, [0, 1, 6])
    legacy(FOLDER / "keras2.h5", keras2, [2, 3, 4, 5])
    legacy(FOLDER / "whole.h5", keras2, [0, 1], whole=True)
    legacy(FOLDER / "latest.h5", keras2, range(7), libver="latest")
    legacy(FOLDER / "packed.h5", keras2, [0], compression="gzip", shuffle=True, fletcher32=True)
    keras3(FOLDER / "keras3.weights.h5", [0, 1, 3])
    for name, method, layers in [("stored", zipfile.ZIP_STORED, [1, 3]), ("deflated", zipfile.ZIP_DEFLATED, range(7))]:
        memory = io.BytesIO()
        keras3(memory, layers)
        zipped(FOLDER / f"{name}.keras", b"{}", memory, method)
    keras3(FOLDER / "unnamed.weights.h5", [0, 1], named=False)
    for name, root, layers in [("keras3_0", "layers", range(7)), ("keras2_15", "_layer_checkpoint_dependencies", [5, 1, 4])]:
        memory = io.BytesIO()
        keras3(memory, layers, root, named=False)
        zipped(FOLDER / f"{name}.keras", config(layers), memory, zipfile.ZIP_DEFLATED)

    with h5py.File(FOLDER / "numbers.h5", "w", libver="earliest") as h5:
        for name in ("f2", "f4", "f8", ">f2", ">f4", ">f8"):
            h5[name] = values("n", (2, 5), name)
        h5["chunks"] = values("chunks", (0,))
        h5["scalar"] = np.float32(0.5)
        for name in ("i4", "u1", "i8"):
            h5[name] = np.arange(3, dtype=name)
        h5["text"] = "hello"
        h5["nan"] = np.float32([0, np.nan])
        h5["huge"] = np.float64([1e300])
        bfloat16 = h5py.h5t.IEEE_F32LE.copy()
        bfloat16.set_fields(15, 7, 8, 0, 7)
        bfloat16.set_size(2)
        bfloat16.set_ebias(127)
        space = h5py.h5s.create_simple((4,))
        data = h5py.h5d.create(h5.id, b"bf2", bfloat16, space)
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.float32([0.5, -2, 3, 0.0078125]), h5py.h5t.NATIVE_FLOAT)
        h5.create_dataset("grown", data=values("grown", (5, 7)), chunks=(2, 3), maxshape=(None, None))

    with h5py.File(FOLDER / "circle.h5", "w", libver="earliest") as h5:
        h5.create_group("a/b")["root"] = h5["/"]
    with h5py.File(FOLDER / "deep.h5", "w", libver="latest") as h5:
        h5.create_group("/".join("abcdefgh" * 5))["x"] = np.float32(1)
    with h5py.File(FOLDER / "dense.h5", "w", libver="latest") as h5:
        for i in range(9):
            h5.create_group(f"g{i}")
    with h5py.File(FOLDER / "vast.h5", "w", libver="latest") as h5:
        h5.create_dataset("sparse", (1 << 40, 4), "f4", chunks=(1024, 4))
        h5.create_dataset("empty", (1 << 20, 1 << 20), "f4")
        h5.create_dataset("bomb", data=np.zeros(1 << 20, "f4"), chunks=(1 << 20,), compression="gzip", compression_opts=9)
    with h5py.File(FOLDER / "outside.h5", "w", libver="earliest") as h5:
        h5.create_dataset("raw", (4,), "f4", external=[("../Cargo.toml", 0, 16)])
        h5["link"] = h5py.ExternalLink("keras1.h5", "/block1_conv1")
        h5["soft"] = h5py.SoftLink("/nowhere")
        h5["around"] = h5py.SoftLink("/around")
        h5["x"] = np.float32(2)


main()
