//! Times networks of texts, in tokens a second and as a share of the peak:
//! `cargo bench --workspace --bench texts -- [minilm,bert_base] --threads 2 --texts 256 [--long]
//! [--precision bf16]`.
//!
//! Texts have 16 tokens in the mean, as short sentences do; 160 with `--long`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "common/peak.rs"]
mod peak;

use common::text_networks::{BASE, text};
use headstart_engine::{Cpu, Executor as _, Isa, Precision};
use input::Inputs;
use network::families::bert::{self, Bert};
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let value = |flag: &str, default: usize| {
        args.iter().position(|arg| arg == flag).map_or(default, |at| args[at + 1].parse().unwrap())
    };
    let (threads, texts, rounds) = (value("--threads", 2), value("--texts", 256), value("--rounds", 5));
    let precision = args.iter().position(|arg| arg == "--precision");
    let precision = precision.map_or(Precision::F32, |at| args[at + 1].parse().unwrap());
    let mean = if args.iter().any(|arg| arg == "--long") { 160.0 } else { 16.0 };
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let named = args.first().filter(|arg| !arg.starts_with("--")).map_or("minilm,bert_base", String::as_str);
    for name in named.split(',') {
        let (width, depth) = if name == "minilm" { (384, 6) } else { (768, 12) };
        let sizes = Bert { width, embedded: width, depth, heads: 12, hidden: 4 * width, ..BASE };
        let network = sizes.network("bert", None).for_taps(&["mean"]).unwrap();
        let flops: u64 = network.multiplications_of_nodes(1, 1).unwrap().iter().sum();
        let bound = common::filled_in_parts(network, bert::bert);
        let mut cpu = Cpu::with(bound, &common::texts(), Isa::best(), precision).unwrap();
        // Half to three halves of the mean.
        let lengths = (0..texts).map(|i| (mean * (0.5 + common::uniform("lengths", i))) as usize);
        let texts: Vec<Vec<u8>> = lengths
            .map(|length| text((0..length).map(|at| (common::uniform("tokens", at) * 1000.0) as u32)))
            .collect();
        let tokens = texts.iter().map(|text| text.len() / 4).sum::<usize>();
        let inputs = Inputs::of(texts);
        let mut seconds = Vec::new();
        for round in 0..rounds + 1 {
            let start = Instant::now();
            cpu.run(inputs.batch()).unwrap();
            if round > 0 {
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        seconds.sort_by(f64::total_cmp);
        let rate = tokens as f64 / seconds[seconds.len() / 2];
        let (flops, peak) = (2.0 * flops as f64 * rate, peak::peak(threads));
        println!(
            "{name}: {rate:.0} tokens/s (best {:.0}), {:.0} GFLOP/s, {:.3} of the peak of {:.0}",
            tokens as f64 / seconds[0],
            flops / 1e9,
            flops / peak,
            peak / 1e9
        );
    }
}
