//! Whole networks on the emulated card, against torchvision and timm in float64 and against the engine on the processor.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../../crates/engine/tests/common/mod.rs"]
mod common;

use artifact::{Preprocessing, Resize};
use common::Tolerance;
use emulator::Emulator;
use engine::{
    Cpu,
    cuda::{Cuda, Precision},
};
use network::{Network, zoo};
use std::time::Instant;

/// Relative L2 errors that pass.
fn tolerance(precision: Precision) -> Tolerance {
    Tolerance(match precision {
        Precision::F32 => 1e-5,
        Precision::Tf32 => 1e-3,
        Precision::Bf16 | Precision::F16 => 1e-2,
    })
}

fn sized(side: usize) -> Preprocessing {
    let side = u32::try_from(side).unwrap();
    let (resize, crop) = (Resize::Exact(side, side), Some((side, side)));
    Preprocessing { resize, crop, ..Preprocessing::imagenet() }
}

/// Holds a network at some taps, on pictures of some side, against the engine on the processor.
fn check(name: &str, taps: &[&str], side: usize, precisions: &[Precision]) {
    let network: Network = (zoo::find(name).unwrap().build)().for_taps(taps).unwrap();
    let bound = || common::filled(network.clone());
    let input = common::image(side, 2);
    let expected = Cpu::new(bound(), &sized(side)).unwrap().run_tensor(&input, 2, |_, _| {}).unwrap();
    for precision in precisions {
        let start = Instant::now();
        let card = Emulator::new(4 << 30);
        let mut cuda = Cuda::new(card, bound(), &sized(side), *precision, Some(2)).unwrap();
        let got = cuda.run_tensor(&input, 2).unwrap();
        println!("{name} at {side} in {precision}: {:.1} s", start.elapsed().as_secs_f64());
        for ((tap, got), expected) in taps.iter().zip(&got).zip(&expected) {
            tolerance(*precision).check(&format!("{name}/{tap} in {precision}"), got, expected);
        }
    }
}

#[test]
fn the_embedded_network() {
    check("headstart_tiny", &["pooled", "layer2"], 64, &Precision::ALL);
}

#[test]
fn residual_networks() {
    check("resnet18", &["pooled", "layer3"], 64, &Precision::ALL);
    check("resnext50_32x4d", &["pooled"], 64, &[Precision::F32, Precision::Bf16]);
}
