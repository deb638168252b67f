//! Rows and what is to be learnt of them, whatever that is: what solvers work on.

use artifact::Rows;

use crate::targets::Units;
use crate::{Examples, TargetKind, Targets};

/// Rows of classes, or of other targets.
#[derive(Clone, Copy)]
pub(crate) enum Taught<'a> {
    Classes(Examples<'a>),
    Targets(Targets<'a>),
}

/// What a row's scores are held against.
#[derive(Clone, Copy)]
pub(crate) enum Loss<'a> {
    /// Softmax cross-entropy with the row's class, (n,), which counts so much, (C,).
    Classes { labels: &'a [u32], weights: &'a [f64] },
    /// Binary cross-entropy with each output's label, from 0 to 1: (n, outputs).
    Labels(&'a [f64]),
    /// Squared distance from each output's target, put in units: (n, outputs).
    Squares { values: &'a [f64], units: &'a Units },
}

impl<'a> Taught<'a> {
    pub(crate) fn rows(&self) -> usize {
        self.features().len()
    }

    pub(crate) fn dim(&self) -> usize {
        self.features().dim()
    }

    /// Classes, labels, or numbers a row.
    pub(crate) fn outputs(&self) -> usize {
        match self {
            Taught::Classes(examples) => examples.classes(),
            Taught::Targets(targets) => targets.outputs(),
        }
    }

    pub(crate) fn features(&self) -> &'a dyn Rows {
        match self {
            Taught::Classes(examples) => examples.features(),
            Taught::Targets(targets) => targets.features(),
        }
    }

    /// Whether both are of one kind.
    pub(crate) fn is_like(&self, other: &Taught<'_>) -> bool {
        match (self, other) {
            (Taught::Classes(_), Taught::Classes(_)) => true,
            (Taught::Targets(own), Taught::Targets(other)) => own.kind() == other.kind(),
            _ => false,
        }
    }

    /// Of classes, weighted so, and labels their likelihood; of numbers the squared distance in `units`.
    pub(crate) fn likelihood<'b>(&self, weights: &'b [f64], units: &'b Units) -> Loss<'b>
    where
        'a: 'b,
    {
        match self {
            Taught::Classes(examples) => Loss::Classes { labels: examples.labels(), weights },
            Taught::Targets(targets) => match targets.kind() {
                TargetKind::Labels => Loss::Labels(targets.values()),
                TargetKind::Numbers => Loss::Squares { values: targets.values(), units },
            },
        }
    }
}
