//! Data sets: CSV and JSONL manifests, tars, and pictures in Parquet.

use crate::scratch;
use sample::DataSet;

/// A CSV file.
pub fn manifest(bytes: &[u8]) {
    listed("m.csv", bytes);
}

/// A JSONL file.
pub fn jsonl(bytes: &[u8]) {
    listed("m.jsonl", bytes);
}

/// A tar, or one that gzip packed.
pub fn tar(bytes: &[u8]) {
    listed("t.tar", bytes);
}

/// A Parquet file, of whatever columns.
pub fn parquet(bytes: &[u8]) {
    listed("p.parquet", bytes);
}

/// What a data set of some samples is.
fn listed(name: &str, bytes: &[u8]) {
    scratch::with_file(name, bytes, |path| match DataSet::open(path) {
        Ok(found) => {
            assert!(!found.samples.is_empty());
            for column in &found.columns {
                assert!(column.len() == found.samples.len() && column.words().is_sorted());
            }
            assert!(
                found.samples.windows(2).all(|pair| pair[0].id < pair[1].id),
                "ids are unique and sorted"
            );
            assert!(found.samples.iter().all(|sample| store::ids::is_id(&sample.id)));
            assert!(found.labels().is_none_or(|labels| labels.words().iter().all(|word| !word.is_empty())));
            for sample in &found.samples {
                match sample.content.read(MOST) {
                    Ok(content) => assert!(content.len() as u64 <= MOST),
                    Err(error) => drop(error.to_string()),
                }
            }
        }
        Err(error) => {
            let told = error.to_string();
            assert!(!told.contains('\n') && told.chars().count() < 1000, "{told}");
        }
    });
}

/// Bytes of a sample that are read.
const MOST: u64 = 1 << 20;
