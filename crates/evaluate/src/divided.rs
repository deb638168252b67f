//! The rows of each split, set apart before anything is measured: those of classes that the head knows, and others.

use anyhow::bail;
use cli::{UsageError, count};
use features::{FeatureSet, Rows as _, Selection};
use head::Head;
use sample::Split;
use store::brief::few;

use crate::{
    Config,
    belonging::Seen,
    truth::TruthSource,
    unknown::{UnknownChoice, frequent},
};

/// The rows of a split.
pub(crate) struct Divided<'a> {
    pub(crate) split: Split,
    /// Those of classes that the head knows.
    pub(crate) known: Selection<'a>,
    pub(crate) unknown: Selection<'a>,
    /// The classes of those that the head does not know, as they are written.
    pub(crate) labels: Vec<String>,
    /// Which of the rows of known classes the head was fitted on.
    pub(crate) seen: Seen,
    /// Rows that are left out since it was.
    left_out: usize,
}

/// The splits `chosen`, without those of which nothing is left to score.
///
/// # Errors
/// Classes that cannot be read; `--unseen-only` where nobody knows; no row at all that can be scored.
pub(crate) fn divided<'a>(
    chosen: &[Split],
    features: &'a FeatureSet,
    head: &Head,
    source: &TruthSource<'_>,
    config: &Config,
) -> anyhow::Result<Vec<Divided<'a>>> {
    let each = chosen.iter().map(|&split| {
        let (known, unknown) = source.divide(Selection::split(features, split))?;
        let labels = source.texts(&unknown);
        let seen = Seen::of(&known, split, features, head);
        let divided = Divided { split, known, unknown, labels, seen, left_out: 0 };
        if config.unseen_only() { Ok(divided.unseen(config)?) } else { anyhow::Ok(divided) }
    });
    let mut all = each.collect::<Result<Vec<_>, _>>()?;
    let is_scored = |part: &Divided<'_>| {
        let counts = config.unknown() == UnknownChoice::Reject && !part.unknown.is_empty();
        counts || !part.known.is_empty()
    };
    if all.iter().any(is_scored) {
        all.retain(is_scored);
    } else if all.iter().any(|part| part.left_out > 0) {
        bail!(
            "--unseen-only leaves no row: the head has seen all {} rows of `{}` whose class it knows",
            words(chosen),
            features.names()
        );
    } else {
        bail!(
            "the head knows no class of the {} rows of `{}`: they are of {}, the head knows {}; correct them in a --manifest, or name another column by --target-columns",
            words(chosen),
            features.names(),
            frequent(all.iter().flat_map(|part| &part.labels)),
            few(&head.classes)
        );
    }
    if let (Some(part), Some(_)) = (all.iter().find(|part| part.known.is_empty()), config.report()) {
        bail!(
            "no {} row is left of a class that the head knows, and --report is about those; leave it out",
            part.split
        );
    }
    Ok(all)
}

/// What is to be known of the rows that are scored, a line each.
pub(crate) fn notes(
    parts: &[Divided<'_>],
    chosen: &[Split],
    features: &FeatureSet,
    choice: UnknownChoice,
) -> Vec<String> {
    let mut notes = Vec::new();
    let labels = || parts.iter().flat_map(|part| &part.labels);
    let rows = labels().count();
    if rows > 0 {
        let (noun, are, they) = if rows == 1 { ("row", "is", "counts") } else { ("rows", "are", "count") };
        let what = match choice {
            UnknownChoice::LeaveOut => format!("{are} left out"),
            UnknownChoice::Reject => format!("{they}, and {are} right where rejected or novel"),
        };
        notes.push(format!(
            "{} {noun} of classes that the head does not know {what}: {}",
            count(rows as u64),
            frequent(labels())
        ));
    }
    for split in chosen.iter().filter(|split| parts.iter().all(|part| part.split != **split)) {
        notes.push(format!("the {split} rows are not scored: none of them is left"));
    }
    for part in parts {
        if part.left_out > 0 {
            let (rows, are) = if part.left_out == 1 { ("row", "is") } else { ("rows", "are") };
            let left_out = count(part.left_out as u64);
            notes.push(format!("{}: {left_out} {rows} that the head has seen {are} left out", part.split));
        }
        // What is known of train rows is said where they are chosen.
        if part.split != Split::Train && !part.seen.these().is_empty() {
            notes.push(format!("{}: {}", part.split, part.seen.words(part.known.len(), features)));
        }
    }
    notes
}

impl Divided<'_> {
    /// Without the rows that the head has seen.
    fn unseen(self, config: &Config) -> Result<Self, UsageError> {
        let before = self.known.len();
        let known = match &self.seen {
            Seen::All => self.known.divide(|_| false).0,
            Seen::These(seen) => {
                // Both ascend.
                let rows: Vec<usize> = (0..before).map(|at| self.known.row(at)).collect();
                self.known.divide(|at| seen.binary_search(&rows[at]).is_err()).0
            }
            Seen::Unknown => {
                return Err(UsageError(format!(
                    "--unseen-only: `{}` does not say whether it has seen these rows; refit it with this program, on features of the same precision and engine",
                    config.head().display()
                )));
            }
        };
        let left_out = before - known.len();
        Ok(Divided { known, seen: Seen::These(Vec::new()), left_out, ..self })
    }
}

/// `test`, or `train and val`.
fn words(splits: &[Split]) -> String {
    splits.iter().map(Split::to_string).collect::<Vec<_>>().join(" and ")
}
