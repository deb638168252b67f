//! The zoo against torchvision and timm in float64, every parameter filled by a formula: relative L2 error at most 1e-5,
//! of the reference and of the CPU engine.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use common::rows::{self, Row};
use headstart_engine::{Cpu, Isa, Precision, Reference};
use std::time::Instant;

/// Checks rows one after the other: some networks need a gibibyte for their weights. All taps in one pass.
fn check(rows: Vec<Row>) {
    for row in rows {
        let (peer, side, expected) = (&row.peer, row.side(), row.expected());
        let input = common::image(side, 2);
        let reference = Reference::new(row.filled(), &common::sized(side)).unwrap();
        let outputs = reference.run_tensor(&input, [2, 3, side, side]).unwrap();
        drop(reference);
        let mut cpu = Cpu::new(row.filled(), &common::sized(side)).unwrap();
        let start = Instant::now();
        let ours = cpu.run_tensor(&input, 2, |_, _| {}).unwrap();
        println!("{peer}: {:.2} images/s", 2.0 / start.elapsed().as_secs_f64());
        assert!(outputs.len() == expected.len() && ours.len() == expected.len());
        for ((tap, values), (got, ours)) in expected.iter().zip(outputs.iter().zip(&ours)) {
            row.tolerance.check(&format!("{peer}/{tap}, reference"), got, values);
            row.tolerance.check(&format!("{peer}/{tap}, cpu"), ours, values);
        }
    }
}

/// Of each family one, in bf16: the network is held to what [`Precision::tolerance`] asks of its probes.
#[test]
fn families_in_bf16() {
    let families = [
        rows::residual_networks(),
        rows::vgg(),
        rows::squeezenet(),
        rows::densenet(),
        rows::mobilenets(),
        rows::mnasnet_and_shufflenet(),
        rows::efficientnet(),
        rows::regnet(),
        rows::convnext(),
        rows::vision_transformers(),
        rows::clip_and_siglip(),
        rows::dinov2(),
        rows::swin(),
    ];
    let mut largest = 0.0_f64;
    for row in families.into_iter().filter_map(|rows| rows.into_iter().next()) {
        let input = common::image(row.side(), 2);
        let mut cpu =
            Cpu::with(row.filled(), &common::sized(row.side()), Isa::best(), Precision::Bf16).unwrap();
        let ours = cpu.run_tensor(&input, 2, |_, _| {}).unwrap();
        for ((tap, values), ours) in row.expected().iter().zip(&ours) {
            let tolerance = common::Tolerance(Precision::Bf16.tolerance());
            tolerance.check(&format!("{}/{tap}, bf16", row.peer), ours, values);
            largest = common::error(ours, values).max(largest);
        }
    }
    assert!(largest > 1e-4, "{largest:.1e} is no bf16");
}

#[test]
fn residual_networks() {
    check(rows::residual_networks());
}

#[test]
fn vgg() {
    check(rows::vgg());
}

#[test]
fn alexnet() {
    check(rows::alexnet());
}

#[test]
fn squeezenet() {
    check(rows::squeezenet());
}

#[test]
fn inception() {
    check(rows::inception());
}

#[test]
fn densenet() {
    check(rows::densenet());
}

#[test]
fn mobilenets() {
    check(rows::mobilenets());
}

#[test]
fn mnasnet_and_shufflenet() {
    check(rows::mnasnet_and_shufflenet());
}

#[test]
fn efficientnet() {
    check(rows::efficientnet());
}

#[test]
fn regnet() {
    check(rows::regnet());
}

#[test]
fn convnext() {
    check(rows::convnext());
}

#[test]
fn vision_transformers() {
    check(rows::vision_transformers());
}

#[test]
fn clip_and_siglip() {
    check(rows::clip_and_siglip());
}

#[test]
fn dinov2() {
    check(rows::dinov2());
}

#[test]
fn swin() {
    check(rows::swin());
}

#[test]
#[ignore = "minutes, and gibibytes"]
fn large_networks() {
    check(rows::large_networks());
}
