//! Applying a head of any kind.

use artifact::Head;

use crate::knn::Voters;
use crate::logits::Logits;

/// What `head` makes of the rows of `x` (n, d): (n, C), whose softmax are its probabilities: logits of layers, or the
/// logarithms of neighbours' votes. A row's scores depend on the row alone.
///
/// # Panics
/// Where `x` is not a whole number of rows of the head's features.
pub fn scores(head: &Head, x: &[f32]) -> Vec<f32> {
    Scores::of(head).of_rows(x)
}

/// A head made ready to be applied to block after block of rows.
pub struct Scores(Kind);

enum Kind {
    Layers(Logits),
    Neighbours(Voters),
}

impl Scores {
    /// Lays the head's numbers out anew.
    pub fn of(head: &Head) -> Scores {
        Scores(match &head.memory {
            Some(memory) => Kind::Neighbours(Voters::of(memory, head.classes.len())),
            None => Kind::Layers(Logits::of(&head.layers)),
        })
    }

    /// As [`scores`].
    ///
    /// # Panics
    /// As [`scores`].
    pub fn of_rows(&self, x: &[f32]) -> Vec<f32> {
        match &self.0 {
            Kind::Layers(layers) => layers.of_rows(x),
            Kind::Neighbours(voters) => voters.of_rows(x),
        }
    }
}
