//! `--suspects`: what is said to be so of a sample and likely is not.
//!
//! All samples are looked at, whatever their split, but none of their augmented views. Heads are fitted on folds of them, so that
//! each row is judged by a fit that did not see it. Nothing of that goes into any metric.

mod classes;
mod labels;
mod many;
mod numbers;
mod table;

use cli::Session;
use features::Selection;
use head::Head;
use head::{Folds, HeadFitError};
use review::{NEIGHBOURS, Neighbours, Space, Suspect};
use sample::targets::Truth;

pub(crate) use labels::LabelSuspect;
pub(crate) use numbers::NumberSuspect;

/// Of more probabilities, rows times classes or labels, no logistic regression is fitted to judge them.
const MANY: usize = 1 << 24;
/// Folds that judge labels.
const FOLDS: usize = 5;
/// Below this quality something is likely wrong.
pub(crate) const LIKELY: f64 = 0.5;

/// Every row, the least credible first; rows are the artefact's.
#[derive(Debug)]
pub(crate) enum Suspects {
    Classes(Vec<Suspect>),
    Labels(Vec<LabelSuspect>),
    Numbers(Vec<NumberSuspect>),
}

impl Suspects {
    /// Of `rows`, of which `truth` is said; `whitened` are their neighbours.
    pub(crate) fn of(
        rows: &Selection<'_>,
        truth: &Truth,
        head: &Head,
        whitened: &Neighbours,
        seed: u64,
        session: &Session,
    ) -> anyhow::Result<Suspects> {
        let centred = || anyhow::Ok(Neighbours::find(&Space::centred(rows)?, NEIGHBOURS));
        let own = |row: u32| rows.row(row as usize) as u32;
        Ok(match truth {
            Truth::Class(labels) => {
                let centred = centred()?;
                let mut found = classes::judge(rows, labels, head, &[whitened, &centred], seed, session)?;
                found.iter_mut().for_each(|suspect| suspect.row = own(suspect.row));
                Suspects::Classes(found)
            }
            Truth::Labels(truth) => {
                let centred = centred()?;
                let truth: Vec<bool> = truth.iter().map(|&truth| truth > 0.5).collect();
                let mut found = labels::judge(rows, &truth, head, &[whitened, &centred], seed, session)?;
                found.iter_mut().for_each(|suspect| suspect.row = own(suspect.row));
                Suspects::Labels(found)
            }
            Truth::Numbers(truth) => {
                let mut found = numbers::judge(rows, truth, head.classes.len(), seed)?;
                found.iter_mut().for_each(|suspect| suspect.row = own(suspect.row));
                Suspects::Numbers(found)
            }
        })
    }

    /// Row and quality of each, the least credible first.
    pub(crate) fn each(&self) -> Vec<(u32, f64)> {
        match self {
            Suspects::Classes(found) => found.iter().map(|of| (of.row, of.quality)).collect(),
            Suspects::Labels(found) => found.iter().map(|of| (of.row, of.quality)).collect(),
            Suspects::Numbers(found) => found.iter().map(|of| (of.row, of.quality)).collect(),
        }
    }

    /// Rows that are likely wrong.
    pub(crate) fn likely(&self) -> Vec<u32> {
        let each = self.each().into_iter();
        each.take_while(|(_, quality)| *quality < LIKELY).map(|(row, _)| row).collect()
    }
}

/// Folds over which each of some classes is spread evenly.
fn folds(labels: &[u32], classes: usize, seed: u64) -> Result<Folds, HeadFitError> {
    Folds::stratified(labels, classes, FOLDS.min(labels.len()), seed)
}
