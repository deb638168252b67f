//! Applying a head of any kind.

use artifact::Head;

use crate::knn::votes;
use crate::logits::logits;

/// What `head` makes of the rows of `x` (n, d): (n, C), whose softmax are its probabilities: logits of layers, or the
/// logarithms of neighbours' votes. A row's scores depend on the row alone.
///
/// # Panics
/// Where `x` is not a whole number of rows of the head's features.
pub fn scores(head: &Head, x: &[f32]) -> Vec<f32> {
    match &head.memory {
        Some(memory) => {
            assert_eq!(x.len() % memory.dim, 0, "rows of {} values", memory.dim);
            votes(memory, head.classes.len(), x)
        }
        None => logits(&head.layers, x),
    }
}
