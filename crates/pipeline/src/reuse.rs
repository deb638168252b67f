//! Rows that stopped runs and finished folders hold: what was computed is not computed again.

use features::{ContentDigest, Earlier, NetworkSource, content_key};
use input::Views;

/// What is there of every tap. Nothing, by default.
#[derive(Default)]
pub struct Reuse {
    taps: Vec<(NetworkSource, Earlier)>,
    /// How views are made, where there are any but the pictures themselves.
    views: Option<Views>,
}

impl Reuse {
    /// One [`Earlier`] a tap.
    pub fn new(taps: Vec<(NetworkSource, Earlier)>, views: Option<Views>) -> Reuse {
        // Rows that one of the taps lacks are run for all of them.
        let complete = taps.iter().all(|(_, earlier)| !earlier.is_empty());
        Reuse { taps: if complete { taps } else { Vec::new() }, views }
    }

    /// How many rows there are at most.
    pub fn most(&self) -> usize {
        self.taps.iter().map(|(_, earlier)| earlier.len()).min().unwrap_or(0)
    }

    /// The features of a view of a file of this content, (d,) of each tap, where all have them.
    pub fn features(&self, content: &ContentDigest, view: u32) -> Option<Vec<Vec<f32>>> {
        if self.taps.is_empty() {
            return None;
        }
        let key = |source| content_key(content, source, view, self.views.as_ref());
        self.taps.iter().map(|(source, earlier)| earlier.get(&key(source))).collect()
    }
}
