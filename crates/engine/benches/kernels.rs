//! Times kernels, each as a graph of one layer, on one thread:
//! `cargo bench --workspace --bench kernels -- [part of a row's name]`.
//!
//! Pictures have three channels and kernels many, so that most rows put a cheap layer first; what is told is the time of
//! the kernel's own steps, as the engine's observer gives it. A share is one of the peak of one thread.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "common/peak.rs"]
mod peak;

use criterion::{Criterion, SamplingMode};
use headstart_engine::Cpu;
use input::image::{Preprocessing, Resize};
use network::{Activation, Builder, Conv, Interpolation, NodeId, Pool};
use std::time::Duration;

/// As many as the engine takes through a step together.
const PICTURES: usize = 16;

/// Channels, output channels, kernel, stride, side of the map. Padded as networks pad; without, where windows are apart.
#[rustfmt::skip]
const CONVOLUTIONS: [(usize, usize, usize, usize, usize); 25] = [
    // ResNet-50's 1×1.
    (256, 64, 1, 1, 56), (64, 256, 1, 1, 56), (256, 512, 1, 2, 56), (512, 128, 1, 1, 28),
    (256, 1024, 1, 1, 14), (1024, 256, 1, 1, 14), (512, 2048, 1, 1, 7), (2048, 512, 1, 1, 7),
    // MobileNetV2's.
    (32, 16, 1, 1, 112), (16, 96, 1, 1, 112), (144, 24, 1, 1, 56), (64, 384, 1, 1, 14), (960, 160, 1, 1, 7),
    // Winograd.
    (64, 64, 3, 1, 56), (128, 128, 3, 1, 28), (256, 256, 3, 1, 14), (512, 512, 3, 1, 7), (512, 512, 3, 1, 28),
    // By 2.
    (128, 128, 3, 2, 56), (256, 256, 3, 2, 28),
    // On the picture itself: first layers, and patches.
    (3, 32, 3, 2, 224), (3, 64, 7, 2, 224), (3, 96, 4, 4, 224), (3, 768, 16, 16, 224), (3, 384, 14, 14, 518),
];

/// Channels, kernel, stride, side of the map.
#[rustfmt::skip]
const DEPTHWISE: [(usize, usize, usize, usize); 8] = [
    (32, 3, 1, 112), (144, 3, 1, 56), (576, 3, 1, 14), (96, 3, 2, 112),
    (240, 5, 1, 28), (144, 5, 2, 56), (96, 7, 1, 56), (384, 7, 1, 14),
];

/// A kernel, and the picture that it needs.
struct Row {
    name: String,
    side: usize,
    build: Build,
}

/// Gives the last node; those that are timed are called `kernel…`.
type Build = Box<dyn Fn(&mut Builder) -> NodeId>;

fn rows() -> Vec<Row> {
    let convolutions = CONVOLUTIONS.map(|(channels, out, kernel, stride, side)| {
        let conv = Conv::new(out, kernel).stride(stride).bias();
        let conv = if kernel == stride && kernel > 1 { conv.pad(0) } else { conv };
        on_map(
            &format!("{kernel}×{kernel} by {stride}, {channels} to {out}"),
            (channels, side),
            move |net, x| net.conv("kernel", x, conv),
        )
    });
    let depthwise = DEPTHWISE.map(|(channels, kernel, stride, side)| {
        let conv = Conv::new(channels, kernel).stride(stride).groups(channels).bias();
        on_map(
            &format!("depthwise {kernel}×{kernel} by {stride}, {channels}"),
            (channels, side),
            move |net, x| net.conv("kernel", x, conv),
        )
    });
    let others = [
        on_tokens("dense 384 to 1536, GELU", (384, 16), |net, x| {
            let x = net.linear("kernel", x, 1536);
            net.activation("kernel.gelu", x, Activation::Gelu)
        }),
        on_tokens("dense 1536 to 384", (1536, 16), |net, x| net.linear("kernel", x, 384)),
        on_tokens("attention, 6 heads of 64", (1152, 16), |net, x| net.attention("kernel", x, 6)),
        on_tokens("attention, 6 heads of 64", (1152, 37), |net, x| net.attention("kernel", x, 6)),
        on_map("windows of 7, 3 heads of 32", (288, 56), |net, x| {
            net.window_attention("kernel", "bias", x, 3, (7, 0))
        }),
        on_map("windows of 7 moved, 12 heads of 32", (1152, 14), |net, x| {
            net.window_attention("kernel", "bias", x, 12, (7, 3))
        }),
        on_tokens("layer norm, 384", (384, 16), |net, x| net.layer_norm("kernel", x, 1e-6)),
        on_map("layer norm, 96", (96, 56), |net, x| net.layer_norm("kernel", x, 1e-6)),
        on_map("max pool 3×3 by 2, 64", (64, 112), |net, x| {
            net.max_pool("kernel", x, Pool::new(3, 2).pad(1))
        }),
        on_map("gate, 240", (240, 28), |net, x| {
            let gates = net.adaptive_average_pool("gates", x, 1);
            net.gate("kernel", x, gates)
        }),
    ];
    convolutions.into_iter().chain(depthwise).chain(others).collect()
}

/// A kernel on a map of so many channels.
fn on_map(
    name: &str,
    (channels, side): (usize, usize),
    kernel: impl Fn(&mut Builder, NodeId) -> NodeId + 'static,
) -> Row {
    let build = move |net: &mut Builder| {
        let picture = net.input();
        let x = if channels == 3 { picture } else { net.conv("first", picture, Conv::new(channels, 1)) };
        kernel(net, x)
    };
    Row { name: format!("{name} on {side}²"), side, build: Box::new(build) }
}

/// A kernel on `side`² tokens and one before them.
fn on_tokens(
    name: &str,
    (width, side): (usize, usize),
    kernel: impl Fn(&mut Builder, NodeId) -> NodeId + 'static,
) -> Row {
    let build = move |net: &mut Builder| {
        let x = net.conv("first", net.input(), Conv::new(width, 1));
        let positions = ("positions", (side, side), true);
        let x = net.tokens("tokens", x, &[("token", 1)], positions, Interpolation::Antialiased);
        kernel(net, x)
    };
    Row { name: format!("{name} on {} tokens", side * side + 1), side, build: Box::new(build) }
}

/// A row that is ready to be run.
struct Kernel {
    engine: Cpu,
    input: Vec<f32>,
    /// Of all pictures; 0 where they are not counted.
    flops: f64,
}

impl Kernel {
    fn new(row: &Row) -> Kernel {
        let mut net = Builder::image();
        let x = (row.build)(&mut net);
        let x = net.global_average_pool("mean", x);
        let network = net.finish("kernel", x);
        let counts = network.multiplications_of_nodes(row.side, row.side).unwrap();
        let counts = network.nodes().iter().zip(counts).filter(|(node, _)| node.name.starts_with("kernel"));
        let flops = counts.map(|(_, count)| 2.0 * (count * PICTURES as u64) as f64).sum();
        let side = u32::try_from(row.side).unwrap();
        let how =
            Preprocessing { resize: Resize::Exact(side, side), crop: None, ..Preprocessing::imagenet() };
        let engine = Cpu::new(common::filled(network), &how.into()).unwrap();
        Kernel { engine, input: common::image(row.side, PICTURES), flops }
    }

    /// What the kernel itself takes for all pictures.
    fn time(&mut self) -> Duration {
        let mut taken = Duration::ZERO;
        let observe =
            |step: &str, time| taken += if step.starts_with("kernel") { time } else { Duration::ZERO };
        self.engine.run_tensor(&self.input, PICTURES, observe).unwrap();
        assert!(taken > Duration::ZERO, "no step is called kernel");
        taken
    }
}

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let times = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(100));
    let mut criterion = times.measurement_time(Duration::from_millis(500)).configure_from_args();
    let mut group = criterion.benchmark_group("kernels");
    // As many runs in every sample, since a run takes milliseconds.
    group.sampling_mode(SamplingMode::Flat);
    let (mut peak, mut table) = (0.0_f64, Vec::new());
    for row in rows() {
        let (mut ready, mut best) = (None, Duration::MAX);
        group.bench_function(&row.name, |bencher| {
            // Only where the row was asked for.
            let kernel = ready.get_or_insert_with(|| Kernel::new(&row));
            bencher.iter_custom(|runs| {
                let times: Vec<Duration> = (0..runs).map(|_| kernel.time()).collect();
                best = times.iter().copied().min().map_or(best, |time| time.min(best));
                times.iter().sum()
            });
        });
        if let Some(Kernel { flops, .. }) = ready {
            // Again and again, since whatever else the machine does at that moment lowers it.
            peak = peak.max(peak::peak(1));
            table.push((row.name, best.as_secs_f64(), flops));
        }
    }
    group.finish();
    println!("The best of all runs; one thread's peak is {:.0} GFLOP/s.", peak / 1e9);
    for (name, seconds, flops) in table {
        let rate = flops / seconds;
        let figures = format!(", {:>5.1} GFLOP/s, {:.2} of the peak", rate / 1e9, rate / peak);
        let figures = if flops > 0.0 { figures } else { String::new() };
        println!("{name:<48} {:>8.3} ms a picture{figures}", seconds * 1e3 / PICTURES as f64);
    }
}
