//! Trained weights against PyTorch's outputs on one photograph. Skipped where the files are not at hand.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use common::{Tolerance, golden};
use headstart_engine::{Cpu, Reference};
use input::image::Preprocessing;

const TOLERANCE: Tolerance = Tolerance(1e-5);

#[test]
fn outputs_are_pytorchs() {
    let how = Preprocessing::imagenet().into();
    for network in golden::networks() {
        let reference = Reference::new(network.bound.clone(), &how).unwrap();
        let reference = reference.run_tensor(&network.input, [1, 3, 224, 224]).unwrap();
        let cpu = Cpu::new(network.bound, &how).unwrap().run_tensor(&network.input, 1, |_, _| {}).unwrap();
        for ((key, expected), (reference, cpu)) in network.expected.iter().zip(reference.iter().zip(&cpu)) {
            TOLERANCE.check(&format!("{key}, reference"), reference, expected);
            TOLERANCE.check(&format!("{key}, cpu"), cpu, expected);
        }
    }
}
