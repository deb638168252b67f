//! Orders in which rows are worth looking at.

use crate::{
    Predictions,
    predictions::{ascending, largest},
};

/// The loss of each row, −ln p(label), (n,): infinite where the label was thought impossible.
pub fn losses(predictions: &Predictions<'_>) -> Vec<f64> {
    predictions.iter().map(|(label, probabilities)| -probabilities[label as usize].ln()).collect()
}

/// All rows, the highest loss first, equals in their own order.
pub fn highest_loss(predictions: &Predictions<'_>) -> Vec<u32> {
    ascending(&losses(predictions).into_iter().map(|loss| -loss).collect::<Vec<f64>>())
}

/// The rows whose most probable class is not their label, those that are surest of it first, equals in their own order.
pub fn most_confident_wrong(predictions: &Predictions<'_>) -> Vec<u32> {
    let mut wrong: Vec<(u32, f64)> = (0u32..)
        .zip(predictions.iter())
        .map(|(row, (label, probabilities))| (row, label, largest(probabilities), probabilities))
        .filter(|&(_, label, class, _)| class != label as usize)
        .map(|(row, _, class, probabilities)| (row, probabilities[class]))
        .collect();
    wrong.sort_by(|a, b| b.1.total_cmp(&a.1));
    wrong.into_iter().map(|(row, _)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_follow_their_keys() {
        let p = [0.9, 0.1, 0.0, 1.0, 0.3, 0.7, 0.9, 0.1, 0.3, 0.7];
        let predictions = Predictions::new(&[0, 0, 0, 1, 0], &p, 2).unwrap();
        assert_eq!(highest_loss(&predictions), [1, 3, 2, 4, 0]);
        assert_eq!(most_confident_wrong(&predictions), [1, 3, 2, 4]);
        assert_eq!(losses(&predictions)[1], f64::INFINITY);
    }
}
