//! Every kind of graph as an ONNX file: what is read back and run, node by node, is what the reference executor gives.
//! The files stay in `target/tmp/onnx`, with inputs and expected features, for `tests/peers/onnx_model.py`.

use super::{GRAPHS, build, common, exactly};
use common::Tolerance;
use headstart_engine::{EngineError, Interpreter, Reference};
use network::zoo;
use safetensors::{Dtype, tensor::TensorView};
use std::{fs, path::PathBuf, time::Instant};
use weights::Bound;

fn written(bound: &Bound, size: (usize, usize)) -> Vec<u8> {
    let mut bytes = Vec::new();
    onnx::write(&mut bytes, bound, size, &[]).unwrap();
    bytes
}

/// The folder that files are left in.
fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes, reads, runs and compares; leaves the files as `stem`.
fn check(about: &str, bound: Bound, (h, w): (usize, usize), input: &[f32], stem: Option<String>) {
    let how = exactly((h as u32, w as u32));
    let bytes = written(&bound, (h, w));
    let n = input.len() / (3 * h * w);
    let expected = Reference::new(bound, &how).unwrap().run_tensor(input, [n, 3, h, w]).unwrap();
    let start = Instant::now();
    let model = onnx::read(&bytes).unwrap_or_else(|error| panic!("{about}: {error}"));
    let got = Interpreter::new(model, &how).unwrap().run_tensor(input, n);
    let got = got.unwrap_or_else(|error| panic!("{about}: {error}"));
    println!("{about}: {:.1?}", start.elapsed());
    Tolerance(1e-5).check(about, &got[0], &expected[0]);

    let Some(stem) = stem else { return };
    let raw = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let (input, features) = (raw(input), raw(&expected[0]));
    let views = [
        ("input", TensorView::new(Dtype::F32, vec![n, 3, h, w], &input).unwrap()),
        ("features", TensorView::new(Dtype::F32, vec![n, expected[0].len() / n], &features).unwrap()),
    ];
    let metadata = Some([("graph".to_owned(), about.to_owned())].into());
    safetensors::serialize_to_file(views, metadata, &folder().join(format!("{stem}.safetensors"))).unwrap();
    fs::write(folder().join(format!("{stem}.onnx")), bytes).unwrap();
}

#[test]
fn files_give_what_the_reference_gives() {
    for size in [(24, 24), (4, 12), (13, 7), (5, 9), (2, 31), (1, 1)] {
        let (h, w) = size;
        let input: Vec<f32> =
            (0..3 * 3 * h * w).map(|i| (4.0 * common::uniform("input", i) - 2.0) as f32).collect();
        for (at, (name, channels, graph)) in GRAPHS.iter().enumerate() {
            let network = build(name, *channels, *graph);
            if network.shapes(h, w).is_ok() {
                let stem = Some(format!("{at:02}-{h}x{w}"));
                check(&format!("{name} at {h}×{w}"), common::filled(network), size, &input, stem);
            }
        }
    }
}

/// A network of the zoo at the size of its pictures, filled by the formula.
fn whole(entry: &zoo::Entry, tap: &str, stem: Option<String>) {
    let network = entry.network().for_taps(&[tap]).unwrap();
    let (h, w) = entry.input_size().unwrap();
    let input = common::image(h as usize, 2);
    check(entry.name, common::filled(network), (h as usize, w as usize), &input, stem);
}

#[test]
fn whole_networks_give_what_the_reference_gives() {
    for name in ["resnet50", "vgg16", "mobilenet_v2", "squeezenet1_1"] {
        let entry = zoo::find(name).unwrap();
        whole(entry, entry.default_tap, None);
    }
}

#[test]
#[ignore = "leaves files of a gigabyte or two, for tests/peers/onnx_model.py"]
fn files_of_whole_networks() {
    let pictures = zoo::all().iter().filter(|entry| entry.input_size().is_some());
    for entry in pictures.filter(|entry| entry.network().parameter_count() < 30_000_000) {
        whole(entry, entry.default_tap, Some(format!("zoo-{}", entry.name)));
    }
}

#[test]
fn broken_files_are_errors_and_never_panics() {
    // Between them these have every operator but a few functions.
    for part in [
        "average pools",
        "max pools",
        "attention of tokens",
        "shifted windows",
        "four neighbours",
        "depthwise by 2",
    ] {
        let (name, channels, graph) = GRAPHS.iter().find(|(name, ..)| name.starts_with(part)).unwrap();
        let (how, size) = (exactly((8, 8)), (8, 8));
        let bytes = written(&common::filled(build(name, *channels, *graph)), size);
        let input = vec![0.5; 3 * 8 * 8];
        let run = |bytes: &[u8]| -> Result<(), Box<dyn std::error::Error>> {
            Interpreter::new(onnx::read(bytes)?, &how)?.run_tensor(&input, 1)?;
            Ok(())
        };
        run(&bytes).unwrap();
        // The nodes stand at the front, the initializers' names and shapes further on.
        let mut wrong = 0;
        for at in (0..bytes.len().min(4000)).chain((4000..bytes.len()).step_by(61)) {
            for flip in [1, 0x80] {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                wrong += usize::from(run(&broken).is_err());
            }
        }
        println!("{name}: {wrong} refused");
        assert!(wrong > 700);
    }
}

#[test]
fn attributes_and_wiring_come_from_the_file() {
    // Each change makes another valid ONNX model, which must give other features or be refused; never the same.
    let (name, channels, graph) =
        GRAPHS.iter().find(|(name, ..)| name.starts_with("shifted windows")).unwrap();
    let (how, size) = (exactly((8, 8)), (8, 8));
    let bytes = written(&common::filled(build(name, *channels, *graph)), size);
    let input: Vec<f32> = (0..3 * 8 * 8).map(|i| common::uniform("input", i) as f32).collect();
    let features = |bytes: &[u8]| {
        let interpreter = Interpreter::new(onnx::read(bytes).ok()?, &how).ok()?;
        interpreter.run_tensor(&input, 1).ok()
    };
    let good = features(&bytes).unwrap();
    let mut seen = 0;
    for (from, to) in
        [("starts/0", "starts/2"), ("shape/0,4,16,18", "shape/0,4,18,16"), ("attention/q", "attention/k")]
    {
        let places = bytes.windows(from.len()).enumerate().filter(|(_, window)| *window == from.as_bytes());
        for (at, _) in places {
            let mut changed = bytes.clone();
            changed[at..at + to.len()].copy_from_slice(to.as_bytes());
            assert_ne!(features(&changed).as_ref(), Some(&good), "{from} to {to} at {at}");
            seen += 1;
        }
    }
    assert!(seen > 6, "{seen}");
}

#[test]
fn pictures_have_the_size_of_the_input() {
    let (name, channels, graph) = GRAPHS[0];
    let model = onnx::read(&written(&common::filled(build(name, channels, graph)), (8, 8))).unwrap();
    let error = Interpreter::new(model, &exactly((8, 9))).err().unwrap();
    assert!(matches!(error, EngineError::PictureSize { expected: [3, 8, 8], got: [3, 8, 9] }), "{error}");
}

#[test]
fn files_are_imported_as_networks_that_give_the_same() {
    let folder = std::env::temp_dir().join(format!("headstart-imported-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("model.onnx");
    for size in [(24, 24), (13, 7)] {
        let (h, w) = size;
        let input: Vec<f32> =
            (0..3 * 3 * h * w).map(|i| (4.0 * common::uniform("input", i) - 2.0) as f32).collect();
        for (name, channels, graph) in GRAPHS {
            let network = build(name, *channels, *graph);
            if network.shapes(h, w).is_err() {
                continue;
            }
            let bound = common::filled(network);
            fs::write(&path, written(&bound, size)).unwrap();
            let imported = onnx::import(&path, onnx::Options::default());
            let imported = imported.unwrap_or_else(|error| panic!("{name}: {error}"));
            let how = exactly((h as u32, w as u32));
            let run =
                |bound: Bound| Reference::new(bound, &how).unwrap().run_tensor(&input, [3, 3, h, w]).unwrap();
            Tolerance(1e-5).check(&format!("{name} at {h}×{w}"), &run(imported.bound)[0], &run(bound)[0]);
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}
