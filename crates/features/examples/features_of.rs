//! `features_of FEATURES LABELS SPLITS DIM CLASSES NAME.features`: a features folder from raw little-endian files (f32
//! features, row-major; u32 labels), whose rows nobody computed. For benches/peers, whose scripts compare whole
//! processes on the same matrix.
//!
//! SPLITS is a file of one byte a row (0 train, 1 val, 2 test), or a number: so many rows from the first on are train, all
//! others test. Ids are the rows' numbers, classes those of the labels. Holds a shard at a time, whatever the matrix.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;

use headstart_features::{FeaturesWriter, GivenSource, Lineage, NewFeatures, Row};
use sample::Split;
use store::{Digest, Dtype};

/// What `extract` gathers before it writes a shard, by default.
const SHARD_BYTES: usize = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [features, labels, splits, dim, classes, output] = arguments.as_slice() else {
        return Err("usage: features_of FEATURES LABELS SPLITS DIM CLASSES NAME.features".into());
    };
    let labels: Vec<u32> =
        fs::read(labels)?.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    let splits = splits_of(splits, labels.len())?;
    let (dim, classes): (usize, u32) = (dim.parse()?, classes.parse()?);
    if let Some(label) = labels.iter().find(|label| **label >= classes) {
        return Err(format!("label {label}, expected 0 to {}", classes - 1).into());
    }
    let mut rows = BufReader::with_capacity(1 << 20, File::open(features)?);
    let mut writer = FeaturesWriter::create(Path::new(output), true, plan(dim))?;
    let (mut bytes, mut values) = (vec![0; dim * Dtype::F32.size()], vec![0.0; dim]);
    for (at, (&label, &split)) in labels.iter().zip(&splits).enumerate() {
        rows.read_exact(&mut bytes)?;
        Dtype::F32.decode(&bytes, &mut values);
        let id = format!("{at:08}");
        let key = Digest::of(id.as_bytes());
        writer.push(Row { id: &id, texts: &[&format!("{label:04}")], split, key, values: &values })?;
    }
    if rows.read(&mut [0])? > 0 {
        return Err(format!("`{features}` has more than {} rows of {dim} values", labels.len()).into());
    }
    let lineage = Lineage { dataset: Digest::of(b"features_of"), tool: "features_of".to_owned() };
    writer.finish(&[], lineage, Vec::new())?;
    Ok(())
}

/// The split of each row, (rows,).
fn splits_of(text: &str, rows: usize) -> Result<Vec<Split>, Box<dyn Error>> {
    if let Ok(train) = text.parse::<usize>() {
        return Ok((0..rows).map(|at| if at < train { Split::Train } else { Split::Test }).collect());
    }
    let codes = fs::read(text)?;
    if codes.len() != rows {
        return Err(format!("`{text}` has {} splits for {rows} labels", codes.len()).into());
    }
    let split = |&code: &u8| Split::ALL.get(usize::from(code)).copied();
    codes
        .iter()
        .map(|code| split(code).ok_or_else(|| format!("split {code}, expected 0 to 2").into()))
        .collect()
}

/// Heads fitted on one such folder belong to all others.
fn plan(dim: usize) -> NewFeatures {
    let source = GivenSource { rows: "features_of".to_owned(), dtype: Dtype::F32 }.into();
    NewFeatures { columns: vec!["label".to_owned()], dim, source, shard_bytes: SHARD_BYTES }
}
