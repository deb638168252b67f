//! Networks of the zoo, exported as ONNX files and imported again: the same features.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use headstart_engine::Cpu;
use network::zoo;
use onnx::Options;
use std::{fs, path::Path, time::Instant};

/// One of every kind, and the side of its pictures: small, where the network allows it.
const SOME: &[(&str, usize)] = &[
    ("alexnet", 64),
    ("convnext_tiny", 64),
    ("densenet121", 64),
    ("efficientnet_b0", 64),
    ("efficientnet_v2_s", 64),
    ("googlenet", 64),
    ("headstart_tiny", 64),
    ("inception_v3", 96),
    ("mnasnet0_5", 64),
    ("mobilenet_v2", 64),
    ("mobilenet_v3_small", 64),
    ("regnet_y_400mf", 64),
    ("resnet18", 64),
    ("resnet50", 64),
    ("resnext50_32x4d", 64),
    ("shufflenet_v2_x0_5", 64),
    ("squeezenet1_1", 64),
    ("swin_t", 224),
    ("vgg11", 64),
    ("vit_b_32", 64),
    ("vit_small_patch14_reg4_dinov2", 56),
    ("vit_base_patch16_siglip_224", 64),
    ("vit_base_patch32_clip_quickgelu_224", 64),
    ("vit_tiny_patch16_224", 64),
    ("mobilenetv4_conv_small", 64),
    ("keras_mobilenet", 64),
    ("keras_resnet50v2", 64),
    ("keras_xception", 299),
];

/// Exports `name` for pictures of that side, imports the file, and compares all taps that both know.
fn check(name: &str, side: usize, folder: &Path) -> Result<f64, String> {
    let entry = zoo::find(name).unwrap();
    let tap = entry.default_tap;
    let network = entry.network().for_taps(&[tap]).unwrap();
    if network.shapes(side, side).is_err() {
        return Err(format!("{name} takes no pictures of {side} pixels"));
    }
    let start = Instant::now();
    let mut bytes = Vec::new();
    onnx::write(&mut bytes, &common::filled(network.clone()), (side, side), &[]).unwrap();
    let path = folder.join(format!("{name}.onnx"));
    fs::write(&path, bytes).unwrap();
    let imported = onnx::import(&path, Options::default()).map_err(|error| error.to_string())?;
    fs::remove_file(&path).unwrap();
    let run = |bound| {
        let mut cpu = Cpu::new(bound, &common::sized(side)).unwrap();
        cpu.run_tensor(&common::image(side, 2), 2, |_, _| {}).unwrap().remove(0)
    };
    let (got, expected) = (run(imported.bound), run(common::filled(network)));
    if got.len() != expected.len() {
        return Err(format!("{} features, not {}", got.len(), expected.len()));
    }
    let far = got.iter().zip(&expected).map(|(got, expected)| f64::from(got - expected).powi(2)).sum::<f64>();
    let long = expected.iter().map(|expected| f64::from(*expected).powi(2)).sum::<f64>();
    println!("{name}: {:.1e}, {:.1?}", (far / long).sqrt(), start.elapsed());
    Ok((far / long).sqrt())
}

fn all(networks: impl Iterator<Item = (&'static str, usize)>) {
    let folder = std::env::temp_dir().join(format!("headstart-zoo-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut wrong = Vec::new();
    for (name, side) in networks {
        match check(name, side, &folder) {
            Ok(error) if error <= 1e-6 => (),
            Ok(error) => wrong.push(format!("{name}: off by {error:.1e}")),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn networks_that_were_exported_come_back() {
    all(SOME.iter().copied());
}

#[test]
#[ignore = "minutes"]
fn every_network_that_was_exported_comes_back() {
    let small = zoo::all().iter().filter(|entry| entry.network().parameter_count() < 100_000_000);
    all(small.filter_map(|entry| Some((entry.name, entry.input_size()?.0 as usize))));
}
