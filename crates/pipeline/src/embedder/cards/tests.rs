//! Cards as far as that goes without one: on the emulation, which runs the same kernels.

use super::*;
use crate::{
    assignment::Assignment,
    embedder::{Processor, check},
    job::{Job, Known, Reason, Seen},
    reuse::Reuse,
    run::{self as pipeline, SampleRun},
    times::Times,
};
use anyhow::anyhow;
use emulator::Emulator;
use engine::{Cpu, cuda::Description};
use features::{ContentDigest, FeaturesWriter, NetworkSource, NewFeatures, Row, content_key};
use harness::Room;
use input::{Augment, Views};
use network::zoo;
use sample::{DataSet, Inputs, Sample, Split, TextColumns};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use store::{Digest, Dtype};
use weights::SafetensorsFile;

const TAPS: [&str; 2] = ["pooled", "layer1"];

/// The embedded backbone up to [`TAPS`], and its recipe.
fn tiny() -> (Bound, Recipe) {
    let entry = zoo::find("headstart_tiny").unwrap();
    let full = entry.network();
    let file = SafetensorsFile::embedded(entry.name, entry.weights.unwrap()).unwrap();
    (Bound::bind(full.for_taps(&TAPS).unwrap(), &full, &file).unwrap(), (entry.recipe)())
}

fn probes_of_cpu(bound: &Bound, recipe: &Recipe) -> Result<Vec<Vec<f32>>> {
    Ok(Cpu::new(bound.clone(), recipe)?.run(recipe.probes().batch())?)
}

fn processor(bound: Bound, recipe: &Recipe, batch: usize) -> Processor {
    Processor::new(Cpu::new(bound, recipe).unwrap(), recipe, Some(batch))
}

fn cards(count: usize, precision: Precision, batch: usize) -> Result<Cards<Emulator>> {
    let (bound, recipe) = tiny();
    let cards = (0..count).map(|index| (format!("cuda:{index}"), Emulator::new(1 << 28))).collect();
    let setup = Setup { bound: &bound, taps: &TAPS, recipe: &recipe, precision, batch: Some(batch) };
    Cards::new(cards, setup, || probes_of_cpu(&bound, &recipe))
}

/// Two classes of `each` pictures, and one in the middle that is none.
fn data(each: usize) -> (Room, DataSet) {
    let room = Room::new();
    room.pictures("data", 2, each);
    room.write("data/a/999.png", "no picture");
    let data = DataSet::open(&room.path("data")).unwrap();
    (room, data)
}

/// All that a run came to: pictures with the digests of their files, features of each tap, samples that are bad.
#[derive(Default)]
struct Came {
    good: Vec<Seen>,
    known: Vec<Known>,
    features: Vec<Vec<f32>>,
    bad: Vec<(usize, String)>,
    sizes: Vec<usize>,
    probes: Vec<Option<Vec<Vec<f32>>>>,
}

impl Came {
    fn take(&mut self, batch: SampleRun) -> Result<()> {
        self.good.extend(batch.good);
        self.known.extend(batch.known);
        self.bad.extend(
            batch.bad.into_iter().map(|(sample, reason): (usize, Reason)| (sample, reason.to_string())),
        );
        self.features.resize(TAPS.len(), Vec::new());
        self.features.iter_mut().zip(batch.features).for_each(|(all, more)| all.extend(more));
        self.sizes.push(batch.size);
        self.probes.push(batch.probes);
        Ok(())
    }
}

fn run(embedder: &mut dyn Embedder, data: &DataSet, recipe: &Recipe) -> (Came, Times) {
    let mut came = Came::default();
    let job = Job {
        samples: &data.samples,
        recipe,
        assignment: &Assignment::default(),
        reuse: &Reuse::default(),
        interrupt: &AtomicBool::default(),
    };
    let times = pipeline::run(embedder, job, &mut |batch| came.take(batch)).unwrap();
    (came, times)
}

#[test]
fn rows_do_not_depend_on_batches_and_cards() {
    let (bound, recipe) = tiny();
    let (_room, data) = data(3);
    let (on_cpu, _) = run(&mut processor(bound, &recipe, 32), &data, &recipe);
    assert_eq!((on_cpu.good.len(), on_cpu.bad.len()), (6, 1));
    let mut first: Option<Vec<Vec<f32>>> = None;
    for (count, batch) in [(1, 8), (1, 1), (1, 3), (2, 1), (2, 3), (2, 8)] {
        let mut cards = cards(count, Precision::F32, batch).unwrap();
        assert_eq!((cards.batch(), cards.revision()), (batch, "cuda-1-f32-sm90"));
        let (came, times) = run(&mut cards, &data, &recipe);
        let told = format!("{count} cards, {batch} pictures at a time");
        assert_eq!(came.good, on_cpu.good, "{told}");
        assert_eq!(came.bad, on_cpu.bad, "{told}");
        let sizes: Vec<usize> = (0..7).step_by(batch).map(|first| batch.min(7 - first)).collect();
        assert_eq!(came.sizes, sizes, "{told}");
        for (got, expected) in came.features.iter().zip(&on_cpu.features) {
            let difference = check::difference(expected, got);
            assert!(difference < 1e-5, "{told}: {difference:e}");
        }
        assert!(*first.get_or_insert(came.features.clone()) == came.features, "{told}: other bits");
        let Some(times::Cards { count: told_count, spent }) = times.cards else {
            panic!("no times of cards")
        };
        assert_eq!(told_count, count);
        assert!(spent.kernels > Duration::ZERO && spent.kernels <= times.all * 2, "{times:?}");
        assert!(times.decoding + times.network + times.writing <= times.all, "{times:?}");
    }
}

#[test]
fn texts_go_to_cards_as_pictures_do() {
    let entry = zoo::find("headstart_words").unwrap();
    let (full, recipe) = (entry.network(), (entry.recipe)());
    let file = SafetensorsFile::embedded(entry.name, entry.weights.unwrap()).unwrap();
    let taps = ["sentence", "max"];
    let bound = Bound::bind(full.for_taps(&taps).unwrap(), &full, &file).unwrap();
    let room = Room::new();
    let words = ["the card", "was it", "charged twice?", "a"];
    let lines = (0..9).map(|i| format!("{},{}", [words[i % 4]; 20][..=2 * i].join(" "), i % 2));
    room.write(
        "texts.csv",
        ["text,label".to_owned()].into_iter().chain(lines).collect::<Vec<_>>().join("\n"),
    );
    let columns = TextColumns { first: Some("text"), second: None };
    let paths = [room.path("texts.csv")];
    let inputs = Inputs { paths: &paths, root: None, spool: None, bare: false, texts: Some(columns) };
    let data = DataSet::open_inputs(&inputs).unwrap();
    let (on_cpu, _) = run(&mut processor(bound.clone(), &recipe, 32), &data, &recipe);
    assert_eq!((on_cpu.good.len(), on_cpu.bad.len()), (9, 0));
    let mut first: Option<Vec<Vec<f32>>> = None;
    for (count, batch) in [(1, Some(1)), (2, Some(2)), (1, None)] {
        let cards = (0..count).map(|index| (format!("cuda:{index}"), Emulator::new(1 << 28))).collect();
        let setup = Setup { bound: &bound, taps: &taps, recipe: &recipe, precision: Precision::F32, batch };
        let mut cards = Cards::new(cards, setup, || probes_of_cpu(&bound, &recipe)).unwrap();
        let (came, _) = run(&mut cards, &data, &recipe);
        assert_eq!((&came.good, &came.bad), (&on_cpu.good, &on_cpu.bad));
        for (got, expected) in came.features.iter().zip(&on_cpu.features) {
            let difference = check::difference(expected, got);
            assert!(difference < 1e-5, "{count} cards, batches of {batch:?}: {difference:e}");
        }
        assert!(
            *first.get_or_insert(came.features.clone()) == came.features,
            "{count}, {batch:?}: other bits"
        );
    }
}

#[test]
fn probes_come_with_the_first_batch_where_they_were_asked() {
    let (bound, recipe) = tiny();
    let (_room, data) = data(3);
    let expected = probes_of_cpu(&bound, &recipe).unwrap();
    let told = |embedder: &mut dyn Embedder| {
        embedder.ask_probes();
        let (came, _) = run(embedder, &data, &recipe);
        let (again, _) = run(embedder, &data, &recipe);
        assert!(came.features == again.features, "other bits beside the probes");
        assert_eq!(again.probes, [None, None, None]);
        let [probes, None, None] = <[_; 3]>::try_from(came.probes).unwrap() else { panic!("asked once") };
        probes.unwrap()
    };
    assert!(told(&mut processor(bound, &recipe, 3)) == expected);
    let of_cards = told(&mut cards(2, Precision::F32, 3).unwrap());
    for (got, expected) in of_cards.iter().zip(&expected) {
        assert!(check::difference(expected, got) < 1e-5);
    }
}

#[test]
fn views_do_not_depend_on_batches_and_cards() {
    let (bound, recipe) = tiny();
    let (_room, data) = data(6);
    let assignment = Assignment {
        ratios: Some("60/40".parse().unwrap()),
        views: Some(Views::new(3, Augment::ALL, 1)),
        grows: false,
    };
    let (reuse, interrupt) = (Reuse::default(), AtomicBool::default());
    let job = Job {
        samples: &data.samples,
        recipe: &recipe,
        assignment: &assignment,
        reuse: &reuse,
        interrupt: &interrupt,
    };
    let mut on_cpu = Came::default();
    pipeline::run(&mut processor(bound.clone(), &recipe, 32), job, &mut |batch| on_cpu.take(batch)).unwrap();
    // One bad sample, and among the others some of both splits.
    let train = on_cpu.good.iter().filter(|seen| seen.view == 2).count();
    assert!((1..12).contains(&train), "{train}");
    assert_eq!((on_cpu.good.len(), on_cpu.bad.len()), (12 + 2 * train, 1));
    for batch in [1, 4, 7] {
        let mut came = Came::default();
        let mut processor = processor(bound.clone(), &recipe, batch);
        pipeline::run(&mut processor, job, &mut |batch| came.take(batch)).unwrap();
        assert!(came.features == on_cpu.features && came.good == on_cpu.good, "batches of {batch}");
    }
    let mut first: Option<Vec<Vec<f32>>> = None;
    for (count, batch) in [(1, 3), (1, 8), (2, 4)] {
        let mut came = Came::default();
        let mut cards = cards(count, Precision::F32, batch).unwrap();
        pipeline::run(&mut cards, job, &mut |batch| came.take(batch)).unwrap();
        assert_eq!((&came.good, &came.bad), (&on_cpu.good, &on_cpu.bad));
        for (got, expected) in came.features.iter().zip(&on_cpu.features) {
            assert!(check::difference(expected, got) < 1e-5);
        }
        assert!(*first.get_or_insert(came.features.clone()) == came.features, "{count}, {batch}: other bits");
    }
    let mut cards = cards(1, Precision::F32, 2).unwrap();
    let message = pipeline::run(&mut cards, job, &mut |_| Ok(())).unwrap_err().to_string();
    assert!(
        message.starts_with("the card takes 2 pictures at a time, fewer than a sample has views"),
        "{message}"
    );
}

#[test]
fn a_second_run_is_as_the_first() {
    let (_, recipe) = tiny();
    let (_room, data) = data(2);
    let mut cards = cards(1, Precision::Bf16, 2).unwrap();
    let (first, _) = run(&mut cards, &data, &recipe);
    let (second, _) = run(&mut cards, &data, &recipe);
    assert!(first.features == second.features);
    assert_eq!(
        cards.probes().unwrap().iter().map(Vec::len).collect::<Vec<_>>(),
        [4 * 224, 4 * cards.widths()[1]]
    );
}

#[test]
fn nothing_but_bad_pictures() {
    let (_, recipe) = tiny();
    let room = Room::new();
    for n in 0..3 {
        for class in ["a", "b"] {
            room.write(&format!("data/{class}/{n}.png"), "no picture");
        }
    }
    let data = DataSet::open(&room.path("data")).unwrap();
    let (came, _) = run(&mut cards(1, Precision::Bf16, 2).unwrap(), &data, &recipe);
    assert_eq!((came.good.len(), came.bad.len()), (0, 6));
    assert!(came.features.iter().all(Vec::is_empty));
}

#[test]
fn a_run_ends_with_its_first_error() {
    let (_, recipe) = tiny();
    let (_room, data) = data(4);
    let mut cards = cards(2, Precision::Bf16, 1).unwrap();
    let mut seen = 0;
    let job = Job {
        samples: &data.samples,
        recipe: &recipe,
        assignment: &Assignment::default(),
        reuse: &Reuse::default(),
        interrupt: &AtomicBool::default(),
    };
    let result = pipeline::run(&mut cards, job, &mut |_| {
        seen += 1;
        if seen == 2 { Err(anyhow!("the disk is full")) } else { Ok(()) }
    });
    assert_eq!((result.unwrap_err().to_string().as_str(), seen), ("the disk is full", 2));
}

#[test]
fn a_card_that_computes_something_else_is_not_used() {
    let (bound, recipe) = tiny();
    let wrong = |precision, factor: f32| {
        let card = vec![("cuda:3".to_owned(), Emulator::new(1 << 28))];
        let setup = Setup { bound: &bound, taps: &TAPS, recipe: &recipe, precision, batch: Some(4) };
        let reference = || {
            let mut probes = probes_of_cpu(&bound, &recipe)?;
            probes[1].iter_mut().for_each(|x| *x *= factor);
            Ok(probes)
        };
        Cards::new(card, setup, reference).err().map(|error| error.to_string())
    };
    let message = wrong(Precision::F32, 1.01).unwrap();
    let part = "cuda:3 (emulation) does not give the CPU's f32 features for the probes: at `layer1` the relative L2 \
                difference is 9.9e-3, with f32 at most 1e-4 passes; use --device cpu";
    assert_eq!(message, part);
    assert_eq!(wrong(Precision::Bf16, 1.01), None);
    let message = wrong(Precision::Bf16, 1.1).unwrap();
    assert!(
        message.ends_with("with bf16 at most 5e-2 passes; use --precision f32, or --device cpu"),
        "{message}"
    );
    assert!(wrong(Precision::Bf16, f32::NAN).is_some());
}

#[test]
fn a_reference_that_fails_is_told() {
    let (bound, recipe) = tiny();
    let card = vec![("cuda:0".to_owned(), Emulator::new(1 << 28))];
    let setup =
        Setup { bound: &bound, taps: &TAPS, recipe: &recipe, precision: Precision::Bf16, batch: Some(4) };
    let error = Cards::new(card, setup, || Err(anyhow!("memory is short"))).err().unwrap();
    assert_eq!(error.to_string(), "memory is short");
}

#[test]
fn every_precision_is_as_near_as_its_numbers() {
    let (bound, recipe) = tiny();
    let expected = probes_of_cpu(&bound, &recipe).unwrap();
    // Found on the emulation: 5e-7, 5e-4, 4e-4, 6e-3.
    for (precision, limit) in
        [(Precision::F32, 1e-5), (Precision::Tf32, 2e-3), (Precision::F16, 2e-3), (Precision::Bf16, 2e-2)]
    {
        let got = cards(1, precision, 4).unwrap().probes().unwrap();
        for ((tap, expected), got) in TAPS.iter().zip(&expected).zip(&got) {
            let difference = check::difference(expected, got);
            assert!(difference <= limit, "{precision} at {tap}: {difference:e}");
        }
    }
}

#[test]
fn differences_are_relative() {
    for (expected, got, difference) in [
        (&[3.0, 4.0][..], &[3.0, 4.0][..], 0.0),
        (&[3.0, 4.0], &[3.0, 4.5], 0.1),
        (&[0.0, 0.0], &[0.0, 0.0], 0.0),
        (&[0.0, 0.0], &[0.0, 1.0], f64::INFINITY),
        (&[3.0, 4.0], &[3.0, f32::INFINITY], f64::INFINITY),
    ] {
        assert_eq!(check::difference(expected, got), difference, "{got:?}");
    }
    for got in [&[3.0, f32::NAN][..], &[3.0]] {
        assert!(check::difference(&[3.0, 4.0], got).is_nan());
    }
}

#[test]
fn cards_are_of_one_kind() {
    let card = |name: &str, capability, memory| Description { name: name.to_owned(), capability, memory };
    let (first, same) = (card("NVIDIA H200", (9, 0), 2), card("NVIDIA H200", (9, 0), 3));
    assert!(check_alike(&[("cuda:0", &first)]).is_ok());
    assert!(check_alike(&[("cuda:0", &first), ("cuda:1", &same)]).is_ok());
    for other in [card("NVIDIA H100", (9, 0), 2), card("NVIDIA H200", (9, 1), 2)] {
        let error = check_alike(&[("cuda:2", &first), ("cuda:1", &same), ("cuda:0", &other)]).unwrap_err();
        let expected = format!(
            "cuda:2 is NVIDIA H200 (9.0), cuda:0 is {} ({}.{}): ",
            other.name, other.capability.0, other.capability.1
        );
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

#[test]
fn what_is_known_is_neither_decoded_nor_run() {
    let (bound, recipe) = tiny();
    let (room, data) = data(3);
    let content = |sample: &Sample| ContentDigest::of(&sample.content.read(1 << 20).unwrap(), &recipe);
    // One among others, and the one that is no picture, which only whoever decodes it can know.
    let known: Vec<usize> = vec![2, data.samples.iter().position(|sample| sample.id == "a/999.png").unwrap()];
    let earlier = TAPS.iter().enumerate().map(|(tap, name)| {
        let source = NetworkSource {
            backbone: "headstart_tiny".into(),
            tap: (*name).into(),
            shape: [].into(),
            network: Digest::of(b"network"),
            weights: Digest::of(b"weights"),
            recipe: recipe.clone(),
            dtype: Dtype::F32,
            engine: "none".into(),
        };
        let plan = NewFeatures {
            columns: vec!["label".into()],
            dim: 3,
            source: source.clone().into(),
            shard_bytes: 1 << 20,
        };
        let begin = || FeaturesWriter::create(&room.path(name), false, plan.clone()).unwrap();
        let mut writer = begin();
        for &sample in &known {
            let sample = &data.samples[sample];
            let (key, values) = (content_key(&content(sample), &source, 0, None), &[tap as f32, 1.5, -2.0]);
            writer.push(Row { id: &sample.id, texts: &["a"], split: Split::Train, key, values }).unwrap();
        }
        writer.suspend().unwrap();
        let earlier = begin().earlier();
        (source, earlier)
    });
    let reuse = Reuse::new(earlier.collect(), None);
    assert_eq!(reuse.most(), 2);
    let job = Job {
        samples: &data.samples,
        recipe: &recipe,
        assignment: &Assignment::default(),
        reuse: &reuse,
        interrupt: &AtomicBool::default(),
    };
    let (mut on_cpu, mut on_cards) = (Came::default(), Came::default());
    pipeline::run(&mut processor(bound, &recipe, 3), job, &mut |batch| on_cpu.take(batch)).unwrap();
    let mut cards = cards(1, Precision::F32, 2).unwrap();
    pipeline::run(&mut cards, job, &mut |batch| on_cards.take(batch)).unwrap();
    for came in [on_cpu, on_cards] {
        assert_eq!(came.known.iter().map(|known| known.seen.sample).collect::<Vec<_>>(), known);
        for known in &came.known {
            assert_eq!(known.seen.content, content(&data.samples[known.seen.sample]));
            assert_eq!(known.features, [[0.0, 1.5, -2.0], [1.0, 1.5, -2.0]]);
        }
        assert_eq!((came.good.len(), came.bad), (5, Vec::new()));
        assert!(came.good.iter().all(|seen| !known.contains(&seen.sample)));
        assert_eq!(came.features[0].len() % 5, 0);
    }
}

#[test]
fn an_interrupted_run_ends_with_what_was_begun() {
    let (bound, recipe) = tiny();
    let (_room, data) = data(10);
    for on_card in [false, true] {
        let interrupt = AtomicBool::default();
        let job = Job {
            samples: &data.samples,
            recipe: &recipe,
            assignment: &Assignment::default(),
            reuse: &Reuse::default(),
            interrupt: &interrupt,
        };
        let mut came = Came::default();
        let mut take = |batch: SampleRun| {
            interrupt.store(true, Ordering::Relaxed);
            came.take(batch)
        };
        if on_card {
            pipeline::run(&mut cards(1, Precision::F32, 1).unwrap(), job, &mut take).unwrap();
        } else {
            pipeline::run(&mut processor(bound.clone(), &recipe, 1), job, &mut take).unwrap();
        }
        let seen = came.sizes.iter().sum::<usize>();
        assert!((1..data.samples.len()).contains(&seen), "on a card {on_card}: {seen}");
        let mut samples: Vec<_> = came.good.iter().map(|seen| seen.sample).collect();
        samples.extend(came.bad.iter().map(|(sample, _)| *sample));
        samples.sort_unstable();
        assert!(samples.into_iter().eq(0..seen), "on a card {on_card}: nothing is left out");
        // As one that is asked before it begins.
        let job = Job {
            samples: &data.samples,
            recipe: &recipe,
            assignment: &Assignment::default(),
            reuse: &Reuse::default(),
            interrupt: &interrupt,
        };
        let mut processor = processor(bound.clone(), &recipe, 1);
        pipeline::run(&mut processor, job, &mut |_| panic!("a batch was begun")).unwrap();
    }
}
