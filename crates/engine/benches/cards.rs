//! Times networks on a card, step by step:
//! `cargo bench --workspace --features headstart-extract/cuda --bench cards -- resnet50 --batch 256 --precision bf16 --layers
//! [--size 224] [--tap layer3] [--unit warp] [--rounds 20]`. Without a card it says 'skipped'.
//!
//! Weights and pictures are formula-made: speed does not depend on them, but on zeros a card would be faster than it is.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/common/mod.rs"]
mod common;

use headstart_engine::{
    Precision,
    cuda::{Card, CardError, Cuda, Driver, Unit},
};
use input::{Recipe, image::Resize};
use network::zoo;
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let value = |flag: &str| args.iter().position(|arg| arg == flag).map(|at| args[at + 1].as_str());
    let number = |flag: &str, default: usize| value(flag).map_or(default, |text| text.parse().unwrap());
    let (batch, rounds) = (number("--batch", 256), number("--rounds", 20));
    let precision: Precision = value("--precision").unwrap_or("bf16").parse().unwrap();
    let layers = args.iter().any(|arg| arg == "--layers");
    let names = args.first().filter(|arg| !arg.starts_with("--"));
    let names =
        names.map_or("resnet18,resnet50,vgg16,vit_small_patch14_dinov2,convnext_tiny", String::as_str);
    for name in names.split(',') {
        let card = match Driver::open(0) {
            Ok(card) => card,
            Err(CardError::Absent(why)) => return println!("skipped: {why}"),
            Err(error) => panic!("{error}"),
        };
        let unit = match value("--unit") {
            None => Unit::best(&card, precision).unwrap(),
            Some("warp") => Unit::Warp,
            Some(_) => Unit::Warpgroup,
        };
        let entry = zoo::find(name).unwrap();
        let tap = value("--tap").unwrap_or(entry.default_tap);
        let network = entry.network().for_taps(&[tap]).unwrap();
        let Recipe::Image(mut how) = (entry.recipe)() else { panic!("of pictures") };
        if let size @ 1.. = number("--size", 224) {
            let side = u32::try_from(size).unwrap();
            (how.resize, how.crop) = (Resize::Exact(side, side), None);
        }
        let (height, width) = how.output_size().unwrap();
        let counts = network.multiplications_of_nodes(height as usize, width as usize).unwrap();
        let gigaflops = counts.iter().map(|count| 2.0 * *count as f64).sum::<f64>() / 1e9;
        let bound = common::filled(network);
        let mut cuda = Cuda::with_unit(card, bound, &how.into(), precision, Some(batch), unit).unwrap();
        let (batch, picture) = (cuda.batch(), (height * width * 3) as usize);
        let pixels: Vec<u8> =
            (0..batch * picture).map(|i| (common::uniform("bytes", i % 1_000_003) * 256.0) as u8).collect();
        let ends: Vec<usize> = (1..=batch).map(|i| i * picture).collect();
        // Once as it is, once recorded.
        let mut free = Vec::new();
        for _ in 0..2 {
            let mut staging = cuda.staging().unwrap();
            staging[..pixels.len()].copy_from_slice(&pixels);
            free.push(staging);
        }
        let mut kernels = Vec::new();
        let mut under_way = 0;
        let mut start = Instant::now();
        for round in 0..rounds + 6 {
            if round == 6 {
                start = Instant::now();
            }
            let before = cuda.spent().kernels;
            cuda.submit(free.pop().unwrap(), &ends).unwrap();
            under_way += 1;
            if under_way == 2 {
                free.push(cuda.collect().unwrap().unwrap().pixels);
                under_way -= 1;
                kernels.push((cuda.spent().kernels - before).as_secs_f64());
            }
        }
        while let Some(features) = cuda.collect().unwrap() {
            free.push(features.pixels);
        }
        // One more, which was given just before the clock started.
        let wall = start.elapsed().as_secs_f64() / ((rounds + 1) * batch) as f64;
        let mut kernels = kernels.split_off(5);
        kernels.sort_by(f64::total_cmp);
        let median = kernels[kernels.len() / 2] / batch as f64;
        println!(
            "{name}: {:.1} images/s by kernels, {:.1} with copies, {:.1} TFLOP/s, {precision} by {unit:?}s, batch {batch}, {:.2} GFLOP a picture, on {}",
            1.0 / median,
            1.0 / wall,
            gigaflops / median / 1e3,
            gigaflops,
            cuda.card().description().name
        );
        if layers {
            cuda.profile().unwrap();
            for (step, kernel, time) in cuda.profile().unwrap() {
                println!("{:>9.1} us  {kernel:<24} {step}", time.as_secs_f64() * 1e6);
            }
        }
    }
}
