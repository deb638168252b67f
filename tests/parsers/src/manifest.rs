//! CSV manifests.

use crate::scratch;
use dataset::DataSet;

/// A file.
pub fn manifest(bytes: &[u8]) {
    scratch::with_file("m.csv", bytes, |path| match DataSet::open(path) {
        Ok(found) => {
            assert!(!found.samples.is_empty() && !found.classes.is_empty());
            assert!(found.classes.is_sorted());
            assert!(
                found.samples.windows(2).all(|pair| pair[0].id < pair[1].id),
                "ids are unique and sorted"
            );
            for sample in &found.samples {
                assert!(!sample.id.is_empty() && (sample.label as usize) < found.classes.len());
            }
        }
        Err(error) => drop(error.to_string()),
    });
}
