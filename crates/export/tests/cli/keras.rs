//! Models of Keras': what is in them, what reads them back, and what is refused.

use super::{
    Room, dense, export, head,
    hub::{behind, config, small},
    room,
};
use head::{Head, HeadKind};
use input::image::{Channels, Preprocessing, Resize};
use sample::targets::{TargetSpec, TargetsFrom, Task};
use serde_json::json;
use std::{fs, path::Path};

fn to_keras(room: &Room, flags: &[&str]) -> harness::Run {
    let command = ["x.head", "-o", "model", "--to", "keras", "--weights", "w.safetensors"];
    export(room, &[&command, flags].concat())
}

/// The sides of pictures that a network takes.
fn sized(side: u32) -> Preprocessing {
    Preprocessing { resize: Resize::Exact(side, side), crop: None, ..small() }
}

/// The layers of a model: name, class and configuration.
fn layers(path: &Path) -> Vec<(String, String, serde_json::Value)> {
    let bytes = fs::read(path).unwrap();
    // Nothing in the archive is compressed.
    let start = bytes.windows(11).position(|window| window == b"{\"module\":\"").unwrap();
    let mut values = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter();
    let model: serde_json::Value = values.next().unwrap().unwrap();
    let text = |layer: &serde_json::Value, key: &str| layer[key].as_str().unwrap().to_owned();
    let layers = model["config"]["layers"].as_array().unwrap().iter();
    layers.map(|layer| (text(layer, "name"), text(layer, "class_name"), layer["config"].clone())).collect()
}

#[test]
fn keras_own_networks_come_back_with_the_same_weights() {
    for (network, side, tap, layer) in [
        ("keras_resnet50", 64, "pooled", "conv5_block3_3_conv"),
        ("keras_resnet50v2", 64, "pooled", "post_bn"),
        ("keras_densenet121", 64, "pooled", "conv5_block16_2_conv"),
        ("keras_mobilenet", 64, "pooled", "conv_dw_13"),
        ("keras_mobilenet_v2", 64, "pooled", "block_16_depthwise"),
        ("keras_efficientnet_b0", 64, "pooled", "block7a_se_expand"),
        ("keras_xception", 299, "pooled", "block14_sepconv2"),
        ("keras_inception_v3", 96, "pooled", "conv2d_93"),
        ("squeezenet1_1", 64, "gap", "fire9_expand3x3"),
    ] {
        let room = behind(network, &[tap], &sized(side), |_| {});
        to_keras(&room, &[]).fine();
        let model = room.path("model/model.keras");
        let found = layers(&model);
        assert!(found.iter().any(|(name, ..)| name == layer), "{network}: {found:?}");
        // As anybody's file of Keras.
        let wanted = backbone::Wanted {
            name: Some(network),
            weights: Some(&model),
            taps: &[],
            size: None,
            prepared: true,
        };
        let digest = backbone::find(wanted).unwrap().bind(&[tap]).unwrap().digest();
        let head = Head::read(&room.path("x.head")).unwrap();
        assert_eq!(digest, head.sources[0].network().unwrap().weights, "{network}");
    }
}

#[test]
fn convolutional_networks_are_layers_too() {
    for (network, side, tap) in [
        ("resnet18", 64, "pooled"),
        ("resnet18", 64, "layer3"),
        ("resnet18d", 64, "pooled"),
        ("resnext50_32x4d", 64, "pooled"),
        ("densenet121", 64, "pooled"),
        ("mobilenet_v2", 64, "pooled"),
        ("mobilenet_v3_small", 64, "classifier.2"),
        ("mnasnet0_5", 64, "pooled"),
        ("efficientnet_b0", 64, "pooled"),
        ("tf_efficientnet_b0", 64, "pooled"),
        ("regnet_y_400mf", 64, "pooled"),
        ("convnext_tiny", 64, "pooled"),
        ("mobilenetv4_conv_small", 64, "pooled"),
        ("googlenet", 64, "pooled"),
        ("squeezenet1_0", 64, "gap"),
        ("alexnet", 95, "features"),
    ] {
        let room = behind(network, &[tap], &sized(side), |_| {});
        to_keras(&room, &[]).fine();
        let files: Vec<_> = room.bytes("model").into_keys().collect();
        assert_eq!(
            files,
            ["README.md", "config.json", "model.keras"].map(std::path::PathBuf::from),
            "{network}"
        );
        let found = layers(&room.path("model/model.keras"));
        assert_eq!(found[0].0, "picture");
        assert_eq!(found.last().unwrap().0, "probabilities");
    }
}

#[test]
fn recipes_heads_and_tasks_go_along() {
    let bgr = Preprocessing { channels: Channels::Bgr, divisor: 1.0, ..small() };
    for (task, link, last) in [
        (Task::Class, Some("softmax"), "probabilities"),
        (Task::Labels, Some("sigmoid"), "probabilities"),
        (Task::Numbers, None, "head_1"),
    ] {
        let room = behind("resnet18d", &["layer3", "pooled"], &bgr, |made| {
            if task != Task::Class {
                made.targets = TargetSpec { task, from: TargetsFrom::Columns };
            }
            made.kind = HeadKind::Mlp;
            made.layers = vec![dense(made.layers[0].inputs, 5), dense(5, 3)];
        });
        to_keras(&room, &["--license", "mit"]).fine();
        let found = layers(&room.path("model/model.keras"));
        let (name, _, told) = found.last().unwrap();
        assert_eq!(name, last);
        assert!(link.is_none_or(|link| told["activation"] == link), "{told}");
        assert!(found.iter().any(|(name, ..)| name == "picture_bgr"));
        let config = config(&room);
        assert_eq!(config["classes"], json!(["daisy", "roses", "tulips"]));
        assert_eq!((&config["headstart"]["task"], config.get("problem_type")), (&json!(task.name()), None));
        let card = fs::read_to_string(room.path("model/README.md")).unwrap();
        for part in [
            "license: \"mit\"\nlibrary_name: keras\n",
            "size = [int(72 * side / min(image.size)) for side in image.size]",
            "left, top = [round((side - crop) / 2) if side >= crop else -((crop - side) // 2) for side, crop",
            "keras.models.load_model(\"model.keras\")",
        ] {
            assert!(card.contains(part), "{part} in\n{card}");
        }
    }
}

#[test]
fn the_same_model_is_the_same_bytes() {
    let room = behind("keras_mobilenet", &["pooled"], &sized(64), |_| {});
    to_keras(&room, &[]).fine();
    let first = room.bytes("model");
    to_keras(&room, &["--force"]).fine();
    assert_eq!(first, room.bytes("model"));
}

#[test]
fn what_keras_has_no_layers_for_is_refused() {
    for (network, side, tap, told) in [
        ("vit_tiny_patch16_224", 64, "cls", "it makes tokens"),
        ("shufflenet_v2_x0_5", 64, "pooled", "no layer does this"),
        ("convnextv2_atto", 64, "pooled", "no layer does this"),
        ("keras_xception", 299, "block14_sepconv2.depthwise", "it is a half of a layer"),
    ] {
        let room = behind(network, &[tap], &sized(side), |_| {});
        to_keras(&room, &[]).failed(1, &["is no model of Keras'; --to onnx", told]);
        assert_eq!(room.names(), ["w.safetensors", "x.head"]);
    }
    let fast = Preprocessing { decode: input::image::Decode::Fast, ..small() };
    to_keras(&behind("resnet18d", &["pooled"], &fast, |_| {}), &[]).failed(1, &["--decode fast"]);
    let near = room(|made| *made = head(HeadKind::Knn));
    export(&near, &["x.head", "-o", "model", "--to", "keras"]).failed(1, &["nearest neighbours"]);
    export(&near, &["x.head", "-o", "model.keras"]).failed(2, &["without extension, and give --to keras"]);
}

#[test]
fn a_model_that_disagrees_is_not_written() {
    let room = behind("keras_mobilenet", &["pooled"], &sized(64), |head| head.probes[3] += 9.0);
    to_keras(&room, &[]).failed(3, &["differ from the cache's by "]);
    assert_eq!(room.names(), ["w.safetensors", "x.head"]);
}
