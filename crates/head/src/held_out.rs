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

    /// The rows where they are rows of their own.
    pub(crate) fn own(&self) -> Option<Examples<'a>> {
        match self {
            HeldOut::Rows(examples) => Some(*examples),
            HeldOut::Folds(_) => None,
        }
    }

    /// The rows, which may be among those of `train`.
    pub fn examples(&self, train: &Examples<'a>) -> Examples<'a> {
        self.own().unwrap_or(*train)
    }

    /// Whether they go with the rows that are fitted on.
    pub(crate) fn check(&self, train: &Examples<'_>) -> Result<(), HeadFitError> {
        let apart = match (self.own(), self.folds()) {
            (Some(rows), _) if rows.dim() != train.dim() => Some((rows.dim(), train.dim())),
            (Some(rows), _) if rows.outputs() != train.outputs() || rows.task() != train.task() => {
                Some((rows.outputs(), train.outputs()))
            }
            (_, Some(folds)) if folds.rows() != train.rows() => Some((folds.rows(), train.rows())),
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
