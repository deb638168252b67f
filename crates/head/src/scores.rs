//! Applying a head of any kind.

use artifact::{Head, Memory};

use crate::knn::votes;
use crate::logits::Logits;

/// A head made ready to be applied to block after block of rows.
pub struct Scorer<'a> {
    kind: Kind<'a>,
    classes: usize,
}

enum Kind<'a> {
    Layers(Logits),
    Memory(&'a Memory),
}

impl<'a> Scorer<'a> {
    /// Of `head`.
    pub fn of(head: &'a Head) -> Scorer<'a> {
        let kind = match &head.memory {
            Some(memory) => Kind::Memory(memory),
            None => Kind::Layers(Logits::of(&head.layers)),
        };
        Scorer { kind, classes: head.classes.len() }
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
            Kind::Layers(logits) => logits.of_rows(x),
            Kind::Memory(memory) => {
                assert_eq!(x.len() % memory.dim, 0, "rows of {} values", memory.dim);
                votes(memory, self.classes, x)
            }
        }
    }
}
