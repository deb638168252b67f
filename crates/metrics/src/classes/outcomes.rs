//! Rows of a classifier with what all metrics of them share.

use super::{ClassRows, Tally, sorted::Sorted};
use crate::{CompareError, Outcomes, Rankings, alone::Alone, averages::Averages};

/// What became of the rows of a classifier, added up once.
///
/// Metrics of rankings come with [`ranked`](ClassOutcomes::ranked), those of answers that are declined with
/// [`rejecting`](ClassOutcomes::rejecting).
#[derive(Debug)]
pub struct ClassOutcomes {
    pub(super) rows: ClassRows,
    pub(super) sorted: Sorted,
    pub(super) tally: Box<Tally>,
    pub(super) averages: Averages,
    pub(super) rankings: Option<Rankings>,
    pub(super) reject_below: Option<f64>,
}

impl ClassRows {
    /// Adds up every row.
    pub fn finish(self) -> ClassOutcomes {
        let sorted = Sorted::new(&self);
        let tally = Box::new(sorted.tally());
        let averages = Averages::new(tally.marginals());
        ClassOutcomes { rows: self, sorted, tally, averages, rankings: None, reject_below: None }
    }
}

impl ClassOutcomes {
    /// With what the second pass over the same rows counted.
    #[must_use]
    pub fn ranked(self, rankings: Rankings) -> ClassOutcomes {
        ClassOutcomes { rankings: Some(rankings), ..self }
    }

    /// Of a head that declines to answer below this confidence, if there is one.
    #[must_use]
    pub fn rejecting(self, below: Option<f64>) -> ClassOutcomes {
        ClassOutcomes { reject_below: below, ..self }
    }

    /// Each row.
    pub fn each(&self) -> &ClassRows {
        &self.rows
    }

    /// Counts and sums.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How well each class's rows rank above the others, where a second pass was made.
    pub fn rankings(&self) -> Option<&Rankings> {
        self.rankings.as_ref()
    }

    /// (rows that are answered, those of them that are right), where the head declines any.
    pub(super) fn answered(&self) -> Option<(u64, u64)> {
        let threshold = self.reject_below?;
        let kept = (0..self.rows.rows()).filter(|&at| self.rows.confidences()[at] >= threshold);
        let is_right = |at: usize| u64::from(self.rows.labels()[at] == self.rows.predicted()[at]);
        Some(kept.fold((0, 0), |(rows, right), at| (rows + 1, right + is_right(at))))
    }
}

impl Outcomes for ClassOutcomes {
    type Alone = Alone;

    fn alone(&self) -> impl Iterator<Item = Alone> + '_ {
        let ranking = |class| self.rankings.as_ref().and_then(|found| found.class(class)).copied();
        (0..self.rows.classes())
            .map(move |class| Alone::new(self.tally.marginals().class(class), ranking(class)))
    }

    fn select(&self, rows: &[usize]) -> ClassOutcomes {
        self.rows.select(rows).finish()
    }

    fn is_same(&self, other: &ClassOutcomes) -> Result<bool, CompareError> {
        let (first, second) = (&self.rows, &other.rows);
        if first.classes() != second.classes() {
            return Err(CompareError::Classes { first: first.classes(), second: second.classes() });
        }
        if first.rows() != second.rows() {
            return Err(CompareError::Rows { first: first.rows(), second: second.rows() });
        }
        let mut labels = first.labels().iter().zip(second.labels()).enumerate();
        match labels.find(|(_, (first, second))| first != second) {
            Some((row, (&first, &second))) => Err(CompareError::Label { row, first, second }),
            None => Ok(first == second),
        }
    }
}
