//! The zoo against torchvision and timm in float64, every parameter filled by a formula: relative L2 error at most 1e-5,
//! of the reference and of the CPU engine.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use artifact::{Preprocessing, Resize};
use common::Tolerance;
use headstart_engine::{Cpu, Reference};
use network::{
    Interpolation, Network, convnext, efficientnet, swin,
    vit::{self, Vit},
    zoo,
};
use std::{collections::BTreeMap, fs, sync::LazyLock, time::Instant};

const TOLERANCE: Tolerance = Tolerance(1e-5);

/// From our names of parameters to those of the peer, by which they were filled.
type Naming = fn(&str) -> String;

/// The peers' outputs: `torchvision/resnet18@224` → tap → (2, d), row by row.
static OUTPUTS: LazyLock<BTreeMap<String, BTreeMap<String, Vec<f32>>>> = LazyLock::new(|| {
    let bytes = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/reference.safetensors")).unwrap();
    let mut outputs: BTreeMap<String, BTreeMap<String, Vec<f32>>> = BTreeMap::new();
    for (name, tensor) in safetensors::SafeTensors::deserialize(&bytes).unwrap().tensors() {
        let (peer, tap) = name.rsplit_once('/').unwrap();
        let values = tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        outputs.entry(peer.to_owned()).or_default().insert(tap.to_owned(), values);
    }
    outputs
});

/// Checks the zoo's network of the peer's name, filled by the peer's names of parameters.
fn check(peer: &str, naming: Naming) {
    check_network(peer, &build(peer.split(['/', '@']).nth(1).unwrap()), naming);
}

fn check_network(peer: &str, network: &Network, naming: Naming) {
    check_within(&TOLERANCE, peer, network, naming);
}

/// Checks a network at all taps that the peer's outputs are kept of, in one pass. The peer's name ends with the side of
/// the pictures, in pixels.
fn check_within(tolerance: &Tolerance, peer: &str, network: &Network, naming: Naming) {
    let expected = &OUTPUTS[peer];
    let taps: Vec<&str> = expected.keys().map(String::as_str).collect();
    let side = peer.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    let input = common::image(side, 2);
    let filled = || common::filled_as(network.for_taps(&taps).unwrap(), naming);
    let reference = Reference::new(filled(), &sized(side)).unwrap();
    let outputs = reference.run_tensor(&input, [2, 3, side, side]).unwrap();
    drop(reference);
    let cpu = Cpu::new(filled(), &sized(side)).unwrap();
    let start = Instant::now();
    let ours = cpu.run_tensor(&input, 2, |_, _| {}).unwrap();
    println!("{peer}: {:.2} images/s", 2.0 / start.elapsed().as_secs_f64());
    assert!(outputs.len() == taps.len() && ours.len() == taps.len());
    for ((tap, values), (got, ours)) in expected.iter().zip(outputs.iter().zip(&ours)) {
        tolerance.check(&format!("{peer}/{tap}, reference"), got, values);
        tolerance.check(&format!("{peer}/{tap}, cpu"), ours, values);
    }
}

fn build(name: &str) -> Network {
    (zoo::find(name).unwrap().build)()
}

fn sized(side: usize) -> Preprocessing {
    let side = u32::try_from(side).unwrap();
    let (resize, crop) = (Resize::Exact(side, side), Some((side, side)));
    Preprocessing { resize, crop, ..Preprocessing::imagenet() }
}

// Ours are torchvision's where it has the network, else timm's.
const TORCHVISION: Naming = str::to_owned;
const TIMM: Naming = str::to_owned;

#[test]
fn residual_networks() {
    for name in ["resnet18", "resnet34", "resnet50", "resnext50_32x4d", "wide_resnet50_2"] {
        check(&format!("torchvision/{name}@224"), TORCHVISION);
    }
    for name in ["resnet26d", "resnet34d", "resnet50d"] {
        check(&format!("timm/{name}@224"), TIMM);
    }
}

#[test]
fn vgg() {
    // One after the other: each needs about a gibibyte for its weights.
    for name in ["vgg11", "vgg16", "vgg16_bn", "vgg19"] {
        check(&format!("torchvision/{name}@224"), TORCHVISION);
    }
}

#[test]
fn squeezenet() {
    check("torchvision/squeezenet1_1@224", TORCHVISION);
}

#[test]
fn densenet() {
    for name in ["densenet121", "densenet169"] {
        check(&format!("torchvision/{name}@224"), TORCHVISION);
    }
}

#[test]
fn mobilenets() {
    for name in ["mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"] {
        check(&format!("torchvision/{name}@224"), TORCHVISION);
    }
    for name in ["mobilenetv4_conv_small@224", "mobilenetv4_conv_medium@256", "mobilenetv4_conv_large@224"] {
        check(&format!("timm/{name}"), TIMM);
    }
}

#[test]
fn efficientnet() {
    for name in ["efficientnet_b0@224", "efficientnet_b1@240", "efficientnet_b2@224"] {
        check(&format!("torchvision/{name}"), TORCHVISION);
    }
    // Filled by the formula, this one makes more of small differences: PyTorch's own f32 is off by 1.5e-5.
    check_within(
        &Tolerance(1e-4),
        "torchvision/efficientnet_v2_s@224",
        &build("efficientnet_v2_s"),
        TORCHVISION,
    );
    for name in ["efficientnet_b0", "efficientnet_b1"] {
        check(&format!("timm/{name}@224"), efficientnet::timm_name);
    }
}

#[test]
fn regnet() {
    for name in ["regnet_x_800mf", "regnet_y_400mf", "regnet_y_800mf"] {
        check(&format!("torchvision/{name}@224"), TORCHVISION);
    }
}

#[test]
fn convnext() {
    for name in ["convnext_tiny", "convnext_small"] {
        check(&format!("torchvision/{name}@224"), TORCHVISION);
    }
    check("timm/convnext_tiny@224", convnext::timm_name);
}

#[test]
fn vision_transformers() {
    for name in ["vit_b_16", "vit_b_32"] {
        check(&format!("torchvision/{name}@224"), TORCHVISION);
    }
    for name in
        ["vit_tiny_patch16_224", "vit_small_patch16_224", "vit_small_patch32_224", "deit_tiny_patch16_224"]
    {
        check(&format!("timm/{name}@224"), TIMM);
    }
    // torchvision's graph under timm's names.
    let ours = Vit { width: 192, heads: 3, ..Vit::base(16).torchvision() }.build("vit_tiny");
    check_network("timm/vit_tiny_patch16_224@224", &ours, vit::timm_name);
}

#[test]
fn clip_and_siglip() {
    for name in
        ["vit_base_patch16_clip_224", "vit_base_patch32_clip_quickgelu_224", "vit_base_patch16_siglip_224"]
    {
        check(&format!("timm/{name}@224"), TIMM);
    }
}

#[test]
fn dinov2() {
    check("timm/vit_small_patch14_dinov2@518", TIMM);
    // At 224 pixels timm makes positions for 16×16 patches from the start.
    let registers = |vit: Vit| Vit { registers: 4, interpolation: Interpolation::Antialiased, ..vit };
    for (name, vit) in [
        ("vit_small_patch14_dinov2", Vit::small(14).dinov2()),
        ("vit_small_patch14_reg4_dinov2", registers(Vit::small(14).dinov2())),
        ("vit_base_patch14_reg4_dinov2", registers(Vit::base(14).dinov2())),
    ] {
        let network = Vit { grid: 16, ..vit }.build(name);
        check_network(&format!("timm/{name}@224"), &network, TIMM);
    }
    // Positions for 37×37 patches, brought to 16×16.
    check("timm/vit_small_patch14_dinov2@518at224", TIMM);
    check("timm/vit_small_patch14_reg4_dinov2@518at224", TIMM);
}

#[test]
fn swin() {
    for name in ["swin_t", "swin_s"] {
        check(&format!("torchvision/{name}@224"), TORCHVISION);
    }
    check("timm/swin_tiny_patch4_window7_224@224", swin::timm_name);
}

#[test]
#[ignore = "minutes, and gibibytes"]
fn large_networks() {
    for name in ["resnext101_32x8d", "wide_resnet101_2", "densenet201", "regnet_x_8gf", "swin_b"] {
        check(&format!("torchvision/{name}@224"), TORCHVISION);
    }
    check("timm/convnext_base@224", convnext::timm_name);
    check("timm/vit_large_patch14_clip_224@224", TIMM);
}
