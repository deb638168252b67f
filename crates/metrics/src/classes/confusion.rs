//! Counts of (true class, predicted class), and everything that follows from them alone.

use rayon::prelude::*;

use super::ClassRows;
use crate::{ClassScores, Marginals};

/// A (C, C) matrix of counts: row is the true class, column the predicted one. Only the pairs that occur are
/// held, so that ten thousand classes do not take a hundred million counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// In the order of (true class, predicted class).
    pairs: Vec<Pair>,
    marginals: Marginals,
}

/// One kind of outcome: a true class and a predicted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The class the rows have.
    pub truth: usize,
    /// The class they were given.
    pub predicted: usize,
    /// How many.
    pub count: u64,
}

impl Confusion {
    /// Counts the rows by their true and their predicted class; there may be none.
    pub fn of(rows: &ClassRows) -> Confusion {
        Confusion::count_rows(rows.labels(), rows.predicted(), rows.classes())
    }

    fn count_rows(labels: &[u32], predicted: &[u32], classes: usize) -> Confusion {
        let mut rows: Vec<(u32, u32)> = labels.iter().copied().zip(predicted.iter().copied()).collect();
        rows.par_sort_unstable();
        let mut marginals = Marginals::new(classes);
        let mut pairs = Vec::new();
        for alike in rows.chunk_by(|a, b| a == b) {
            let pair = Pair {
                truth: alike[0].0 as usize,
                predicted: alike[0].1 as usize,
                count: alike.len() as u64,
            };
            marginals.add(pair.truth, pair.predicted, pair.count);
            pairs.push(pair);
        }
        Confusion { pairs, marginals }
    }

    /// What follows from the margins and the diagonal alone.
    pub fn marginals(&self) -> &Marginals {
        &self.marginals
    }

    /// Rows of class `truth` that were predicted as `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        let found = self.pairs.binary_search_by_key(&(truth, predicted), |pair| (pair.truth, pair.predicted));
        found.map_or(0, |at| self.pairs[at].count)
    }

    /// Rows in all, n.
    pub fn total(&self) -> u64 {
        self.marginals.total()
    }

    /// Rows predicted rightly.
    pub fn correct(&self) -> u64 {
        self.marginals.correct()
    }

    /// [`Marginals::accuracy`].
    pub fn accuracy(&self) -> f64 {
        self.marginals.accuracy()
    }

    /// [`Marginals::balanced_accuracy`].
    pub fn balanced_accuracy(&self) -> f64 {
        self.marginals.balanced_accuracy()
    }

    /// Precision, recall and F1 of each class, (C,).
    pub fn per_class(&self) -> Vec<ClassScores> {
        self.marginals.per_class().collect()
    }

    /// [`Marginals::macro_average`].
    pub fn macro_average(&self, what: impl Fn(&ClassScores) -> f64) -> f64 {
        self.marginals.macro_average(what)
    }

    /// [`Marginals::present_average`].
    pub fn present_average(&self, what: impl Fn(&ClassScores) -> f64) -> f64 {
        self.marginals.present_average(what)
    }

    /// [`Marginals::weighted_average`].
    pub fn weighted_average(&self, what: impl Fn(&ClassScores) -> f64) -> f64 {
        self.marginals.weighted_average(what)
    }

    /// The mistakes, most frequent first; of equals in the order of (true class, predicted class).
    pub fn mistakes(&self) -> Vec<Pair> {
        let wrong = self.pairs.iter().copied().filter(|pair| pair.truth != pair.predicted);
        let mut pairs: Vec<Pair> = wrong.collect();
        pairs.sort_by_key(|pair| (std::cmp::Reverse(pair.count), pair.truth, pair.predicted));
        pairs
    }

    /// Every pair that occurs, the right ones too, in the order of (true class, predicted class).
    pub fn pairs(&self) -> Vec<Pair> {
        self.pairs.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scikit-learn's own example of `classification_report`, as hard predictions; class 3 is absent.
    fn example() -> Confusion {
        let truth = [0, 1, 2, 2, 2];
        let predicted = [0, 0, 2, 2, 1];
        let mut probabilities = vec![0.0; 20];
        for (row, class) in predicted.iter().enumerate() {
            probabilities[row * 4 + class] = 1.0;
        }
        let mut rows = ClassRows::new(4);
        rows.push(&truth, &probabilities).unwrap();
        Confusion::of(&rows)
    }

    #[test]
    fn scikit_learn_s_example() {
        let confusion = example();
        let classes = confusion.per_class();
        let expected =
            [(0.5, 1.0, 2.0 / 3.0, 1), (0.0, 0.0, 0.0, 1), (1.0, 2.0 / 3.0, 0.8, 3), (0.0, 0.0, 0.0, 0)];
        for (class, (precision, recall, f1, support)) in classes.iter().zip(expected) {
            assert_eq!(
                (class.precision, class.recall, class.f1, class.support),
                (precision, recall, f1, support)
            );
        }
        assert_eq!(confusion.accuracy(), 0.6);
        assert_eq!(confusion.macro_average(|class| class.precision), 1.5 / 4.0);
        assert_eq!(confusion.present_average(|class| class.precision), 1.5 / 3.0);
        assert_eq!(confusion.weighted_average(|class| class.precision), 3.5 / 5.0);
        let balanced = (1.0 + 0.0 + 2.0 / 3.0) / 3.0;
        assert!((confusion.balanced_accuracy() - balanced).abs() < 1e-15);
    }

    #[test]
    fn mistakes_are_sorted_and_the_diagonal_is_left_out() {
        let confusion = example();
        let mistakes = [Pair { truth: 1, predicted: 0, count: 1 }, Pair { truth: 2, predicted: 1, count: 1 }];
        assert_eq!(confusion.mistakes(), mistakes);
        assert_eq!(confusion.pairs().iter().map(|pair| pair.count).sum::<u64>(), confusion.total());
    }
}
