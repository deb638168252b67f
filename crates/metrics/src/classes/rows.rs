//! What became of each row: a struct of columns that blocks of rows are pushed to, so that the (n, C) matrix
//! of probabilities never has to be held.

use rayon::prelude::*;

use crate::{
    ScoreError, Scored,
    row::{argmax, rank, squared_distance},
};

/// One entry a row, in the order the rows were pushed in: 36 bytes a row, however many classes there are.
///
/// Everything but the one-vs-rest metrics ([`OneVsRest`](crate::OneVsRest)) follows from it, through
/// their tally.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassRows {
    classes: usize,
    labels: Vec<u32>,
    predicted: Vec<u32>,
    ranks: Vec<u32>,
    confidences: Vec<f64>,
    own: Vec<f64>,
    distances: Vec<f64>,
}

/// What one row's probabilities come to.
struct Outcome {
    predicted: u32,
    rank: u32,
    confidence: f64,
    own: f64,
    distance: f64,
}

impl ClassRows {
    /// Of no rows yet, and `classes` classes.
    pub fn new(classes: usize) -> ClassRows {
        ClassRows {
            classes,
            labels: Vec::new(),
            predicted: Vec::new(),
            ranks: Vec::new(),
            confidences: Vec::new(),
            own: Vec::new(),
            distances: Vec::new(),
        }
    }

    /// Of all rows of `scored`.
    pub fn of(scored: &Scored<'_>) -> ClassRows {
        let mut outcomes = ClassRows::new(scored.classes());
        outcomes.append(scored);
        outcomes
    }

    /// Appends a block of rows: `labels` (b,) and `probabilities` (b, C), row-major. A block may be empty.
    /// Rows are shared out over the current rayon pool; each depends on itself alone.
    ///
    /// # Errors
    /// What [`Scored::new`] refuses, rows numbered from the first that was ever pushed; more than 2³² − 1
    /// rows in all. Nothing is appended then.
    pub fn push(&mut self, labels: &[u32], probabilities: &[f64]) -> Result<(), ScoreError> {
        if labels.is_empty() && probabilities.is_empty() {
            return Ok(());
        }
        let before = self.rows();
        if u32::try_from(before + labels.len()).is_err() {
            return Err(ScoreError::TooManyRows);
        }
        let block = Scored::new(labels, probabilities, self.classes).map_err(|error| error.after(before))?;
        self.append(&block);
        Ok(())
    }

    fn append(&mut self, block: &Scored<'_>) {
        let rows = block.probabilities().par_chunks_exact(self.classes).zip(block.labels());
        let outcomes: Vec<Outcome> = rows.map(|(row, &label)| Outcome::of(label as usize, row)).collect();
        self.labels.extend_from_slice(block.labels());
        self.predicted.extend(outcomes.iter().map(|row| row.predicted));
        self.ranks.extend(outcomes.iter().map(|row| row.rank));
        self.confidences.extend(outcomes.iter().map(|row| row.confidence));
        self.own.extend(outcomes.iter().map(|row| row.own));
        self.distances.extend(outcomes.iter().map(|row| row.distance));
    }

    /// The outcomes of `rows` alone (a slice of the data set), in that order; a row may be named twice.
    ///
    /// # Panics
    /// Where a row is not below [`ClassRows::rows`].
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> ClassRows {
        fn of<T: Copy>(column: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&row| column[row]).collect()
        }
        ClassRows {
            classes: self.classes,
            labels: of(&self.labels, rows),
            predicted: of(&self.predicted, rows),
            ranks: of(&self.ranks, rows),
            confidences: of(&self.confidences, rows),
            own: of(&self.own, rows),
            distances: of(&self.distances, rows),
        }
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Number of classes, C.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// True class of each row, (n,).
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Predicted class of each row, (n,): the most probable, of equals the first (numpy's `argmax`).
    pub fn predicted(&self) -> &[u32] {
        &self.predicted
    }

    /// How many classes rank above the true one, (n,); of equals the *later* class ranks higher, as in
    /// the top-k accuracy.
    pub fn ranks(&self) -> &[u32] {
        &self.ranks
    }

    /// Largest probability of each row, (n,).
    pub fn confidences(&self) -> &[f64] {
        &self.confidences
    }

    /// Probability of the true class of each row, (n,).
    pub fn own(&self) -> &[f64] {
        &self.own
    }

    /// Squared distance of each row's probabilities to the one-hot vector of its label, (n,).
    pub fn distances(&self) -> &[f64] {
        &self.distances
    }
}

impl Outcome {
    fn of(label: usize, row: &[f64]) -> Outcome {
        let predicted = argmax(row);
        Outcome {
            predicted: predicted as u32,
            rank: rank(label, row) as u32,
            confidence: row[predicted],
            own: row[label],
            distance: squared_distance(label, row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_a_small_block() {
        let mut outcomes = ClassRows::new(3);
        outcomes.push(&[], &[]).unwrap();
        outcomes.push(&[0, 2], &[0.5, 0.25, 0.25, 0.5, 0.5, 0.0]).unwrap();
        outcomes.push(&[1], &[0.25, 0.25, 0.5]).unwrap();
        assert_eq!((outcomes.rows(), outcomes.classes()), (3, 3));
        assert_eq!(outcomes.labels(), [0, 2, 1]);
        assert_eq!(outcomes.predicted(), [0, 0, 2]);
        assert_eq!(outcomes.ranks(), [0, 2, 1]);
        assert_eq!(outcomes.confidences(), [0.5, 0.5, 0.5]);
        assert_eq!(outcomes.own(), [0.5, 0.0, 0.25]);
        assert_eq!(outcomes.distances(), [0.375, 1.5, 0.875]);
        let selected = outcomes.select(&[2, 0, 2]);
        assert_eq!((selected.labels(), selected.ranks()), ([1, 0, 1].as_slice(), [1, 0, 1].as_slice()));
    }

    #[test]
    fn errors_count_rows_from_the_first_block_on() {
        let mut outcomes = ClassRows::new(2);
        outcomes.push(&[0, 1], &[0.5; 4]).unwrap();
        let before = outcomes.clone();
        let cases: [(&[u32], &[f64], ScoreError); 4] = [
            (&[1, 2], &[0.5; 4], ScoreError::Label { row: 3, label: 2, classes: 2 }),
            (&[1], &[0.5, 2.0], ScoreError::Probability { row: 2, class: 1, value: 2.0 }),
            (&[1], &[0.5], ScoreError::Shape { rows: 1, classes: 2, got: 1 }),
            (&[], &[0.5], ScoreError::NoRows),
        ];
        for (labels, probabilities, expected) in cases {
            assert_eq!(outcomes.push(labels, probabilities).unwrap_err(), expected);
        }
        assert_eq!(outcomes, before);
    }
}
