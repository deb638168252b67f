//! Rows that stopped runs and finished folders hold: what was computed is not computed again.

use features::{Earlier, Source};
use input::{Recipe, Views};
use store::{Digest, DigestBuilder};

/// What a file is to its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// Of its bytes.
    pub(crate) digest: Digest,
    /// How they are decoded, where that has changed since the first version.
    decoder: &'static str,
}

impl Content {
    pub(crate) fn of(file: &[u8], recipe: &Recipe) -> Content {
        Content { digest: Digest::of(file), decoder: recipe.decoder(file) }
    }
}

/// What is there of every tap. Nothing, by default.
#[derive(Default)]
pub(crate) struct Reuse {
    taps: Vec<(Source, Earlier)>,
    /// How views are made, where there are any but the pictures themselves.
    views: Option<Views>,
}

impl Reuse {
    /// One [`Earlier`] a tap.
    pub(crate) fn new(taps: Vec<(Source, Earlier)>, views: Option<Views>) -> Reuse {
        // Rows that one of the taps lacks are run for all of them.
        let complete = taps.iter().all(|(_, earlier)| !earlier.is_empty());
        Reuse { taps: if complete { taps } else { Vec::new() }, views }
    }

    /// How many rows there are at most.
    pub(crate) fn len(&self) -> usize {
        self.taps.iter().map(|(_, earlier)| earlier.len()).min().unwrap_or(0)
    }

    /// The features of a view of a file of this content, (d,) of each tap, where all have them.
    pub(crate) fn features(&self, content: &Content, view: u32) -> Option<Vec<Vec<f32>>> {
        if self.taps.is_empty() {
            return None;
        }
        let key = |source| content_key(content, source, view, self.views.as_ref());
        self.taps.iter().map(|(source, earlier)| earlier.get(&key(source))).collect()
    }
}

/// What a row is a pure function of: file, network, weights, recipe, tap, dtype, view and engine revision; of an
/// augmented view also how it is made.
pub(crate) fn content_key(content: &Content, source: &Source, view: u32, views: Option<&Views>) -> Digest {
    let mut key = DigestBuilder::new();
    key.field(content.digest.as_bytes())
        .field(source.network.as_bytes())
        .field(source.weights.as_bytes())
        .field(source.recipe.fingerprint().as_bytes())
        .field(source.tap.as_bytes())
        .field(source.dtype.to_string().as_bytes())
        .field(&view.to_le_bytes())
        .field(source.engine.as_bytes());
    if !content.decoder.is_empty() {
        key.field(content.decoder.as_bytes());
    }
    if let Some(views) = views.filter(|_| view > 0) {
        key.field(views.fingerprint().as_bytes()).field(source.recipe.augmentations().as_bytes());
    }
    key.finish()
}
