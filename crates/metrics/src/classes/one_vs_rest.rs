//! The second pass over the probabilities, which ranks every class against the rest without holding the
//! matrix.

use rayon::prelude::*;

use crate::{ClassRows, Rankings, ScoreError, Scored, against::Against, scored::within};

/// Classes that one thread counts: a cache line of a row. The order of sums follows from it, so it is fixed.
const CLASSES_AT_A_TIME: usize = 8;
/// Rows that are counted for one class after the other, while the block they are in is near.
const ROWS_AT_A_TIME: usize = 512;

/// Counts, for every class, where the scores of the other classes' rows fall among those of its own.
///
/// The first pass over the data has given every row's probability of its own class ([`ClassRows`]); the second
/// one pushes the same blocks here, in the same order. Memory is at most 28 bytes a row, and time a binary
/// search for each pair of row and other class; no score is ever sorted but each row's own.
#[derive(Clone, Debug)]
pub struct OneVsRest<'a> {
    outcomes: &'a ClassRows,
    classes: Vec<Against>,
    /// What a row's half pair costs the AUC of a class, 1/(2PN); 0 for a class that has no AUC.
    prices: Vec<f64>,
    /// What each row that was pushed costs all other classes' AUCs.
    costs: Vec<f64>,
}

/// Why probabilities do not continue a [`OneVsRest`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RankingError {
    /// They are not probabilities, or not of whole rows.
    #[error(transparent)]
    Scores(#[from] ScoreError),
    /// The second pass had more rows than the first, or fewer.
    #[error("expected the {expected} rows of the first pass again, got {got}")]
    Rows {
        /// Rows of the outcomes.
        expected: usize,
        /// Rows that were pushed.
        got: usize,
    },
    /// The second pass differs from the first.
    #[error("row {row}: expected {expected} for its own class, as in the first pass, got {got}")]
    Changed {
        /// The row.
        row: usize,
        /// Its own class's probability in the first pass.
        expected: f64,
        /// And in the second.
        got: f64,
    },
}

impl<'a> OneVsRest<'a> {
    /// Sorts every class's own scores.
    pub fn new(outcomes: &'a ClassRows) -> OneVsRest<'a> {
        let mut own = vec![Vec::new(); outcomes.classes()];
        for (&label, &p) in outcomes.labels().iter().zip(outcomes.own()) {
            own[label as usize].push(p);
        }
        let rows = outcomes.rows();
        let classes: Vec<Against> = own
            .into_iter()
            .map(|scores| {
                let others = (rows - scores.len()) as u32;
                Against::new(scores, others)
            })
            .collect();
        let price = |class: &Against| match (class.positives(), class.negatives()) {
            (0, _) | (_, 0) => 0.0,
            (positives, negatives) => 0.5 / (positives as f64 * negatives as f64),
        };
        let prices = classes.iter().map(price).collect();
        OneVsRest { outcomes, classes, prices, costs: Vec::with_capacity(rows) }
    }

    /// Counts the next block, `probabilities` (b, C), row-major. Classes are shared out over the current
    /// rayon pool; bits depend neither on the number of threads nor on the blocks' sizes.
    ///
    /// # Errors
    /// A block that is not of whole rows, values outside [0, 1], more rows than the first pass had, or
    /// others. Nothing is counted then.
    pub fn push(&mut self, probabilities: &[f64]) -> Result<(), RankingError> {
        let (classes, before) = (self.outcomes.classes(), self.costs.len());
        let rows = probabilities.len().checked_div(classes).unwrap_or(0);
        if rows * classes != probabilities.len() {
            return Err(ScoreError::Shape { rows, classes, got: probabilities.len() }.into());
        }
        within(probabilities, classes).map_err(|error| error.after(before))?;
        if before + rows > self.outcomes.rows() {
            return Err(RankingError::Rows { expected: self.outcomes.rows(), got: before + rows });
        }
        for row in 0..rows {
            let (label, expected) = (self.outcomes.labels()[before + row], self.outcomes.own()[before + row]);
            let got = probabilities[row * classes + label as usize];
            if got != expected {
                return Err(RankingError::Changed { row: before + row, expected, got });
            }
        }
        self.count(probabilities);
        Ok(())
    }

    /// The metrics, once all rows have been pushed.
    ///
    /// # Errors
    /// Fewer rows than the first pass had.
    pub fn finish(self) -> Result<Rankings, RankingError> {
        let (expected, got) = (self.outcomes.rows(), self.costs.len());
        if got < expected {
            return Err(RankingError::Rows { expected, got });
        }
        Ok(self.conclude())
    }

    fn count(&mut self, probabilities: &[f64]) {
        for block in probabilities.chunks(ROWS_AT_A_TIME * self.prices.len().max(1)) {
            let (before, rows) = (self.costs.len(), block.len() / self.prices.len());
            let labels = &self.outcomes.labels()[before..before + rows];
            let shares = self
                .classes
                .par_chunks_mut(CLASSES_AT_A_TIME)
                .zip(self.prices.par_chunks(CLASSES_AT_A_TIME))
                .enumerate()
                .map(|(at, (classes, prices))| {
                    count_some(at * CLASSES_AT_A_TIME, classes, prices, labels, block)
                });
            let shares: Vec<Vec<f64>> = shares.collect();
            self.costs.extend((0..rows).map(|row| shares.iter().map(|share| share[row]).sum::<f64>()));
        }
    }

    fn conclude(self) -> Rankings {
        Rankings::of_classes(self.outcomes, self.classes, &self.costs)
    }
}

impl Rankings {
    /// For a matrix that is held anyway: both passes at once.
    pub fn of(scored: &Scored<'_>) -> Rankings {
        let outcomes = ClassRows::of(scored);
        let mut pass = OneVsRest::new(&outcomes);
        pass.count(scored.probabilities());
        pass.conclude()
    }
}

/// Counts the rows of `block` for `classes`, of which the first has number `first`. Gives what each row costs
/// them.
fn count_some(
    first: usize,
    classes: &mut [Against],
    prices: &[f64],
    labels: &[u32],
    block: &[f64],
) -> Vec<f64> {
    let mut costs = vec![0.0; labels.len()];
    let width = block.len() / labels.len();
    for (at, (class, price)) in classes.iter_mut().zip(prices).enumerate() {
        let class_number = first + at;
        let scores = block[class_number..].iter().step_by(width);
        for ((&label, &score), cost) in labels.iter().zip(scores).zip(&mut costs) {
            if label as usize != class_number {
                *cost += class.count(score) as f64 * price;
            }
        }
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: [f64; 6] = [0.75, 0.25, 0.25, 0.75, 0.5, 0.5];

    fn outcomes() -> ClassRows {
        let mut outcomes = ClassRows::new(2);
        outcomes.push(&[0, 1, 1], &P).unwrap();
        outcomes
    }

    #[test]
    fn the_second_pass_must_be_the_first_again() {
        let outcomes = outcomes();
        let mut pass = OneVsRest::new(&outcomes);
        pass.push(&P[..2]).unwrap();
        pass.push(&[]).unwrap();
        let cases: [(&[f64], RankingError); 4] = [
            (&[0.5], ScoreError::Shape { rows: 0, classes: 2, got: 1 }.into()),
            (&[0.5, 1.5], ScoreError::Probability { row: 1, class: 1, value: 1.5 }.into()),
            (&[0.5; 6], RankingError::Rows { expected: 3, got: 4 }),
            (&[0.25, 0.75, 1.0, 0.0], RankingError::Changed { row: 2, expected: 0.5, got: 0.0 }),
        ];
        for (block, expected) in cases {
            assert_eq!(pass.push(block).unwrap_err(), expected);
        }
        assert_eq!(pass.clone().finish().unwrap_err(), RankingError::Rows { expected: 3, got: 1 });
        pass.push(&P[2..]).unwrap();
        let held = Rankings::of(&Scored::new(&[0, 1, 1], &P, 2).unwrap());
        assert_eq!(pass.finish().unwrap(), held);
    }

    #[test]
    fn no_rows_and_no_classes() {
        let nothing = ClassRows::new(3);
        assert_eq!(OneVsRest::new(&nothing).finish().unwrap().macro_roc_auc().value, None);
        let nothing = ClassRows::new(0);
        let mut pass = OneVsRest::new(&nothing);
        pass.push(&[]).unwrap();
        assert!(matches!(pass.push(&[0.5]), Err(RankingError::Scores(ScoreError::Shape { .. }))));
        assert_eq!(pass.finish().unwrap().macro_roc_auc().value, None);
    }
}
