//! Looking at the data behind a head: labels that are likely wrong, pictures that are nearly the same.
//!
//! All samples are looked at, whatever their split, but none of their augmented views: a head of the same kind is fitted on folds of them, so that each row is
//! judged by a fit that did not see it. Nothing of that goes into any metric.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::bail;
use artifact::{FeatureSet, Head, Rows as _, Selection, Truth};
use cli::{Session, count};
use head::{Candidate, Examples, Folds, HeldOut, LinearProblem, LinearSettings, softmax};
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};
use review::{NEIGHBOURS, Neighbours, Predictions, Space, Suspect, UNDECIDED, suspects};

use crate::duplicates::{Duplicate, duplicates};
use crate::many;

/// Folds that judge labels.
pub(crate) const FOLDS: usize = 5;
/// Penalties that these fits are chosen from where the head does not say its own.
const PENALTIES: [f64; 4] = [1000.0, 100.0, 10.0, 1.0];
/// Below this quality a label is likely wrong: another class is the more probable one.
pub(crate) const LIKELY: f64 = 0.5;

/// Of more probabilities, rows times classes, no matrix is held, and no logistic regression is fitted to judge labels.
const MANY: usize = 1 << 24;
/// Of more rows it takes a minute or more to find each one's neighbours.
const LONG: usize = 50_000;

/// What was found; rows are the artefact's.
pub(crate) struct Findings {
    /// Every row, the least credible label first; none where labels were not to be judged.
    pub(crate) suspects: Vec<Suspect>,
    /// The surest first.
    pub(crate) duplicates: Vec<Duplicate>,
}

impl Findings {
    /// Looks at all rows of `features`, and at the pictures in `images` for duplicates; judges labels if `judge`.
    pub(crate) fn of(
        features: &FeatureSet,
        head: &Head,
        images: Option<&Path>,
        judge: bool,
        seed: u64,
        session: &Session,
    ) -> anyhow::Result<Findings> {
        let rows = Selection::of(features, |_| true);
        if rows.len() > LONG {
            session.note(format!(
                "evaluate: {} rows are compared with one another: time grows with the square of their number",
                count(rows.len() as u64)
            ));
        }
        let labels = rows.labels();
        let classes = features.classes().len();
        let whitened = Neighbours::find(&Space::whitened(&rows)?, NEIGHBOURS);
        let (duplicates, unused) = duplicates(&whitened, &rows, features, images)?;
        if let Some(unused) = unused.words() {
            session.note(format!(
                "evaluate: of the pictures in --images {unused}: their duplicates are told by features alone"
            ));
        }
        if !judge {
            return Ok(Findings { suspects: Vec::new(), duplicates });
        }
        let own = |mut suspects: Vec<Suspect>| {
            suspects.iter_mut().for_each(|suspect| suspect.row = rows.row(suspect.row as usize) as u32);
            suspects
        };
        let truth = Truth::Class(labels.clone());
        let examples = Examples::new(&rows, &truth, classes)?;
        let (present, _) = present(&examples)?;
        if present.len() == labels.len() {
            session.note("evaluate: no class has two rows, so that all labels are left undecided");
            return Ok(Findings { suspects: own(undecided(&labels, &present)), duplicates });
        }
        let centred = Neighbours::find(&Space::centred(&rows)?, NEIGHBOURS);
        if labels.len().saturating_mul(classes) > MANY {
            session.note(format!(
                "evaluate: labels of {} rows and {} classes are judged by discriminants; logistic regression would take too long",
                count(labels.len() as u64),
                count(classes as u64)
            ));
            let suspects = many::suspects(&examples, &[&whitened, &centred], seed)?;
            return Ok(Findings { suspects: own(suspects), duplicates });
        }
        let probabilities = out_of_fold(&examples, head, seed)?;
        let predictions = Predictions::new(&labels, &probabilities, classes)?;
        let suspects = suspects(&predictions, &[&whitened, &centred])?;
        Ok(Findings { suspects: own(suspects), duplicates })
    }

    /// The labels that are likely wrong.
    pub(crate) fn likely(&self) -> impl Iterator<Item = &Suspect> {
        self.suspects.iter().take_while(|suspect| suspect.quality < LIKELY)
    }

    /// Pairs across splits.
    pub(crate) fn leaks<'a>(&'a self, features: &'a FeatureSet) -> impl Iterator<Item = &'a Duplicate> {
        let split = |row: u32| features.split(row as usize);
        self.duplicates.iter().filter(move |pair| split(pair.first) != split(pair.second))
    }

    /// `id, split, label, suggested, quality, likely`, worst first.
    pub(crate) fn suspects_frame(&self, features: &FeatureSet) -> PolarsResult<DataFrame> {
        let classes = features.classes();
        let each = || self.suspects.iter();
        df!(
            "id" => each().map(|s| features.id(s.row as usize)).collect::<Vec<_>>(),
            "split" => each().map(|s| features.split(s.row as usize).name()).collect::<Vec<_>>(),
            "label" => each().map(|s| classes[s.label as usize].as_str()).collect::<Vec<_>>(),
            "suggested" => each().map(|s| classes[s.suggested as usize].as_str()).collect::<Vec<_>>(),
            "quality" => each().map(|s| s.quality).collect::<Vec<_>>(),
            "likely" => each().map(|s| s.quality < LIKELY).collect::<Vec<_>>(),
        )
    }

    /// `id, split, label, other_id, other_split, other_label, similarity, pixels, leak`, surest first.
    pub(crate) fn duplicates_frame(&self, features: &FeatureSet) -> PolarsResult<DataFrame> {
        let classes = features.classes();
        let rows = |of: fn(&Duplicate) -> u32| self.duplicates.iter().map(move |pair| of(pair) as usize);
        let (first, second) = (|| rows(|pair| pair.first), || rows(|pair| pair.second));
        let label = |row: usize| classes[features.label(row) as usize].as_str();
        df!(
            "id" => first().map(|row| features.id(row)).collect::<Vec<_>>(),
            "split" => first().map(|row| features.split(row).name()).collect::<Vec<_>>(),
            "label" => first().map(label).collect::<Vec<_>>(),
            "other_id" => second().map(|row| features.id(row)).collect::<Vec<_>>(),
            "other_split" => second().map(|row| features.split(row).name()).collect::<Vec<_>>(),
            "other_label" => second().map(label).collect::<Vec<_>>(),
            "similarity" => self.duplicates.iter().map(|pair| pair.similarity.map(f64::from)).collect::<Vec<_>>(),
            "pixels" => self.duplicates.iter().map(|pair| pair.pixels.map(f64::from)).collect::<Vec<_>>(),
            "leak" => first().zip(second()).map(|(a, b)| features.split(a) != features.split(b)).collect::<Vec<_>>(),
        )
    }
}

/// Classes that have rows, and each row's place among them: classes of the head that these rows lack cannot be learnt from them.
pub(crate) fn present(examples: &Examples<'_>) -> anyhow::Result<(Vec<usize>, Vec<u32>)> {
    let present: Vec<usize> =
        examples.counts().iter().enumerate().filter(|(_, rows)| **rows > 0).map(|(class, _)| class).collect();
    let place = |label: &u32| present.binary_search(&(*label as usize)).map_or(0, |at| at as u32);
    let labels: Vec<u32> = examples.labels().iter().map(place).collect();
    if present.len() < 2 || examples.rows() < 2 {
        bail!(
            "labels can be judged where there are rows of two classes or more; leave out --suspects and --report"
        );
    }
    Ok((present, labels))
}

/// Every row, of which nothing can be learnt without itself: its label is as good as the first other one.
fn undecided(labels: &[u32], present: &[usize]) -> Vec<Suspect> {
    let other = |label: u32| {
        present.iter().find(|&&class| class != label as usize).map_or(label, |&class| class as u32)
    };
    let suspect =
        |(row, &label): (u32, &u32)| Suspect { row, label, suggested: other(label), quality: UNDECIDED };
    (0..).zip(labels).map(suspect).collect()
}

/// (n, C): each row by a linear fit without its fold. A row that is the only one of its class, which no fold holds out, is
/// left undecided, and so is one of which that fit says no number.
fn out_of_fold(examples: &Examples<'_>, head: &Head, seed: u64) -> anyhow::Result<Vec<f64>> {
    let (n, classes) = (examples.rows(), examples.outputs());
    let (present, labels) = present(examples)?;
    let truth = Truth::Class(labels.clone());
    let examples = Examples::new(examples.features(), &truth, present.len())?;
    let folds = Folds::stratified(&labels, present.len(), FOLDS.min(n), seed)?;
    let problem = LinearProblem::new(&examples, &LinearSettings::default())?;
    let held_out = HeldOut::Folds(&folds);
    let go_on = |_: &Candidate| ControlFlow::Continue(());
    let sweep = problem.sweep(&penalties(head), held_out, false, go_on)?;
    let mut probabilities = vec![0.0; n * classes];
    probabilities.chunks_exact_mut(classes).for_each(|row| {
        present.iter().for_each(|&class| row[class] = 1.0 / present.len() as f64);
    });
    let judge = |row, scores: &[f32]| (row, softmax(scores, scores.len()));
    for (row, judged) in problem.held_out_scores(&sweep, held_out, judge) {
        if judged.iter().any(|p| !p.is_finite()) {
            continue;
        }
        let row = &mut probabilities[row * classes..][..classes];
        present.iter().zip(judged).for_each(|(&class, p)| row[class] = p);
    }
    Ok(probabilities)
}

/// The head's own penalty, if it is one of standardised logistic regression; else some to choose from.
fn penalties(head: &Head) -> Vec<f64> {
    let is_like = head.fit["head"] == "linear" && head.fit["standardize"] == true;
    let own = head.fit["l2"].as_f64().filter(|l2| is_like && l2.is_finite() && *l2 > 0.0);
    own.map_or(PENALTIES.to_vec(), |l2| vec![l2])
}
