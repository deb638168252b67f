//! Which samples a head was fitted on, so that whoever has their features again can tell.

use super::tensors::{Named, longs};
use safetensors::SafeTensors;
use store::Digest;

const SEEN: &str = "seen";

/// The samples that a head was fitted on, by the first eight bytes of their content keys.
///
/// Eight bytes a sample are few, and enough: that any of a million samples shares them with any of a million others happens
/// less than once in ten million times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenSamples {
    /// Ascending, each once.
    keys: Vec<u64>,
}

impl SeenSamples {
    /// Those of these content keys, in any order.
    pub fn of(keys: impl IntoIterator<Item = Digest>) -> SeenSamples {
        let mut keys: Vec<u64> = keys.into_iter().map(|key| short(&key)).collect();
        keys.sort_unstable();
        keys.dedup();
        SeenSamples { keys }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a sample of this content key is one of them.
    pub fn contains(&self, key: &Digest) -> bool {
        self.keys.binary_search(&short(key)).is_ok()
    }

    pub(super) fn tensor(&self) -> Named {
        Named::longs(SEEN, &self.keys)
    }

    /// `None` of heads that were written before there were any.
    pub(super) fn read(tensors: &SafeTensors<'_>) -> Result<Option<SeenSamples>, String> {
        if tensors.tensor(SEEN).is_err() {
            return Ok(None);
        }
        let (keys, shape) = longs(tensors, SEEN)?;
        if shape.len() != 1 || !keys.is_sorted_by(|a, b| a < b) {
            return Err("samples that it has seen, of which each should be there once, in order".to_owned());
        }
        Ok(Some(SeenSamples { keys }))
    }
}

/// The first eight bytes of a key.
fn short(key: &Digest) -> u64 {
    let (first, _) = key.as_bytes().split_at(8);
    first.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
