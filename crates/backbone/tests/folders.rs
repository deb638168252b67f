//! Folders as on the Hugging Face hub: which network and recipe they are, and one line for what is not known.

#![expect(clippy::unwrap_used, reason = "tests")]

use headstart_backbone::{Backbone, BackboneError, Wanted, again, find};
use input::{
    Recipe,
    image::{CropRounding, Filter, Preprocessing, Resize},
};
use network::{Network, zoo};
use safetensors::{Dtype, serialize_to_file, tensor::TensorView};
use std::{fs, path::Path};

/// Writes every parameter of a network, all ones, under our own names below `prefix`.
fn weights(network: &Network, prefix: &str, path: &Path) {
    let most = network.params().iter().map(network::Param::len).max().unwrap();
    let ones: Vec<u8> = (0..most).flat_map(|_| half::f16::ONE.to_le_bytes()).collect();
    let views = network.params().iter().map(|param| {
        let view = TensorView::new(Dtype::F16, param.shape.clone(), &ones[..2 * param.len()]).unwrap();
        (format!("{prefix}{}", param.name), view)
    });
    serialize_to_file(views, None, path).unwrap();
}

fn found(path: &Path) -> Result<Backbone, BackboneError> {
    find(Wanted { name: None, weights: Some(path), taps: &[], size: None, prepared: false })
}

fn recipe(backbone: &Backbone) -> Preprocessing {
    let Some(Recipe::Image(how)) = backbone.recipe.clone() else { panic!("no recipe") };
    how
}

const SMALL: &str =
    r#""hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 96"#;

#[test]
fn transformers_configurations_are_networks() {
    let vit = format!(
        r#"{{"model_type": "vit", "architectures": ["ViTForImageClassification"], {SMALL}, "id2label": {{"0": "a", "1": "b", "2": "c"}}}}"#
    );
    let clip = format!(
        r#"{{"model_type": "clip", "vision_config": {{{SMALL}, "patch_size": 32}}, "projection_dim": 24}}"#
    );
    let dino = r#"{"model_type": "dinov2", "hidden_size": 48, "num_hidden_layers": 1, "num_attention_heads": 3, "image_size": 518}"#;
    let resnet = r#"{"model_type": "resnet", "depths": [1, 1, 1, 1]}"#;
    let regnet = r#"{"model_type": "regnet", "depths": [1, 1, 1, 1], "hidden_sizes": [16, 32, 48, 64], "groups_width": 16}"#;
    let convnext = r#"{"model_type": "convnext", "depths": [1, 1, 1, 1], "hidden_sizes": [16, 32, 48, 64]}"#;
    let swin =
        r#"{"model_type": "swin", "embed_dim": 32, "depths": [1, 1, 1, 1], "num_heads": [1, 2, 4, 8]}"#;
    let siglip = format!(r#"{{"model_type": "siglip_vision_model", {SMALL}}}"#);
    let registers =
        format!(r#"{{"model_type": "dinov2_with_registers", {SMALL}, "num_register_tokens": 2}}"#);
    let gated = r#"{"model_type": "dinov2", "hidden_size": 48, "num_hidden_layers": 1, "num_attention_heads": 3, "use_swiglu_ffn": true}"#;
    let [deit, mae, msn] =
        ["deit", "vit_mae", "vit_msn"].map(|kind| format!(r#"{{"model_type": "{kind}", {SMALL}}}"#));
    for (config, name, width, taps) in [
        (vit.as_str(), "vit", 48, &["cls", "logits", "patch_mean", "pooled"][..]),
        (&clip, "clip", 48, &["cls", "patch_mean", "pooled", "projected"]),
        (dino, "dinov2", 48, &["cls", "patch_mean", "pooled"]),
        (&siglip, "siglip", 48, &["patch_mean", "pooled"]),
        (&registers, "dinov2_with_registers", 48, &["cls", "patch_mean", "pooled"]),
        (gated, "dinov2", 48, &["cls", "patch_mean", "pooled"]),
        (&deit, "deit", 48, &["cls", "logits", "patch_mean", "pooled"]),
        (&mae, "vit_mae", 48, &["cls", "patch_mean", "pooled"]),
        (&msn, "vit_msn", 48, &["cls", "logits", "patch_mean", "pooled"]),
        (resnet, "resnet", 2048, &["gap", "layer1", "layer2", "layer3", "layer4", "logits", "pooled"]),
        (regnet, "regnet", 64, &["block1", "block2", "block3", "block4", "gap", "logits", "pooled"]),
        (convnext, "convnext", 64, &["gap", "logits", "pooled", "stage1", "stage2", "stage3", "stage4"]),
        (swin, "swin", 256, &["gap", "logits", "pooled", "stage1", "stage2", "stage3", "stage4"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        // Nothing to learn the network's parameters from yet.
        let missing = found(folder.path()).unwrap_err().to_string();
        assert!(missing.contains("the folder has no file such as model.safetensors"), "{missing}");
        fs::write(folder.path().join("model.safetensors"), two_bytes()).unwrap();
        let backbone = found(folder.path()).unwrap();
        weights(&backbone.network, "model.", &folder.path().join("model.safetensors"));
        let backbone = found(folder.path()).unwrap();
        assert_eq!((backbone.name.as_str(), backbone.default_tap.as_str()), (name, "pooled"));
        assert_eq!(
            backbone.bind(&["pooled"]).unwrap().network().widths(224, 224).unwrap(),
            [width],
            "{name}"
        );
        let mut there: Vec<&str> = backbone.network.taps().iter().map(|tap| tap.name.as_str()).collect();
        there.sort_unstable();
        assert_eq!(there, taps, "{name}");
        assert!(backbone.recipe.is_none(), "nothing says how pictures are made");
        if name == "vit" {
            assert_eq!(backbone.bind(&["logits"]).unwrap().network().widths(224, 224).unwrap(), [3]);
        }
    }
}

/// A safetensors file without a tensor.
fn two_bytes() -> Vec<u8> {
    [2_u64.to_le_bytes().as_slice(), b"{}"].concat()
}

#[test]
fn the_zoos_networks_are_found_again() {
    // What transformers' default configurations come to.
    for (config, zoos) in [
        (r#"{"model_type": "resnet"}"#, "resnet50"),
        (r#"{"model_type": "swin"}"#, "swin_t"),
        (r#"{"model_type": "convnext", "layer_norm_eps": 1e-6}"#, "convnext_tiny"),
        (r#"{"model_type": "vit", "layer_norm_eps": 1e-6}"#, "vit_base_patch16_224"),
        (r#"{"model_type": "clip_vision_model"}"#, "vit_base_patch32_clip_quickgelu_224"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        fs::write(folder.path().join("model.safetensors"), two_bytes()).unwrap();
        let (backbone, zoos) = (found(folder.path()).unwrap(), zoo::find(zoos).unwrap().network());
        let shapes = |network: &Network| {
            let part = network.for_taps(&["pooled"]).unwrap();
            part.params().iter().map(|param| (param.name.clone(), param.shape.clone())).collect::<Vec<_>>()
        };
        assert_eq!(shapes(&backbone.network), shapes(&zoos), "{config}");
    }
}

#[test]
fn timms_configurations_are_recipes() {
    let folder = tempfile::tempdir().unwrap();
    let write = |more: &str, args: &str| {
        let config = format!(
            r#"{{"architecture": "resnet18", "num_classes": 7, "global_pool": "avg", "model_args": {{"in_chans": 3{args}}},
                "pretrained_cfg": {{"tag": "mine", "input_size": [3, 288, 288], "interpolation": "bicubic", "crop_pct": 0.95,
                "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]{more}}}}}"#
        );
        fs::write(folder.path().join("config.json"), config).unwrap();
    };
    write("", "");
    weights(
        &zoo::find("resnet18").unwrap().network().with_logits(7),
        "",
        &folder.path().join("model.safetensors"),
    );
    let backbone = found(folder.path()).unwrap();
    assert_eq!(backbone.name, "resnet18");
    assert_eq!(backbone.bind(&["logits"]).unwrap().network().widths(288, 288).unwrap(), [7]);
    let how = recipe(&backbone);
    // floor(288 / 0.95)
    assert_eq!(
        (how.resize, how.crop, how.filter),
        (Resize::ShorterSide(303), Some((288, 288)), Filter::Bicubic)
    );
    assert_eq!((how.mean, how.std, how.crop_rounding), ([0.5; 3], [0.25; 3], CropRounding::Even));
    write(r#", "crop_mode": "squash""#, "");
    assert_eq!(recipe(&found(folder.path()).unwrap()).resize, Resize::Exact(303, 303));
    for (more, args, expected) in [
        (r#", "crop_mode": "border""#, "", "`crop_mode` `border` is not known"),
        ("", r#", "output_stride": 8"#, "`output_stride` `8` is not known"),
        ("", r#", "global_pool": "max""#, r#"`global_pool` `"max"` is not known"#),
    ] {
        write(more, args);
        let message = found(folder.path()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        let advice = if args.is_empty() { "give --preprocess" } else { "export the model as ONNX" };
        assert!(message.contains(advice), "{message}");
    }
    // Features of these classes are found again, with the folder's own classes.
    write("", "");
    let how = Preprocessing::imagenet().into();
    let taps = ["logits".to_owned()];
    let backbone = again("resnet18", Some(folder.path()), &taps, &how).unwrap();
    assert_eq!(backbone.bind(&["logits"]).unwrap().network().widths(224, 224).unwrap(), [7]);
}

#[test]
fn networks_of_other_sizes_have_positions_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let write = |args: &str| {
        let config = format!(
            r#"{{"architecture": "vit_tiny_patch16_224", "num_classes": 3, "model_args": {{{args}}}}}"#
        );
        fs::write(folder.path().join("config.json"), config).unwrap();
        fs::write(folder.path().join("model.safetensors"), two_bytes()).unwrap();
        found(folder.path())
    };
    for (args, count) in [("", 197), (r#""img_size": 96"#, 37), (r#""img_size": [64, 64]"#, 17)] {
        let network = write(args).unwrap().network;
        let positions = network.params().iter().find(|param| param.name == "pos_embed").unwrap();
        assert_eq!(positions.shape, [1, count, 192], "{args}");
    }
    for args in [r#""img_size": [64, 96]"#, r#""img_size": 8"#, r#""img_size": "large""#] {
        let error = write(args).unwrap_err().to_string();
        assert!(error.contains("img_size") || error.contains("image_size"), "{error}");
    }
}

#[test]
fn timms_processor_stands_beside_a_network_of_transformers() {
    let folder = tempfile::tempdir().unwrap();
    let cfg = r#""input_size": [3, 64, 64], "crop_pct": 0.88, "interpolation": "bicubic", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]"#;
    let config = format!(
        r#"{{"model_type": "siglip", "vision_config": {{{SMALL}, "vision_use_head": false}}, "pretrained_cfg": {{{cfg}}}}}"#
    );
    fs::write(folder.path().join("config.json"), config).unwrap();
    fs::write(folder.path().join("model.safetensors"), two_bytes()).unwrap();
    let backbone = found(folder.path()).unwrap();
    // Without what attends to the patches, it is their mean.
    assert_eq!(backbone.default_tap, "patch_mean");
    let how = recipe(&backbone);
    assert_eq!(
        (how.resize, how.crop, how.filter),
        (Resize::ShorterSide(72), Some((64, 64)), Filter::Bicubic)
    );
}

#[test]
fn flags_replace_what_a_folder_says_of_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("model.safetensors", std::str::from_utf8(&two_bytes()).unwrap());
    write("config.json", r#"{"model_type": "resnet"}"#);
    write("preprocessor_config.json", r#"{"image_processor_type": "ViTImageProcessor", "do_pad": true}"#);
    assert!(found(folder.path()).unwrap_err().to_string().contains("give --preprocess"));
    let weights = Some(folder.path());
    let wanted = Wanted { name: None, weights, taps: &[], size: None, prepared: true };
    assert!(find(wanted).unwrap().recipe.is_none());
    assert!(find(Wanted { name: Some("resnet50"), ..wanted }).is_ok());
    write("config.json", r#"{"architecture": "resnet18", "pretrained_cfg": {"crop_mode": "border"}}"#);
    assert!(find(wanted).unwrap().recipe.is_none());
}

#[test]
fn image_processors_are_recipes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), r#"{"model_type": "resnet"}"#).unwrap();
    fs::write(folder.path().join("model.safetensors"), two_bytes()).unwrap();
    let said = |json: &str| {
        fs::write(folder.path().join("preprocessor_config.json"), json).unwrap();
        found(folder.path())
    };
    let plain = |json: &str| {
        let how = recipe(&said(json).unwrap());
        (how.resize, how.crop, how.filter, how.crop_rounding)
    };
    use {
        CropRounding::{Down, Even},
        Filter::{Bicubic, Bilinear},
    };
    assert_eq!(
        plain(r#"{"image_processor_type": "ViTImageProcessor", "size": {"height": 384, "width": 384}}"#),
        (Resize::Exact(384, 384), None, Bilinear, Even)
    );
    // A number alone is both sides to some.
    assert_eq!(
        plain(r#"{"feature_extractor_type": "ViTFeatureExtractor", "size": 224}"#),
        (Resize::Exact(224, 224), None, Bilinear, Even)
    );
    assert_eq!(
        plain(r#"{"feature_extractor_type": "DeiTFeatureExtractor", "size": 256}"#),
        (Resize::Exact(256, 256), Some((224, 224)), Bicubic, Down)
    );
    assert_eq!(
        plain(
            r#"{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}, "resample": 3}"#
        ),
        (Resize::ShorterSide(256), Some((224, 224)), Bicubic, Down)
    );
    assert_eq!(
        plain(r#"{"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 224}"#),
        (Resize::ShorterSide(224), Some((224, 224)), Bicubic, Down)
    );
    assert_eq!(
        plain(
            r#"{"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 224}, "crop_pct": 0.875}"#
        ),
        (Resize::ShorterSide(256), Some((224, 224)), Bilinear, Down)
    );
    assert_eq!(
        plain(
            r#"{"image_processor_type": "ConvNextImageProcessorFast", "size": {"shortest_edge": 384}, "resample": 3}"#
        ),
        (Resize::Exact(384, 384), None, Bicubic, Even)
    );
    for (json, expected) in [
        (r#"{"image_processor_type": "ViTImageProcessor", "resample": 1}"#, "`resample` `1` is not known"),
        (
            r#"{"image_processor_type": "ViTImageProcessor", "do_rescale": false, "rescale_factor": 0.0039}"#,
            "`do_rescale` `false` is not known; give --preprocess",
        ),
        (r#"{"image_processor_type": "ViTImageProcessor", "do_pad": true}"#, "`do_pad` `true` is not known"),
        (
            r#"{"image_processor_type": "ViTImageProcessor", "rescale_factor": 1.0}"#,
            "`rescale_factor` `1` is not known",
        ),
        (
            r#"{"image_processor_type": "DonutImageProcessor"}"#,
            "the filter of `DonutImageProcessor` is not known",
        ),
        (
            r#"{"image_processor_type": "ViTImageProcessor", "size": {"longest_edge": 9}}"#,
            "`size` `{\"longest_edge\":9}` is not known",
        ),
        ("{", "EOF while parsing"),
    ] {
        let message = said(json).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains("preprocessor_config.json"), "{message}");
    }
}

#[test]
fn what_no_network_has_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (config, expected) in [
        (r#"{"model_type": "funnel"}"#, "`model_type` `funnel` is not known; known are vit"),
        (r#"{"model_type": "vit", "hidden_act": "mish"}"#, "`hidden_act` `mish` is not known"),
        (r#"{"model_type": "vit", "num_hidden_layers": 99999999}"#, "expected a number from 1 to 255"),
        (r#"{"model_type": "vit", "patch_size": 0}"#, "expected a number from 1 to 16383"),
        (r#"{"model_type": "vit", "num_attention_heads": 7}"#, "heads that do not divide the width"),
        (r#"{"model_type": "dinov2", "num_channels": 4}"#, "num_channels other than 3"),
        (r#"{"model_type": "dinov2_with_registers", "num_register_tokens": 99999999}"#, "from 1 to 32767"),
        (
            r#"{"model_type": "siglip2"}"#,
            "NaFlex takes pictures in another way; take SigLIP 2 at a fixed size",
        ),
        (r#"{"model_type": "resnet", "embedding_size": 32}"#, "`embedding_size` `32` is not known"),
        (r#"{"model_type": "swin", "num_heads": [0, 1, 1, 1]}"#, "expected a number from 1 to 1023"),
        (r#"{"model_type": "swin", "num_heads": [3, 3, 3, 3]}"#, "`num_heads`"),
        (r#"{"model_type": "vit", "image_size": 8}"#, "`image_size` `8` is not known; a patch should fit"),
        (r#"{"model_type": "deit", "patch_size": 300}"#, "a patch should fit"),
        (r#"{"model_type": "vit_mae", "image_size": 32000, "patch_size": 20000}"#, "from 1 to 16383"),
        (r#"{"model_type": "dinov2", "image_size": 13}"#, "a patch should fit"),
        (
            r#"{"model_type": "vit", "hidden_size": 2048, "num_attention_heads": 1024}"#,
            "a number of heads of `1024`",
        ),
        (r#"{"model_type": "vit", "layer_norm_eps": 0}"#, "`layer_norm_eps` `0` is not known"),
        (r#"{"model_type": "convnext", "layer_norm_eps": 1e60}"#, "`layer_norm_eps`"),
        (r#"{"model_type": "vit", "hidden_size": -4}"#, "`hidden_size`: invalid value"),
        (r#"{"model_type": "resnet", "depths": [3, [4], 6, 3]}"#, "`depths[1]`: invalid type: sequence"),
        (r#"{"model_type": "clip_vision_model", "hidden_size": [1]}"#, "`hidden_size`: invalid type"),
        (r#"{"model_type": "levit"}"#, "clip_vision_model, siglip, siglip_vision_model"),
        (r#"{"architecture": "resnet18", "num_classes": 999999999999999999}"#, "a number of classes of"),
        (r#"{"architecture": "levit_128"}"#, "the network `levit_128` is not known; export it as ONNX"),
        ("[1", "it is no JSON, or cut short: EOF while parsing"),
    ] {
        fs::write(folder.path().join("config.json"), config).unwrap();
        let message = found(folder.path()).unwrap_err().to_string();
        assert!(message.contains(expected) && !message.contains('\n') && message.len() < 500, "{message}");
    }
}

#[test]
fn open_clips_sizes_are_those_of_networks() {
    let folder = tempfile::tempdir().unwrap();
    for (vision, expected) in [
        (r#""image_size": 16, "patch_size": 32"#, "a patch should fit into the picture"),
        (r#""patch_size": 32, "mlp_ratio": 1e30"#, "expected a number from 1 to 32767"),
        (r#""patch_size": 32, "mlp_ratio": 0"#, "expected a number from 1 to 32767"),
        (r#""patch_size": 32, "mlp_ratio": -4.0"#, "expected a number from 1 to 32767"),
        (r#""patch_size": 32, "head_width": 5"#, "`head_width` `5`"),
        (r#""patch_size": 32, "width": 2048, "head_width": 1"#, "a number of heads of `2048`"),
    ] {
        let config = format!(
            r#"{{"model_cfg": {{"embed_dim": 16, "vision_cfg": {{"layers": 1, {vision}}}}},
                "preprocess_cfg": {{"size": 64, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}}}"#
        );
        fs::write(folder.path().join("open_clip_config.json"), config).unwrap();
        let message = found(folder.path()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn files_are_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, zoos: &str| {
        let path = folder.path().join(name);
        weights(&zoo::find(zoos).unwrap().network(), "", &path);
        path
    };
    let backbone = found(&write("w.safetensors", "squeezenet1_1")).unwrap();
    assert_eq!(backbone.name, "squeezenet1_1");
    assert!(backbone.note.unwrap().ends_with("holds the weights of squeezenet1_1"));
    // Torchvision's and timm's have the same tensors; the file's name decides.
    let backbone = found(&write("a.safetensors", "mobilenet_v2")).unwrap();
    assert_eq!(backbone.name, "mobilenet_v2");
    assert!(backbone.note.unwrap().contains("or of `mobilenetv2_100`, which prepares inputs otherwise"));
    let backbone = found(&write("mobilenetv2_100.ra_in1k.safetensors", "mobilenet_v2")).unwrap();
    assert_eq!(backbone.name, "mobilenetv2_100");
    // Most of a network is told as that network.
    let path = folder.path().join("part.safetensors");
    let part = zoo::find("squeezenet1_1").unwrap().network().for_taps(&["features.10"]).unwrap();
    weights(&part, "", &path);
    let message = found(&path).unwrap().bind(&["pooled"]).unwrap_err().to_string();
    assert!(message.contains("lacks the tensor `features.11.squeeze.weight`"), "{message}");
    // Another network that has all of these tensors, and more besides, lacks more.
    let path = folder.path().join("stages.safetensors");
    let part = zoo::find("resnet18").unwrap().network().for_taps(&["layer3"]).unwrap();
    weights(&part, "", &path);
    assert_eq!(found(&path).unwrap().name, "resnet18");
    fs::write(&path, two_bytes()).unwrap();
    assert!(
        found(&path)
            .unwrap_err()
            .to_string()
            .contains("of no network that is known; name it with --backbone")
    );
    let unknown =
        find(Wanted { name: Some("resnet5"), weights: None, taps: &[], size: None, prepared: false })
            .unwrap_err();
    assert!(unknown.is_usage() && unknown.to_string().contains("did you mean `resnet50`?"));
    assert!(
        find(Wanted { name: Some("resnet50"), weights: None, taps: &[], size: None, prepared: false })
            .unwrap_err()
            .is_usage()
    );
}
