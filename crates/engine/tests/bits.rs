//! A feature's bits depend on its picture alone: not on threads, nor on what else is in the batch.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use artifact::{Channels, Preprocessing, Resize};
use headstart_engine::{EngineError, Reference};
use network::zoo;

fn small(side: u32) -> Preprocessing {
    Preprocessing { resize: Resize::Exact(side, side), crop: None, ..Preprocessing::imagenet() }
}

fn pixels(side: usize, n: usize) -> Vec<u8> {
    (0..n * side * side * 3).map(|i| (common::uniform("pixels", i) * 256.0) as u8).collect()
}

#[test]
fn threads_and_batches_leave_bits_alone() {
    // Sides that are no multiple of anything, so that every kind of remainder is met.
    for (name, taps, side) in [
        ("headstart_tiny", &["pooled", "layer2"] as &[&str], 64),
        ("resnet18", &["pooled"], 97),
        ("resnet50", &["layer2"], 75),
        ("mobilenet_v2", &["pooled", "logits"], 97),
        ("squeezenet1_1", &["gap"], 97),
        ("vgg11", &["gap"], 45),
    ] {
        let network = (zoo::find(name).unwrap().build)().for_taps(taps).unwrap();
        let reference = Reference::new(common::filled(network), &small(side)).unwrap();
        let side = side as usize;
        let pixels = pixels(side, 7);
        let one = side * side * 3;
        let run = |threads, first: usize, n: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| reference.run(&pixels[first * one..][..n * one], n)).unwrap()
        };
        let whole = run(1, 0, 7);
        for threads in [1, 2, 5] {
            for (first, n) in [(0, 7), (0, 3), (3, 3), (6, 1)] {
                for ((part, whole), d) in run(threads, first, n).iter().zip(&whole).zip(reference.widths()) {
                    let whole = &whole[first * d..][..n * d];
                    let same = part.iter().map(|x| x.to_bits()).eq(whole.iter().map(|x| x.to_bits()));
                    assert!(same, "{name}: {n} pictures from {first} on {threads} threads");
                }
            }
        }
        assert_ne!(
            whole[0][..reference.widths()[0]],
            whole[0][reference.widths()[0]..][..reference.widths()[0]]
        );
    }
}

#[test]
fn bytes_are_normalised_in_the_networks_channel_order() {
    let network = (zoo::find("headstart_tiny").unwrap().build)().for_taps(&["input"]).unwrap();
    let caffe = Preprocessing { resize: Resize::Exact(1, 2), ..Preprocessing::keras_caffe() };
    assert_eq!(caffe.channels, Channels::Bgr);
    let reference = Reference::new(common::filled(network), &caffe).unwrap();
    let means = reference.run(&[10, 20, 30, 14, 24, 34], 1).unwrap();
    let expected = [32.0 - 103.939, 22.0 - 116.779, 12.0 - 123.68_f32];
    common::Tolerance(1e-6).check("means of bytes", &means[0], &expected);
}

#[test]
fn what_cannot_be_run_is_an_error() {
    let build = |name: &str, taps: &[&str]| {
        common::filled((zoo::find(name).unwrap().build)().for_taps(taps).unwrap())
    };
    let varying = Preprocessing { crop: None, ..Preprocessing::imagenet() };
    let error = Reference::new(build("headstart_tiny", &["pooled"]), &varying).err().unwrap();
    assert!(matches!(error, EngineError::VaryingSize), "{error}");

    let error = Reference::new(build("vgg11", &["gap"]), &small(31)).err().unwrap().to_string();
    assert!(
        error.contains("31×31 pixels is too small for vgg11") && error.contains("at least 32×32"),
        "{error}"
    );

    let reference = Reference::new(build("headstart_tiny", &["pooled"]), &small(64)).unwrap();
    let error = reference.run(&[0; 100], 1).err().unwrap().to_string();
    assert_eq!(error, "expected 12288 values for 1 pictures, got 100");
    assert_eq!(reference.run(&[], 0).unwrap(), [Vec::<f32>::new()]);
}
