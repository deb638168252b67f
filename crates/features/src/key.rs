//! Content keys: what a row is a pure function of, as one digest.

use crate::{EndpointSource, NetworkSource};
use input::{Recipe, Views};
use store::{Digest, DigestBuilder};

/// What a file is to its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentDigest {
    /// Of its bytes.
    pub digest: Digest,
    /// How they are decoded, where that has changed since the first version.
    decoder: &'static str,
}

impl ContentDigest {
    /// That of a file's bytes.
    pub fn of(file: &[u8], recipe: &Recipe) -> ContentDigest {
        ContentDigest { digest: Digest::of(file), decoder: recipe.decoder(file) }
    }
}

/// What a row is a pure function of: file, network, weights, recipe, tap, dtype, view and engine revision; of an
/// augmented view also how it is made.
pub fn content_key(
    content: &ContentDigest,
    source: &NetworkSource,
    view: u32,
    views: Option<&Views>,
) -> Digest {
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

/// The same of a row that an endpoint computed: text, model, width, what it answers to probes, and dtype.
pub fn endpoint_key(content: &Digest, source: &EndpointSource) -> Digest {
    let mut key = DigestBuilder::new();
    key.field(b"endpoint")
        .field(content.as_bytes())
        .field(source.model.as_bytes())
        .field(&source.dimensions.map_or(0, |n| n as u64).to_le_bytes())
        .field(source.probes.as_bytes())
        .field(source.dtype.to_string().as_bytes());
    key.finish()
}
