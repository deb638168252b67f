//! Rows that stopped runs left: what they computed is not computed again.

use artifact::{Digest, DigestBuilder, Earlier, Source};

/// What is there of every tap. Nothing, by default.
#[derive(Default)]
pub(crate) struct Reuse(Vec<(Source, Earlier)>);

impl Reuse {
    /// One [`Earlier`] a tap.
    pub(crate) fn new(taps: Vec<(Source, Earlier)>) -> Reuse {
        // Rows that one of the taps lacks are run for all of them.
        let complete = taps.iter().all(|(_, earlier)| !earlier.is_empty());
        Reuse(if complete { taps } else { Vec::new() })
    }

    /// How many rows there are at most.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|(_, earlier)| earlier.len()).min().unwrap_or(0)
    }

    /// The features of a file of this content, (d,) of each tap, where all have them.
    pub(crate) fn features(&self, content: &Digest) -> Option<Vec<Vec<f32>>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.iter().map(|(source, earlier)| earlier.get(&content_key(content, source))).collect()
    }
}

/// What a row is a pure function of: file, network, weights, preprocessing, tap, dtype, view and engine revision.
pub(crate) fn content_key(content: &Digest, source: &Source) -> Digest {
    /// The untouched picture; augmented views will count from 1.
    const VIEW: u32 = 0;
    let mut key = DigestBuilder::new();
    key.field(content.as_bytes())
        .field(source.network.as_bytes())
        .field(source.weights.as_bytes())
        .field(source.preprocessing.fingerprint().as_bytes())
        .field(source.tap.as_bytes())
        .field(source.dtype.to_string().as_bytes())
        .field(&VIEW.to_le_bytes())
        .field(source.engine.as_bytes());
    key.finish()
}
