//! Damaged pictures of every format, many to a run.

use crate::{
    Shop, Tally,
    judge::{Outcome, said, sane},
    mutate::{self, Random},
    run::Setting,
};
use rand::{RngExt, SeedableRng};
use std::{fs, path::Path};

/// No damaged picture of these sizes makes a run take more, in MiB.
const PEAK: u64 = 300;
/// Pictures of one run.
const TOGETHER: u64 = 50;

/// `count` damaged pictures, the first from `seed`. A run may pass over all of them, and do so in one line.
pub fn pictures(shop: &Shop, count: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("pictures damaged");
    let good = fixtures();
    let arguments = ["p", "-o", "o.features", "--max-skipped", "100"];
    for first in (seed..seed + count).step_by(TOGETHER as usize) {
        shop.clear();
        for class in ["a", "b"] {
            let folder = shop.work().join("p").join(class);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("good.png"), &good.iter().find(|(name, _)| name == "png-rgb").unwrap().1)
                .unwrap();
        }
        for seed in first..(first + TOGETHER).min(first + count) {
            let mut random = Random::seed_from_u64(seed);
            let (name, bytes) = &good[random.random_range(0..good.len())];
            let mut damaged = mutate::bytes(&mut random, bytes);
            if name.starts_with("png") && random.random() {
                checksums(&mut damaged);
            }
            let ending = name.split('-').next().unwrap();
            fs::write(shop.work().join("p/a").join(format!("{seed}.{ending}")), damaged).unwrap();
        }
        let ending = shop.run("extract", &arguments, &Setting::default());
        let mut wrong = sane(&ending);
        if ending.peak > PEAK {
            wrong.push(format!("{} MiB of memory", ending.peak));
        }
        // Two are whole, so something is always left to read.
        if ending.code() != Some(0) && !ending.hung() {
            wrong.push(format!("refused: {}", ending.how()));
            wrong.extend(said(&ending.stderr));
        }
        let judged = if wrong.is_empty() { Ok(Outcome::Tolerated) } else { Err(wrong) };
        tally.add(&format!("pictures seed:{first}"), &ending.told(), ending.peak, judged);
    }
    tally
}

/// Pictures of every format and kind, by name: `FORMAT-KIND`.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/input/tests/fixtures");
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut all: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| {
            ["bmp", "gif", "jpeg", "pbm", "pgm", "png", "ppm", "tiff", "webp"]
                .iter()
                .any(|format| name.starts_with(format))
        })
        .collect();
    all.sort();
    all
}

/// Mends the checksums of a PNG's chunks, so that what is inside them is looked at.
fn checksums(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        let Some(content) = bytes.get(at + 4..end) else { return };
        let kind: [u8; 4] = content[..4].try_into().unwrap();
        let mended = harness::chunk(&kind, &content[4..]);
        let Some(place) = bytes.get_mut(at..end + 4) else { return };
        place.copy_from_slice(&mended);
        at = end + 4;
    }
}
