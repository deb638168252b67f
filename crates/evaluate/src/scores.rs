//! What a head says of the rows of a split, and what became of it.

use anyhow::{Context, anyhow};
use features::{FeatureSet, Rows as _, Selection};
use head::{Head, Scorer, sigmoid, softmax};
use metrics::{ClassOutcomes, ClassRows, LabelOutcomes, NumberOutcomes, OneVsRest, OpenSet, ScoreError};
use sample::{Split, targets::Truth};

use crate::{
    Config, belonging::Seen, divided::Divided, measured::TaskOutcomes, novelty::Novelties,
    truth::TruthSource, unknown::Unknown,
};

/// The rows of one split and what the head makes of them.
pub(crate) struct SplitScores<'a> {
    pub(crate) split: Split,
    /// Those of classes that the head knows.
    pub(crate) rows: Selection<'a>,
    pub(crate) measured: TaskOutcomes,
    pub(crate) novelties: Option<Novelties>,
    /// The others.
    pub(crate) unknown: Unknown<'a>,
    /// What is told of both together.
    pub(crate) open_set: Option<OpenSet>,
    pub(crate) seen: Seen,
}

/// Where a row of a split is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowPlace {
    /// Among the rows of classes that the head knows.
    Known(usize),
    /// Among the others.
    Unknown(usize),
}

impl<'a> SplitScores<'a> {
    /// Applies `head` to a split, and reads what is so.
    pub(crate) fn compute(
        divided: Divided<'a>,
        features: &'a FeatureSet,
        head: &Head,
        config: &Config,
        source: &TruthSource<'_>,
    ) -> anyhow::Result<SplitScores<'a>> {
        let Divided { split, known: rows, unknown, labels, seen, .. } = divided;
        let truth = source.read(&rows)?;
        let cannot = || format!("cannot score `{}`", config.head().display());
        let measured = measure(head, &rows, features, truth).with_context(cannot)?;
        let measured = ranked(measured, head, &rows).with_context(cannot)?;
        let novelties = Novelties::of(head, &rows);
        let unknown = Unknown::of(unknown, labels, head, features).with_context(cannot)?;
        let open_set = match &measured {
            TaskOutcomes::Classes(known) => {
                unknown.open_set(known.each(), novelties.as_ref(), head, config.unknown())
            }
            TaskOutcomes::Labels(_) | TaskOutcomes::Numbers(_) => None,
        };
        Ok(SplitScores { split, rows, measured, novelties, unknown, open_set, seen })
    }

    /// Number of rows of classes that the head knows, which all figures but those of the open set are of.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Every row of the split in the order of the index.
    pub(crate) fn places(&self) -> Vec<RowPlace> {
        let (mut known, mut unknown) = (0, 0);
        let all = self.len() + self.unknown.labels.len();
        let mut next = || {
            let others = self.unknown.rows.len();
            // Both ascend.
            let is_known = unknown == others
                || (known < self.len() && self.rows.row(known) < self.unknown.rows.row(unknown));
            let (of, place): (_, fn(usize) -> RowPlace) =
                if is_known { (&mut known, RowPlace::Known) } else { (&mut unknown, RowPlace::Unknown) };
            *of += 1;
            place(*of - 1)
        };
        (0..all).map(|_| next()).collect()
    }

    /// The artefact's row.
    pub(crate) fn row(&self, place: RowPlace) -> usize {
        match place {
            RowPlace::Known(at) => self.rows.row(at),
            RowPlace::Unknown(at) => self.unknown.rows.row(at),
        }
    }
}

/// What each of `rows`, which are of `features`, comes to by itself.
///
/// # Errors
/// A row whose scores are no numbers.
pub(crate) fn measure(
    head: &Head,
    rows: &Selection<'_>,
    features: &FeatureSet,
    truth: Truth,
) -> anyhow::Result<TaskOutcomes> {
    let scorer = Scorer::of(head)?;
    Ok(match truth {
        Truth::Class(labels) => {
            let mut outcomes = ClassRows::new(scorer.outputs());
            let push =
                |first: usize, p: &[f64]| outcomes.push(&labels[first..][..p.len() / scorer.outputs()], p);
            probabilities(&scorer, rows, push).map_err(|error| match error {
                ScoreError::Probability { row, .. } => too_large(features, rows, row),
                other => other.into(),
            })?;
            TaskOutcomes::Classes(outcomes.finish())
        }
        Truth::Labels(truth) => {
            let said = said(&scorer, rows, features, |scores| sigmoid(&scores))?;
            let truth = truth.iter().map(|&truth| truth > 0.5).collect();
            TaskOutcomes::Labels(LabelOutcomes::new(truth, said, scorer.outputs())?)
        }
        Truth::Numbers(truth) => {
            let said = said(&scorer, rows, features, |scores| scores.into_iter().map(f64::from).collect())?;
            TaskOutcomes::Numbers(NumberOutcomes::new(&truth, &said, scorer.outputs())?)
        }
    })
}

/// With what takes a second look at the rows, and what the head itself declines.
fn ranked(measured: TaskOutcomes, head: &Head, rows: &Selection<'_>) -> anyhow::Result<TaskOutcomes> {
    Ok(match measured {
        TaskOutcomes::Classes(outcomes) => TaskOutcomes::Classes(of_classes(outcomes, head, rows)?),
        TaskOutcomes::Labels(outcomes) => {
            TaskOutcomes::Labels(outcomes.ranked().rejecting(head.label_thresholds().as_deref()))
        }
        TaskOutcomes::Numbers(outcomes) => TaskOutcomes::Numbers(outcomes),
    })
}

fn of_classes(outcomes: ClassOutcomes, head: &Head, rows: &Selection<'_>) -> anyhow::Result<ClassOutcomes> {
    let mut ranks = OneVsRest::new(outcomes.each());
    probabilities(&Scorer::of(head)?, rows, |_, p| ranks.push(p))?;
    let rankings = ranks.finish()?;
    Ok(outcomes.ranked(rankings).rejecting(head.reject_threshold()))
}

/// Calls `with` with the first row and the classes' probabilities (rows, classes) of block after block.
pub(crate) fn probabilities<E>(
    scorer: &Scorer,
    rows: &Selection<'_>,
    mut with: impl FnMut(usize, &[f64]) -> Result<(), E>,
) -> Result<(), E> {
    rows.blocks(scorer.outputs())
        .try_for_each(|(first, x)| with(first, &softmax(&scorer.of_rows(&x), scorer.outputs())))
}

/// What is said of all rows, (n, outputs).
fn said(
    scorer: &Scorer,
    rows: &Selection<'_>,
    features: &FeatureSet,
    of: impl Fn(Vec<f32>) -> Vec<f64>,
) -> anyhow::Result<Vec<f64>> {
    let mut said = Vec::with_capacity(rows.len() * scorer.outputs());
    for (_, x) in rows.blocks(scorer.outputs()) {
        said.extend(of(scorer.of_rows(&x)));
    }
    match said.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(too_large(features, rows, at / scorer.outputs())),
        None => Ok(said),
    }
}

/// What scores that are no numbers mean: artefacts hold finite ones alone, so that a sum of products has passed what f32 has.
pub(crate) fn too_large(features: &FeatureSet, rows: &Selection<'_>, at: usize) -> anyhow::Error {
    anyhow!(
        "its scores of `{}` are no numbers: the features in `{}` are too large for this head; were they extracted by the same network?",
        features.id(rows.row(at)),
        features.names()
    )
}
