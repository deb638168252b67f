//! What is to be run: samples, each of which has one view or several.

use crate::{assignment::Assignment, reuse::Reuse};
use features::ContentDigest;
use input::{BadInput, MOST_FILE, Noticed, Recipe};
use sample::Sample;
use std::sync::atomic::{AtomicBool, Ordering};

/// What there is to do.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// In the order in which their rows come.
    pub samples: &'a [Sample],
    /// How their content becomes inputs.
    pub recipe: &'a Recipe,
    /// Which views each of them has.
    pub assignment: &'a Assignment,
    /// Rows that need not be computed.
    pub reuse: &'a Reuse,
    /// Once it is set, no batch is begun any more; those that were are run to their end.
    pub interrupt: &'a AtomicBool,
}

/// A view of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// An index into the data set.
    pub sample: usize,
    /// Which view: 0 is the sample itself.
    pub view: u32,
    /// Its bytes'.
    pub content: ContentDigest,
}

/// A view whose features were there already.
pub struct Known {
    /// Which.
    pub seen: Seen,
    /// (d,) of each tap.
    pub features: Vec<Vec<f32>>,
}

/// A sample's content: all of its views, some of which need not be run.
pub(crate) struct File {
    pub known: Vec<Known>,
    /// The others, prepared.
    pub prepared: Vec<(Seen, Vec<u8>)>,
    /// What was noticed of it, if it was decoded.
    pub noticed: Noticed,
}

/// Why a sample has no features.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// Its bytes cannot be had.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// They are nothing that can be used.
    #[error(transparent)]
    Bad(#[from] BadInput),
}

impl Job<'_> {
    /// Whether no more batches are to be begun.
    pub(crate) fn is_over(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    /// Reads a sample's bytes, and prepares those of its views whose features are not known.
    pub(crate) fn read(&self, at: usize) -> Result<File, Reason> {
        let sample = &self.samples[at];
        let bytes = sample.content.read(MOST_FILE)?;
        let content = ContentDigest::of(&bytes, self.recipe);
        let (mut known, mut missing) = (Vec::new(), Vec::new());
        for view in 0..self.assignment.views_of(sample, &content.digest) {
            let seen = Seen { sample: at, view, content };
            match self.reuse.features(&content, view) {
                Some(features) => known.push(Known { seen, features }),
                None => missing.push(seen),
            }
        }
        let wanted: Vec<u32> = missing.iter().map(|seen| seen.view).collect();
        let views = self.assignment.views.as_ref();
        let (inputs, noticed) = self.recipe.load(&bytes, &content.digest, views, &wanted)?;
        Ok(File { known, prepared: missing.into_iter().zip(inputs).collect(), noticed })
    }
}
