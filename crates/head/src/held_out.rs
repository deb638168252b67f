//! The rows that candidates are compared on, and temperatures fitted on.

use crate::{Examples, Folds, HeadFitError};

/// The rows that candidates are compared on.
#[derive(Clone, Copy)]
pub enum HeldOut<'a> {
    /// Rows of their own.
    Rows(Examples<'a>),
    /// The training rows (but for augmented views), each by a model that was fitted without its fold.
    Folds(&'a Folds),
}

impl<'a> HeldOut<'a> {
    /// The models that there are of each candidate, by the fold that each does not learn from.
    pub(crate) fn parts(&self) -> Vec<Option<usize>> {
        match self {
            HeldOut::Rows(_) => vec![None],
            HeldOut::Folds(folds) => (0..folds.count()).map(Some).collect(),
        }
    }

    pub(crate) fn folds(&self) -> Option<&'a Folds> {
        match self {
            HeldOut::Rows(_) => None,
            HeldOut::Folds(folds) => Some(folds),
        }
    }

    /// The rows, which may be among those of `train`.
    pub(crate) fn examples(&self, train: &Examples<'a>) -> Examples<'a> {
        match self {
            HeldOut::Rows(examples) => *examples,
            HeldOut::Folds(_) => *train,
        }
    }

    /// Whether they go with the rows that are fitted on.
    pub(crate) fn check(&self, train: &Examples<'_>) -> Result<(), HeadFitError> {
        let apart = match self {
            HeldOut::Rows(rows) if rows.dim() != train.dim() => Some((rows.dim(), train.dim())),
            HeldOut::Rows(rows) if rows.classes() != train.classes() => {
                Some((rows.classes(), train.classes()))
            }
            HeldOut::Folds(folds) if folds.rows() != train.rows() => Some((folds.rows(), train.rows())),
            _ => None,
        };
        if let HeldOut::Folds(folds) = self
            && (0..folds.rows()).all(|at| folds.of(at).is_none())
        {
            return Err(HeadFitError::NothingHeldOut);
        }
        apart.map_or(Ok(()), |(got, expected)| Err(HeadFitError::HeldOut { expected, got }))
    }
}
