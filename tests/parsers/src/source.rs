//! What the artefacts say that computed them, for which nothing needs to be there.

use features::{NetworkSource, Source};
use input::image::Preprocessing;
use store::{Digest, Dtype};

/// A source that no network has.
pub fn source() -> Source {
    NetworkSource {
        backbone: "resnet18".into(),
        tap: "pooled".into(),
        shape: [].into(),
        network: Digest::of(b"network"),
        weights: Digest::of(b"weights"),
        recipe: Preprocessing::imagenet().into(),
        dtype: Dtype::F32,
        engine: "reference-1".into(),
    }
    .into()
}
