//! Whether a head was fitted on features of this very kind.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cli::count;
use features::{FeatureSet, Features, Rows, Selection, Source};
use head::Head;
use sample::Split;
use store::brief::few;

/// Of the features given, those that the head takes, in its order.
///
/// # Errors
/// One that names the first difference: the head's value as expected, the features' as got.
pub(crate) fn choose(given: &FeatureSet, head: &Head, head_path: &Path) -> anyhow::Result<FeatureSet> {
    let mut chosen = Vec::new();
    for source in &head.sources {
        let is_it = |part: &Features| source.difference(&part.index().source).is_none();
        // Each at most once: one source may be there twice, in two precisions.
        let found = given.parts().enumerate().find(|(at, part)| is_it(part) && !chosen.contains(at));
        match found {
            Some((part, _)) => chosen.push(part),
            None => bail!("{}", stranger(given, head, source, head_path)),
        }
    }
    let features = given.of(&chosen);
    if let Some((what, expected, got)) = difference(&features, head) {
        bail!("{}", refusal(&paths(&features), head_path, &what, &expected, &got));
    }
    Ok(features)
}

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
    choose(&FeatureSet::open(own)?, head, head_path)
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

/// None of the features given come from `source`.
fn stranger(given: &FeatureSet, head: &Head, source: &Source, head_path: &Path) -> String {
    let first = given.parts().next().and_then(|part| source.difference(&part.index().source));
    match first {
        Some(found) if given.parts().len() == 1 && head.sources.len() == 1 => {
            if let (Source::Given(rows), "name of its rows") = (source, found.what) {
                return format!(
                    "head `{}` does not belong to {}: {} differs, expected `{}`, got `{}`; if they mean the same, give extract --name {}",
                    head_path.display(),
                    paths(given),
                    found.what,
                    found.expected,
                    found.got,
                    rows.rows
                );
            }
            let (expected, got) = (format!("`{}`", found.expected), format!("`{}`", found.got));
            refusal(&paths(given), head_path, found.what, &expected, &got)
        }
        _ => {
            let all: Vec<String> = head.sources.iter().map(Source::name).collect();
            format!(
                "head `{}` takes features of {}; those of {} are not among {}: give them too, extracted with the same weights and preprocessing",
                head_path.display(),
                all.join(" and "),
                source.name(),
                paths(given)
            )
        }
    }
}

fn refusal(paths: &str, head: &Path, what: &str, expected: &str, got: &str) -> String {
    format!(
        "head `{}` does not belong to {paths}: {what} differs, expected {expected}, got {got}; rerun extract as for the head's features, or fit-head on these",
        head.display(),
    )
}

fn paths(features: &FeatureSet) -> String {
    format!("`{}`", features.names())
}

/// (what, the head's, the features')
fn difference(features: &FeatureSet, head: &Head) -> Option<(String, String, String)> {
    let (expected, got) = (head.dim(), features.dim());
    (expected != got).then(|| ("width".to_owned(), expected.to_string(), got.to_string()))
}
