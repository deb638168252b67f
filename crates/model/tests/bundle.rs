//! Bundles: what is read is what was written, and whatever was damaged is refused in one line.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use backbone::Wanted;
use features::NetworkSource;
use head::{Head, HeadKind};
use input::PROBES;
use model::{BUNDLE_FILE, Model, ModelError, Tower, towers_of, write_bundle};
use std::{fs, path::Path};
use store::{Digest, Dtype, Place};
use weights::Dense;

const TAPS: [&str; 2] = ["pooled", "layer1"];

/// A head of made-up numbers behind two taps of the embedded network.
fn head() -> Head {
    let found =
        backbone::find(Wanted { name: None, weights: None, taps: &[], size: None, prepared: false }).unwrap();
    let recipe = found.recipe.clone().unwrap();
    let source = |tap: &&str| {
        let bound = found.bind(&[*tap]).unwrap();
        let source = NetworkSource {
            backbone: found.name.clone(),
            tap: (*tap).to_owned(),
            shape: [].into(),
            network: bound.network().fingerprint(),
            weights: bound.digest(),
            recipe: recipe.clone(),
            dtype: Dtype::F32,
            engine: "cpu-1".to_owned(),
        };
        let side = (recipe.most_bytes() / 3).isqrt();
        (source, bound.network().widths(side, side).unwrap()[0])
    };
    let sources: Vec<(NetworkSource, usize)> = TAPS.iter().map(source).collect();
    let inputs = sources.iter().map(|(_, width)| width).sum::<usize>();
    let number = |at: usize| (at * 7919 % 1013) as f32 / 506.5 - 1.0;
    Head {
        graph: None,
        kind: HeadKind::Linear,
        classes: vec!["cat".to_owned(), "dog \"x\"".to_owned()],
        targets: Default::default(),
        pool: None,
        layers: vec![Dense {
            inputs,
            outputs: 2,
            weight: (0..2 * inputs).map(number).collect(),
            bias: vec![0.5, -0.5],
        }],
        memory: None,
        novelty: None,
        sources: sources.into_iter().map(|(source, _)| source.into()).collect(),
        probes: (0..PROBES * inputs).map(number).collect(),
        fit: serde_json::json!({ "reject_threshold": 0.75 }),
        features: Digest::of(b"features"),
        seen: None,
    }
}

fn write(model: &Model, path: &Path) {
    let place = Place::file(path, true, BUNDLE_FILE).unwrap();
    write_bundle(model, "a test", None, &place).unwrap();
    place.commit().unwrap();
}

fn model() -> Model {
    let head = head();
    Model { towers: towers_of(&head, &[]).unwrap(), head }
}

#[test]
fn what_is_read_is_what_was_written() {
    let root = tempfile::tempdir().unwrap();
    let (path, written) = (root.path().join("x.hst"), model());
    write(&written, &path);
    let read = Model::open(&path, &[]).unwrap();
    assert_eq!(read.head, written.head);
    assert_eq!(Model::open_head(&path).unwrap(), written.head);
    let told = |model: &Model| -> Vec<_> {
        let one = |tower: &Tower| {
            let Tower { bound, recipe, sources } = tower;
            (bound.digest(), bound.network().fingerprint(), recipe.clone(), sources.clone())
        };
        model.towers.iter().map(one).collect()
    };
    assert_eq!(told(&read), told(&written));
    assert_eq!(told(&read)[0].3, [0, 1]);
    // Any reader of safetensors opens it.
    let bytes = fs::read(&path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.tensor("head").unwrap().data(), written.head.to_bytes());
    assert!(tensors.names().iter().any(|name| name.starts_with("towers.0.")));
    // The same model gives the same bytes.
    write(&written, &root.path().join("y.hst"));
    assert_eq!(fs::read(root.path().join("y.hst")).unwrap(), bytes);
    let needless = Model::open(&path, &["w.pth".into()]).unwrap_err();
    assert!(matches!(needless, ModelError::OwnWeights(_)) && needless.is_usage());
}

#[test]
fn whatever_was_damaged_is_refused_in_one_line() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.hst");
    write(&model(), &path);
    let whole = fs::read(&path).unwrap();
    let damaged = root.path().join("damaged.hst");
    let mut state = 1u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    for case in 0..400 {
        let mut bytes = whole.clone();
        // Half of them in the header, where most can be said.
        let header = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
        let at = draw(if case % 2 == 0 { header } else { whole.len() });
        match case % 5 {
            0 | 1 => bytes[at] ^= 1 << draw(8),
            2 => bytes.truncate(at),
            3 => {
                let end = (at + 1 + draw(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let from = draw(whole.len() - 64);
                bytes.splice(at..at, whole[from..from + 1 + draw(63)].iter().copied());
            }
        }
        fs::write(&damaged, &bytes).unwrap();
        let message = Model::open(&damaged, &[]).unwrap_err().to_string();
        assert!(!message.contains('\n') && message.contains("damaged.hst"), "case {case}: {message}");
    }
}

#[test]
fn lies_that_are_sealed_are_told() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.hst");
    let mut lying = model();
    lying.towers[0].sources = vec![0, 0];
    write(&lying, &path);
    let message = Model::open(&path, &[]).unwrap_err().to_string();
    assert!(message.contains("its networks are not those of its head"), "{message}");
    lying.towers[0].sources = vec![0];
    write(&lying, &path);
    let message = Model::open(&path, &[]).unwrap_err().to_string();
    assert!(message.contains("a network has other outputs than it says"), "{message}");
    // What no probe would tell: pictures are decoded otherwise.
    let mut lying = model();
    let input::Recipe::Image(how) = &mut lying.towers[0].recipe else { panic!("of pictures") };
    how.decode = input::image::Decode::Fast;
    write(&lying, &path);
    let message = Model::open(&path, &[]).unwrap_err().to_string();
    assert!(message.contains("its networks are not those of its head"), "{message}");
    lying.towers.clear();
    write(&lying, &path);
    assert!(Model::open(&path, &[]).is_err());
    // Of a later release.
    let bytes = fs::read(&path).unwrap();
    let at = bytes.windows(11).position(|window| window == br#"\"bundle\":"#).unwrap() + 11;
    let mut later = bytes;
    later[at] = b'7';
    fs::write(&path, later).unwrap();
    let message = Model::open(&path, &[]).unwrap_err().to_string();
    assert!(message.contains("bundle format 7, this program reads 1; update Headstart"), "{message}");
}

#[test]
fn weights_are_those_that_computed_the_features() {
    let mut head = head();
    let features::Source::Network(source) = &mut head.sources[1] else { panic!("a network") };
    source.weights = Digest::of(b"other weights");
    let error = towers_of(&head, &[]).unwrap_err();
    assert!(matches!(error, ModelError::OtherWeights { .. }), "{error}");
    let features::Source::Network(source) = &mut head.sources[1] else { panic!("a network") };
    source.backbone = "resnet18".to_owned();
    let error = towers_of(&head, &[]).unwrap_err();
    assert!(
        error.is_usage() && error.to_string() == "resnet18 needs --weights, those that extract read",
        "{error}"
    );
}
