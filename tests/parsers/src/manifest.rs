//! CSV manifests.

use crate::scratch;
use sample::DataSet;

/// A file.
pub fn manifest(bytes: &[u8]) {
    scratch::with_file("m.csv", bytes, |path| match DataSet::open(path) {
        Ok(found) => {
            assert!(!found.samples.is_empty());
            for column in &found.columns {
                assert!(column.len() == found.samples.len() && column.words().is_sorted());
            }
            assert!(
                found.samples.windows(2).all(|pair| pair[0].id < pair[1].id),
                "ids are unique and sorted"
            );
            assert!(found.samples.iter().all(|sample| !sample.id.is_empty()));
            assert!(found.labels().is_none_or(|labels| labels.words().iter().all(|word| !word.is_empty())));
        }
        Err(error) => drop(error.to_string()),
    });
}
