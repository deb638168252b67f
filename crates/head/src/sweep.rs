//! What fits at several strengths found, whatever was fitted.

use crate::{HeldOut, Quality, pass::Member};

/// One strength, and how it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The penalty, or the shrinkage.
    pub strength: f64,
    /// Iterations of L-BFGS; with folds, of the fold that took most. None of a closed form.
    pub iterations: usize,
    /// Whether the gradient fell below the tolerance (1e-4 at least), in every fold. Closed forms always do.
    pub converged: bool,
    /// On the rows that were fitted; with folds, the mean over folds, of closed forms that over all of their rows. A closed
    /// form's loss is that of its scores as they are, on labels and numbers the mean squared error.
    pub train: Quality,
    /// The same on the rows that were held out, each counting the same.
    pub held_out: Quality,
}

/// All candidates.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// In the order of fitting: the largest strength first.
    pub candidates: Vec<Candidate>,
    /// The candidate of least held-out loss, of closed forms of classes that of highest held-out accuracy; of equals the
    /// first, which has the largest strength.
    pub best: usize,
    /// Parameters of the best candidate, for each fold, or of the one model.
    pub(crate) members: Vec<Vec<f64>>,
}

impl Sweep {
    /// The candidate that was chosen.
    pub fn chosen(&self) -> &Candidate {
        &self.candidates[self.best]
    }

    /// The models of the best candidate, one a part.
    pub(crate) fn best_members(&self, held_out: HeldOut<'_>) -> Vec<Member<'_>> {
        let parts = self.members.iter().zip(held_out.parts());
        parts.map(|(parameters, held_out)| Member { parameters, held_out }).collect()
    }
}
