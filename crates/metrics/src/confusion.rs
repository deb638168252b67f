//! Counts of (true class, predicted class), and everything that follows from them alone.

use crate::Scored;

/// A (C, C) matrix of counts: row is the true class, column the predicted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

/// What one class scored. A ratio whose denominator is zero is 0, as scikit-learn's
/// `zero_division` default has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassScores {
    /// Of the rows predicted as this class, the part that are.
    pub precision: f64,
    /// Of the rows of this class, the part predicted so.
    pub recall: f64,
    /// Harmonic mean of the two: 2 tp / (support + predicted).
    pub f1: f64,
    /// Rows of this class.
    pub support: u64,
    /// Rows predicted as this class.
    pub predicted: u64,
    /// Rows of this class predicted so.
    pub correct: u64,
}

/// One kind of mistake.
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
    /// Counts the rows of `scored` by their most probable class.
    pub fn of(scored: &Scored<'_>) -> Confusion {
        let classes = scored.classes();
        let mut counts = vec![0; classes * classes];
        for (label, predicted) in scored.labels().iter().zip(scored.predicted()) {
            counts[*label as usize * classes + predicted as usize] += 1;
        }
        Confusion { classes, counts }
    }

    /// Rows of class `truth` that were predicted as `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[truth * self.classes + predicted]
    }

    /// Rows in all, n.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Rows predicted rightly.
    pub fn correct(&self) -> u64 {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    /// `accuracy_score`.
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.total())
    }

    /// `balanced_accuracy_score`: the mean recall of the classes that have rows.
    pub fn balanced_accuracy(&self) -> f64 {
        let recalls: Vec<f64> =
            self.per_class().iter().filter(|class| class.support > 0).map(|class| class.recall).collect();
        recalls.iter().sum::<f64>() / recalls.len().max(1) as f64
    }

    /// Precision, recall and F1 of each class, (C,).
    pub fn per_class(&self) -> Vec<ClassScores> {
        (0..self.classes).map(|class| self.class(class)).collect()
    }

    /// The plain mean of `what` over all C classes, with or without rows.
    pub fn macro_average(&self, what: impl Fn(&ClassScores) -> f64) -> f64 {
        self.per_class().iter().map(what).sum::<f64>() / self.classes as f64
    }

    /// The mean of `what` over the classes, each weighted by its support.
    pub fn weighted_average(&self, what: impl Fn(&ClassScores) -> f64) -> f64 {
        let sum: f64 = self.per_class().iter().map(|class| what(class) * class.support as f64).sum();
        sum / self.total() as f64
    }

    /// The mistakes, most frequent first; of equals in the order of (true class, predicted class).
    pub fn mistakes(&self) -> Vec<Pair> {
        let mut pairs: Vec<Pair> =
            self.pairs().into_iter().filter(|pair| pair.truth != pair.predicted).collect();
        pairs.sort_by_key(|pair| (std::cmp::Reverse(pair.count), pair.truth, pair.predicted));
        pairs
    }

    /// Every pair that occurs, the right ones too, in the order of (true class, predicted class).
    pub fn pairs(&self) -> Vec<Pair> {
        let cells = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        cells
            .map(|(at, &count)| Pair { truth: at / self.classes, predicted: at % self.classes, count })
            .collect()
    }

    fn class(&self, class: usize) -> ClassScores {
        let correct = self.count(class, class);
        let support = (0..self.classes).map(|predicted| self.count(class, predicted)).sum();
        let predicted = (0..self.classes).map(|truth| self.count(truth, class)).sum();
        ClassScores {
            precision: ratio(correct, predicted),
            recall: ratio(correct, support),
            f1: ratio(2 * correct, support + predicted),
            support,
            predicted,
            correct,
        }
    }
}

/// 0 where the denominator is.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
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
        Confusion::of(&Scored::new(&truth, &probabilities, 4).unwrap())
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
