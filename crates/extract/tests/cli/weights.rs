//! Backbones, taps and weights that do not go together.

use super::{Room, extract, room};
use network::zoo;
use safetensors::{Dtype, tensor::TensorView};
use std::fs;

/// Writes `name`: small numbers for the parameters of `backbone` up to `tap`, each changed by `change`, which may leave
/// a parameter out or give it another shape.
fn weights(
    room: &Room,
    name: &str,
    (backbone, tap): (&str, &str),
    change: impl Fn(&str, &[usize]) -> Option<Vec<usize>>,
) {
    let network = zoo::find(backbone).unwrap().network().for_taps(&[tap]).unwrap();
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = network
        .params()
        .iter()
        .filter_map(|param| {
            let shape = change(&param.name, &param.shape)?;
            let value = 0.01_f32.to_le_bytes();
            Some((param.name.clone(), shape.clone(), value.repeat(shape.iter().product())))
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    safetensors::serialize_to_file(views, None, &room.path(name)).unwrap();
}

fn whole(_: &str, shape: &[usize]) -> Option<Vec<usize>> {
    Some(shape.to_vec())
}

fn refused(room: &Room, arguments: &[&str], code: i32, parts: &[&str]) {
    let before = room.names();
    extract(room, &[&["data", "-o", "x.features"], arguments].concat()).failed(code, parts);
    assert_eq!(room.names(), before);
}

#[test]
fn names_that_nothing_bears() {
    let room = room(2);
    let parts = ["unknown backbone `resnt50`", "did you mean `resnet50`?", "--list-backbones lists all "];
    refused(&room, &["--backbone", "resnt50"], 2, &parts);
    let parts = ["headstart_tiny has no tap `layer33`", "did you mean `layer3`?", "pooled"];
    refused(&room, &["--tap", "pooled", "--tap", "layer33"], 2, &parts);
    refused(&room, &["--tap", "fc7"], 2, &["headstart_tiny has no tap `fc7`", "its taps are "]);
    refused(&room, &["--backbone", "vgg16"], 2, &["vgg16 needs --weights"]);
    weights(&room, "w.safetensors", ("headstart_tiny", "layer2"), whole);
    for name in ["w.safetensors", "hf://timm/resnet50"] {
        refused(&room, &["--backbone", name], 2, &["is no network's name", "as --weights"]);
    }
    for address in ["torchvision://swin_v2_t", "torchvision://maxvit_t@IMAGENET1K_V1"] {
        refused(&room, &["--weights", address], 2, &["is not built here; export it as ONNX"]);
    }
    room.write("pointer.onnx", b"version https://git-lfs.github.com/spec/v1\noid sha256:");
    refused(&room, &["--backbone", "pointer.onnx"], 1, &["it is a Git LFS pointer; run `git lfs pull`"]);
    refused(&room, &["--weights", "timm/resnet50"], 2, &["on the Hugging Face hub is hf://timm/resnet50"]);
}

#[test]
fn weights_of_another_network() {
    let room = room(2);
    weights(&room, "squeeze.safetensors", ("squeezenet1_1", "gap"), whole);
    let flags = ["--backbone", "vgg11", "--weights", "squeeze.safetensors"];
    refused(&room, &flags, 1, &["`squeeze.safetensors` lacks the tensor `", "it looks like squeezenet1_1"]);
    refused(
        &room,
        &["--backbone", "headstart_tiny", "--weights", "squeeze.safetensors"],
        1,
        &["`squeeze.safetensors` lacks the tensor `conv1.weight` (and ", "headstart_tiny"],
    );

    let one_less = |name: &str, shape: &[usize]| (name != "layer1.0.bn1.bias").then(|| shape.to_vec());
    weights(&room, "less.safetensors", ("headstart_tiny", "layer2"), one_less);
    let parts = ["`less.safetensors` lacks the tensor `layer1.0.bn1.bias` that headstart_tiny needs"];
    refused(&room, &["--weights", "less.safetensors", "--tap", "layer2"], 1, &parts);

    let misshapen =
        |name: &str, shape: &[usize]| Some(if name == "bn1.bias" { vec![3, 5] } else { shape.to_vec() });
    weights(&room, "odd.safetensors", ("headstart_tiny", "layer2"), misshapen);
    let parts = ["`odd.safetensors`: the tensor `bn1.bias` should have the shape [", "got [3, 5]"];
    refused(&room, &["--weights", "odd.safetensors", "--tap", "layer2"], 1, &parts);
}

#[test]
fn the_network_is_recognised_by_its_weights() {
    let room = room(2);
    weights(&room, "w.safetensors", ("squeezenet1_1", "gap"), whole);
    let run = extract(&room, &["data", "-o", "x.features", "--weights", "w.safetensors"]);
    let said = run.fine().stderr();
    assert!(said.contains("extract: `w.safetensors` holds the weights of squeezenet1_1"), "{said}");
    let named = ["data", "-o", "y.features", "--weights", "w.safetensors", "--backbone", "squeezenet1_1"];
    extract(&room, &named).fine();
    for file in ["index.json", "probes.rkyv", "shard-00000.rkyv"] {
        let [x, y] = ["x", "y"].map(|name| fs::read(room.path(&format!("{name}.features/{file}"))));
        assert_eq!(x.unwrap(), y.unwrap(), "{file}");
    }
}

#[test]
fn weights_that_stop_early_serve_the_taps_before() {
    let room = room(2);
    weights(&room, "part.safetensors", ("headstart_tiny", "layer2"), whole);
    let parts = ["`part.safetensors` lacks the tensor `layer3.", "it suffices for the taps ", "layer2"];
    refused(&room, &["--weights", "part.safetensors"], 1, &parts);
    let flags = ["--weights", "part.safetensors", "--tap", "layer2"];
    extract(&room, &[&["data", "-o", "x.features"], &flags[..]].concat()).fine();
}

#[test]
fn files_that_are_no_weights() {
    let room = room(2);
    weights(&room, "w.safetensors", ("headstart_tiny", "layer2"), whole);
    let good = fs::read(room.path("w.safetensors")).unwrap();
    let flags = ["--weights", "w.safetensors", "--tap", "layer2"];
    for (bytes, reason) in [
        (&good[..good.len() - 4], "it was cut short or has bytes too many"),
        (&good[..100], "its header would be longer than the file"),
    ] {
        room.write("w.safetensors", bytes);
        refused(&room, &flags, 1, &["`w.safetensors` is not a usable safetensors file: ", reason]);
    }
    room.write("w.safetensors", "<html>Please log in</html>");
    refused(&room, &flags, 1, &["`w.safetensors` holds no weights that are read: it is a web page"]);
    let mut not_finite = good;
    let end = not_finite.len() - 4;
    not_finite[end..].copy_from_slice(&f32::NAN.to_le_bytes());
    room.write("w.safetensors", not_finite);
    refused(&room, &flags, 1, &["`w.safetensors`: the tensor `", "holds NaN", "weights must be finite"]);
    refused(&room, &["--weights", "none.safetensors"], 1, &["cannot read `none.safetensors`"]);
    refused(&room, &["--weights", "data"], 1, &["`data` holds no weights", "the folder has no file such as"]);
    refused(&room, &["--backbone", "none.onnx"], 1, &["cannot read `none.onnx`"]);
    refused(&room, &["--backbone", "none.onnx", "--weights", "w"], 2, &["`none.onnx` has its own weights"]);
    refused(&room, &["--weights", "hf://a/b", "--offline"], 1, &["hf://a/b is not in the cache"]);
}

#[test]
fn pictures_smaller_than_the_network_takes() {
    let room = room(2);
    weights(&room, "vgg.safetensors", ("vgg11", "features.5"), whole);
    let flags = ["--backbone", "vgg11", "--tap", "features.5", "--weights", "vgg.safetensors"];
    let run = |crop| [&flags[..], &["--resize", "8", "--crop", crop]].concat();
    refused(&room, &run("3"), 1, &["3×3 pixels is too small for vgg11", "at least 4×4"]);
    extract(&room, &[&["data", "-o", "x.features"], &run("4")[..]].concat()).fine();
}
