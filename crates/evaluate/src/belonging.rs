//! What a head was fitted on: features of this very kind, and these very rows.

use std::path::{Path, PathBuf};

use anyhow::Context;
use cli::count;
use features::{FeatureSet, Rows, Selection};
use head::{Head, choose};
use sample::Split;
use store::brief::few;

/// The features that a baseline takes: `own`, or where none are given to it by themselves, some of those given.
///
/// # Errors
/// As [`choose`], and those of opening `own`.
pub(crate) fn of_baseline(
    given: &FeatureSet,
    own: &[PathBuf],
    head: &Head,
    head_path: &Path,
) -> anyhow::Result<FeatureSet> {
    if own.is_empty() {
        return choose(given, head, head_path)
            .context("give the features that it takes by --baseline-features");
    }
    Ok(choose(&FeatureSet::open(own)?, head, head_path)?)
}

/// What is known of whether a head was fitted on some rows.
pub(crate) enum Seen {
    /// On all of them: they are the train rows of its very features.
    All,
    /// On these of them, rows of the artefact, since content keys say so.
    These(Vec<usize>),
    /// Nothing: the head says nothing of single samples, or the rows are of another precision or engine, whose keys are others.
    Unknown,
}

impl Seen {
    /// Of `rows`, all of which are of `split`. Only the train rows of the features with the head's digest are all known to be
    /// seen: others of these features were never fitted on, unless a train row has the same content.
    pub(crate) fn of(rows: &Selection<'_>, split: Split, features: &FeatureSet, head: &Head) -> Seen {
        if split == Split::Train && features.digest() == head.features {
            return Seen::All;
        }
        match &head.seen {
            Some(seen) if features.sources() == head.sources => {
                let own = (0..Rows::len(rows)).map(|at| rows.row(at));
                Seen::These(own.filter(|&row| seen.contains(&features.key(row))).collect())
            }
            _ => Seen::Unknown,
        }
    }

    /// The rows that are known to be seen one by one.
    pub(crate) fn these(&self) -> &[usize] {
        match self {
            Seen::These(rows) => rows,
            Seen::All | Seen::Unknown => &[],
        }
    }

    /// The same in words, of so many rows: `the head has seen them`.
    pub(crate) fn words(&self, rows: usize, features: &FeatureSet) -> String {
        match self {
            Seen::All => "the head has seen them".to_owned(),
            Seen::Unknown => "the head was fitted on other features, and has not seen these rows unless both hold the same pictures"
                .to_owned(),
            Seen::These(seen) if seen.is_empty() => {
                "the head has seen none of them, byte for byte".to_owned()
            }
            Seen::These(seen) => {
                let ids: Vec<&str> = seen.iter().map(|&row| features.id(row)).collect();
                format!(
                    "the head has seen {} of these {} rows, byte for byte: {}",
                    count(ids.len() as u64),
                    count(rows as u64),
                    few(&ids)
                )
            }
        }
    }
}
