//! How long the last stage of a network takes to run forth and back, beside the engine's run of the same: medians of some rounds,
//! taken in turns.
//!
//! `cargo bench --workspace --bench steps -- [NETWORK [SAMPLES]]`

#![expect(clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/cases/mod.rs"]
mod cases;

use cases::{filled, last_stage, numbers};
use engine::{Cpu, Isa};
use headstart_train::{Inputs, Learner};
use network::{Op, zoo};
use std::{error::Error, hint::black_box, time::Instant};

/// Networks, and from which percentile of their nodes on they learn.
const STAGES: [(&str, usize); 5] = [
    ("resnet18", 72),
    ("resnet50", 80),
    ("mobilenet_v2", 80),
    ("vit_small_patch16_224", 80),
    ("convnext_tiny", 80),
];
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let samples = words.get(1).map_or(Ok(32), |word| word.parse())?;
    println!(
        "| stage of | first node | samples | engine, ms | forth, ms | forth and back, ms | times the engine |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, from) in STAGES.iter().filter(|(name, _)| words.first().is_none_or(|word| word == name)) {
        stage(name, *from, samples)?;
    }
    Ok(())
}

fn stage(name: &str, from: usize, samples: usize) -> Result<(), Box<dyn Error>> {
    let entry = zoo::find(name)?;
    let network = last_stage(&entry.network().for_taps(&[entry.default_tap])?, from, (224, 224));
    let Op::Given { shape } = network.nodes()[0].op else {
        return Err("the stage reads something else".into());
    };
    let first = network.nodes()[1].name.clone();
    let bound = filled(network);
    let engine = Cpu::given(bound.clone(), Isa::best())?;
    let learner = Learner::new(bound, 224, 224)?.learning(|_| true);
    let rows = numbers(1, samples * shape.len());
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(engine.run_rows(&rows)?);
        times[0].push(start.elapsed());
        let start = Instant::now();
        let run = learner.run(&Inputs { samples, ends: &[], given: &[&rows] })?;
        times[1].push(start.elapsed());
        let along = numbers(2, run.outputs()[0].len());
        black_box(learner.gradients(run, &[&along])?);
        times[2].push(start.elapsed());
    }
    let [engine, forth, both] = times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64() * 1e3
    });
    println!(
        "| {name} | {first} | {samples} | {engine:.1} | {forth:.1} | {both:.1} | {:.2} |",
        both / engine
    );
    Ok(())
}
