//! A feature's bits depend on its picture alone: not on threads, nor on what else is in the batch.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use common::RunAlike;
use headstart_engine::{Cpu, EngineError, Executor, Isa, Precision, Reference};
use input::{
    Recipe,
    image::{Channels, Preprocessing, Resize},
};
use network::zoo;

fn small(side: u32) -> Recipe {
    Preprocessing { resize: Resize::Exact(side, side), crop: None, ..Preprocessing::imagenet() }.into()
}

fn pixels(side: usize, n: usize) -> Vec<u8> {
    (0..n * side * side * 3).map(|i| (common::uniform("pixels", i) * 256.0) as u8).collect()
}

/// Networks, taps and sides that are no multiple of anything, so that every kind of remainder is met.
const CASES: [(&str, &[&str], u32); 9] = [
    ("headstart_tiny", &["pooled", "layer2"], 64),
    ("resnet18", &["pooled"], 97),
    ("resnet50", &["layer2"], 75),
    ("mobilenet_v2", &["pooled", "logits"], 97),
    ("squeezenet1_1", &["gap"], 97),
    ("vgg11", &["gap"], 45),
    // Large maps, which are taken in strips.
    ("mobilenet_v2", &["features.3"], 203),
    ("vgg11_bn", &["features.0", "input"], 45),
    // The picture's lines are pairs of numbers, and strips see some of them.
    ("resnet18", &["layer1.0.conv1"], 224),
];

fn network(name: &str, taps: &[&str]) -> weights::Bound {
    common::filled(zoo::find(name).unwrap().network().for_taps(taps).unwrap())
}

fn bits(rows: &[f32]) -> Vec<u32> {
    rows.iter().map(|x| x.to_bits()).collect()
}

/// Runs seven pictures in one batch on one thread, and asks for the same bits of other batches on more threads.
fn check_batches(what: &str, side: u32, executor: &mut (impl Executor + Send)) -> Vec<Vec<f32>> {
    let (side, widths) = (side as usize, executor.widths().to_vec());
    let (pixels, one) = (pixels(side, 7), side * side * 3);
    let mut run = |threads, first: usize, n: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| executor.run_alike(&pixels[first * one..][..n * one], n).unwrap())
    };
    let whole = run(1, 0, 7);
    for threads in [1, 2, 5] {
        for (first, n) in [(0, 7), (0, 3), (3, 3), (6, 1)] {
            for ((part, whole), d) in run(threads, first, n).iter().zip(&whole).zip(&widths) {
                let same = bits(part) == bits(&whole[first * d..][..n * d]);
                assert!(same, "{what}: {n} pictures from {first} on {threads} threads");
            }
        }
    }
    let d = widths[0];
    assert_ne!(whole[0][..d], whole[0][d..2 * d], "{what}: two pictures have the same features");
    whole
}

#[test]
fn threads_batches_and_instruction_sets_leave_bits_alone() {
    for ((name, taps, side), precision) in
        CASES.into_iter().flat_map(|case| [(case, Precision::F32), (case, Precision::Bf16)])
    {
        let cpu = |isa| Cpu::with(network(name, taps), &small(side), isa, precision).unwrap();
        let expected = check_batches(name, side, &mut cpu(Isa::best()));
        for isa in Isa::available() {
            let got = cpu(isa).run_alike(&pixels(side as usize, 7), 7).unwrap();
            let same = got.iter().zip(&expected).all(|(got, expected)| bits(got) == bits(expected));
            assert!(same, "{name}: {isa:?} gives other bits than {:?} in {precision}", Isa::best());
            println!("{name}: {isa:?} gives the same bits in {precision}");
        }
    }
}

#[test]
fn the_reference_leaves_bits_alone_for_threads_and_batches() {
    for (name, taps, side) in &CASES[..3] {
        let mut reference = Reference::new(network(name, taps), &small(*side)).unwrap();
        check_batches(name, *side, &mut reference);
    }
}

#[test]
fn a_taps_bits_do_not_depend_on_the_other_taps() {
    // Taps within what is computed at one go: before a batch norm, before a sum, before an activation, at the picture.
    let taps = ["pooled", "layer1.0.conv1", "layer2.0.bn2", "layer3.0.add", "layer2.0.downsample.0", "input"];
    let (side, pixels) = (64, pixels(64, 2));
    let run = |taps: &[&str]| {
        Cpu::new(network("headstart_tiny", taps), &small(side)).unwrap().run_alike(&pixels, 2).unwrap()
    };
    for (tap, among) in taps.iter().zip(run(&taps)) {
        assert_eq!(bits(&run(&[tap])[0]), bits(&among), "{tap}");
    }
}

#[test]
fn both_engines_agree_at_any_size() {
    for (name, taps, side) in CASES {
        let pixels = pixels(side as usize, 2);
        let cpu = Cpu::new(network(name, taps), &small(side)).unwrap().run_alike(&pixels, 2).unwrap();
        let reference =
            Reference::new(network(name, taps), &small(side)).unwrap().run_alike(&pixels, 2).unwrap();
        for (tap, (cpu, reference)) in taps.iter().zip(cpu.iter().zip(&reference)) {
            common::Tolerance(1e-5).check(&format!("{name} at {side}, {tap}"), cpu, reference);
        }
    }
}

#[test]
fn bytes_are_normalised_in_the_networks_channel_order() {
    let caffe = Preprocessing { resize: Resize::Exact(1, 2), ..Preprocessing::keras_caffe() };
    assert_eq!(caffe.channels, Channels::Bgr);
    let caffe = caffe.into();
    let pixels = [10, 20, 30, 14, 24, 34];
    let reference =
        Reference::new(network("headstart_tiny", &["input"]), &caffe).unwrap().run_alike(&pixels, 1).unwrap();
    let cpu = Cpu::new(network("headstart_tiny", &["input"]), &caffe).unwrap().run_alike(&pixels, 1).unwrap();
    let expected = [32.0 - 103.939, 22.0 - 116.779, 12.0 - 123.68_f32];
    for (what, means) in [("reference", reference), ("cpu", cpu)] {
        common::Tolerance(1e-6).check(&format!("means of bytes, {what}"), &means[0], &expected);
    }
}

#[test]
fn what_cannot_be_run_is_an_error() {
    let varying = Preprocessing { crop: None, ..Preprocessing::imagenet() }.into();
    let tiny = || network("headstart_tiny", &["pooled"]);
    for error in [Reference::new(tiny(), &varying).err().unwrap(), Cpu::new(tiny(), &varying).err().unwrap()]
    {
        assert!(matches!(error, EngineError::VaryingSize), "{error}");
    }
    let vgg = || network("vgg11", &["gap"]);
    for error in
        [Reference::new(vgg(), &small(31)).err().unwrap(), Cpu::new(vgg(), &small(31)).err().unwrap()]
    {
        let error = error.to_string();
        assert!(
            error.contains("31×31 pixels is too small for vgg11") && error.contains("at least 32×32"),
            "{error}"
        );
    }
    let (mut reference, mut cpu) =
        (Reference::new(tiny(), &small(64)).unwrap(), Cpu::new(tiny(), &small(64)).unwrap());
    for error in
        [reference.run_alike(&[0; 100], 1).err().unwrap(), cpu.run_alike(&[0; 100], 1).err().unwrap()]
    {
        assert_eq!(error.to_string(), "expected 12288 values for 1 pictures, got 100");
    }
    assert_eq!(reference.run_alike(&[], 0).unwrap(), [Vec::<f32>::new()]);
    assert_eq!(cpu.run_alike(&[], 0).unwrap(), [Vec::<f32>::new()]);
}
