//! Applying a head of any kind.

use artifact::Head;

use crate::knn::Voters;
use crate::logits::Logits;

/// A head made ready to be applied to block after block of rows.
pub struct Scorer {
    kind: Kind,
    classes: usize,
}

enum Kind {
    Layers(Logits),
    Neighbours(Voters),
}

impl Scorer {
    /// Lays the head's numbers out anew.
    pub fn of(head: &Head) -> Scorer {
        let classes = head.classes.len();
        let kind = match &head.memory {
            Some(memory) => Kind::Neighbours(Voters::of(memory, classes)),
            None => Kind::Layers(Logits::of(&head.layers)),
        };
        Scorer { kind, classes }
    }

    /// C, the number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What the head makes of the rows of `x` (n, d): (n, C), whose softmax are its probabilities: logits of layers, or
    /// the logarithms of neighbours' votes. A row's scores depend on the row alone.
    ///
    /// # Panics
    /// Where `x` is not a whole number of rows of the head's features.
    pub fn of_rows(&self, x: &[f32]) -> Vec<f32> {
        match &self.kind {
            Kind::Layers(layers) => layers.of_rows(x),
            Kind::Neighbours(voters) => voters.of_rows(x),
        }
    }
}
