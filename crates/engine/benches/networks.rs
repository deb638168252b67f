//! Times networks, layer by layer:
//! `cargo bench -p headstart-engine -- resnet18 --threads 2 --batch 16 --layers [--size 224] [--isa Avx2]
//! [--precision bf16]`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "common/peak.rs"]
mod peak;

use headstart_engine::{Cpu, Isa, Precision};
use input::{Recipe, image::Resize};
use network::zoo;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Those that are timed where none is named.
const USUAL: [&str; 8] = [
    "resnet18",
    "vgg16",
    "resnet50",
    "mobilenet_v2",
    "efficientnet_b0",
    "convnext_tiny",
    "vit_small_patch16_224",
    "swin_t",
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let value = |flag: &str, default: usize| {
        args.iter().position(|arg| arg == flag).map_or(default, |at| args[at + 1].parse().unwrap())
    };
    let (threads, batch, rounds) = (value("--threads", 2), value("--batch", 16), value("--rounds", 5));
    let layers = args.iter().any(|arg| arg == "--layers");
    let isa = match args.iter().position(|arg| arg == "--isa").map(|at| args[at + 1].as_str()) {
        None => Isa::best(),
        Some(name) => Isa::available().into_iter().find(|isa| format!("{isa:?}") == name).unwrap(),
    };
    let precision = args.iter().position(|arg| arg == "--precision");
    let precision = precision.map_or(Precision::F32, |at| args[at + 1].parse().unwrap());
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let names: Vec<&str> = match args.first().filter(|arg| !arg.starts_with("--")) {
        Some(names) => names.split(',').collect(),
        None => USUAL.to_vec(),
    };
    for name in names {
        let entry = zoo::find(name).unwrap();
        let network = entry.network().for_taps(&[entry.default_tap]).unwrap();
        let Recipe::Image(mut how) = (entry.recipe)() else { panic!("of pictures") };
        if let size @ 1.. = value("--size", 0) {
            let side = u32::try_from(size).unwrap();
            (how.resize, how.crop) = (Resize::Exact(side, side), None);
        }
        let (height, width) = how.output_size().unwrap();
        let (height, width) = (height as usize, width as usize);
        let counts = network.multiplications_of_nodes(height, width).unwrap();
        let flops: Vec<f64> = counts.into_iter().map(|count| 2.0 * count as f64).collect();
        let layer_flops: BTreeMap<String, f64> =
            network.nodes().iter().map(|node| node.name.clone()).zip(flops.iter().copied()).collect();
        let flops: f64 = flops.iter().sum();
        let mut cpu = Cpu::with(common::filled(network), &how.into(), isa, precision).unwrap();
        let input: Vec<f32> =
            (0..batch * 3 * height * width).map(|i| common::uniform("input", i) as f32).collect();
        let mut seconds = Vec::new();
        let mut times: BTreeMap<String, (usize, Duration)> = BTreeMap::new();
        // It gets everything ready once it has seen more pictures than the probes.
        let warm = 8_usize.div_ceil(batch);
        for round in 0..rounds + warm {
            let start = Instant::now();
            cpu.run_tensor(&input, batch, |step, time| {
                if round >= warm {
                    let order = times.len();
                    let entry = times.entry(step.to_owned()).or_insert((order, time));
                    entry.1 = entry.1.min(time);
                }
            })
            .unwrap();
            if round >= warm {
                seconds.push(start.elapsed().as_secs_f64() / batch as f64);
            }
        }
        seconds.sort_by(f64::total_cmp);
        let (best, median) = (seconds[0], seconds[seconds.len() / 2]);
        let peak = peak::peak(threads);
        println!(
            "{name}: {:.2} images/s (best {:.2}), {:.0} effective GFLOP/s, {:.2} of the peak of {:.0}",
            1.0 / median,
            1.0 / best,
            flops / median / 1e9,
            flops / median / peak,
            peak / 1e9
        );
        if layers {
            let mut times: Vec<_> = times.into_iter().collect();
            times.sort_by_key(|(_, (order, _))| *order);
            for (step, (_, time)) in times {
                let seconds = time.as_secs_f64() / batch as f64;
                let share = layer_flops.get(&step).copied().unwrap_or(0.0) / seconds / peak;
                println!("{:>9.3} ms {share:>6.2}  {step}", seconds * 1e3);
            }
        }
    }
}
