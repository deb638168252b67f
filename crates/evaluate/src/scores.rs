//! The head's scores on the rows of a split.

use anyhow::{Context, bail};
use artifact::{Features, Head, Split};
use head::{logits, softmax};
use metrics::Scored;

use crate::Config;
use crate::config::SplitChoice;

/// The splits to score, and why these if that was not asked for.
pub(crate) struct Splits {
    pub(crate) chosen: Vec<Split>,
    pub(crate) why: Option<String>,
}

/// The rows of one split and what the head makes of them.
pub(crate) struct SplitScores {
    pub(crate) split: Split,
    /// Rows of the features, ascending.
    pub(crate) rows: Vec<usize>,
    labels: Vec<u32>,
    /// (rows, classes)
    probabilities: Vec<f64>,
    classes: usize,
}

/// Decides which splits are scored.
pub(crate) fn splits(features: &Features, config: &Config) -> anyhow::Result<Splits> {
    let counts = &features.index().splits;
    let has = |split: &Split| counts.get(split).is_some_and(|&rows| rows > 0);
    let path = config.features().display();
    match config.split() {
        Some(SplitChoice::One(split)) if !has(&split) => {
            let there: Vec<String> =
                Split::ALL.iter().filter(|split| has(split)).map(Split::to_string).collect();
            bail!("`{path}` has no {split} rows, only {}; give another --split", there.join(" and "))
        }
        Some(SplitChoice::One(split)) => Ok(Splits { chosen: vec![split], why: None }),
        Some(SplitChoice::All) => {
            Ok(Splits { chosen: Split::ALL.into_iter().filter(has).collect(), why: None })
        }
        None => {
            let preferred = [Split::Test, Split::Val, Split::Train];
            let Some(split) = preferred.into_iter().find(has) else {
                bail!("`{path}` has no rows to score; rerun extract")
            };
            let why = match split {
                Split::Test => None,
                Split::Val => Some("no test rows, so the val rows are scored".to_owned()),
                Split::Train => Some(
                    "no test or val rows, so the train rows are scored: the head has seen them".to_owned(),
                ),
            };
            Ok(Splits { chosen: vec![split], why })
        }
    }
}

impl SplitScores {
    pub(crate) fn compute(
        split: Split,
        features: &Features,
        head: &Head,
        config: &Config,
    ) -> anyhow::Result<SplitScores> {
        let rows = features.rows_of(split);
        let labels = features.labels(&rows);
        let matrix = features.matrix(&rows);
        let classes = head.classes.len();
        let probabilities = softmax(&logits(&head.layers, &matrix), classes);
        let scores = SplitScores { split, rows, labels, probabilities, classes };
        scores.scored().with_context(|| format!("cannot score `{}`", config.head().display()))?;
        Ok(scores)
    }

    /// For the metrics. Cannot fail once [`SplitScores::compute`] has not.
    pub(crate) fn scored(&self) -> Result<Scored<'_>, metrics::ScoreError> {
        Scored::new(&self.labels, &self.probabilities, self.classes)
    }

    /// Each row's probabilities, in order.
    pub(crate) fn probabilities(&self) -> impl Iterator<Item = &[f64]> {
        self.probabilities.chunks_exact(self.classes)
    }
}
