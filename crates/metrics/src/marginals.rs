//! How often each class occurs, is predicted, and is predicted rightly: all that most metrics of hard
//! predictions are made of.

/// Three counts of each class, (C,): the margins and the diagonal of a confusion matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marginals {
    support: Vec<u64>,
    predicted: Vec<u64>,
    correct: Vec<u64>,
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

impl Marginals {
    pub(crate) fn new(classes: usize) -> Marginals {
        Marginals { support: vec![0; classes], predicted: vec![0; classes], correct: vec![0; classes] }
    }

    /// Counts `rows` rows of class `truth` that were predicted as `predicted`.
    pub(crate) fn add(&mut self, truth: usize, predicted: usize, rows: u64) {
        self.support[truth] += rows;
        self.predicted[predicted] += rows;
        self.correct[truth] += rows * u64::from(truth == predicted);
    }

    /// Counts a row that bears `label`, was given it, or both.
    pub(crate) fn add_label(&mut self, label: usize, truth: bool, predicted: bool) {
        self.support[label] += u64::from(truth);
        self.predicted[label] += u64::from(predicted);
        self.correct[label] += u64::from(truth && predicted);
    }

    /// Scores of all counts added up, as if of one class.
    pub(crate) fn micro(&self) -> ClassScores {
        ClassScores::of(self.correct(), self.total(), self.predicted.iter().sum())
    }

    /// Number of classes, C.
    pub fn classes(&self) -> usize {
        self.support.len()
    }

    /// Rows in all, n.
    pub fn total(&self) -> u64 {
        self.support.iter().sum()
    }

    /// Rows predicted rightly.
    pub fn correct(&self) -> u64 {
        self.correct.iter().sum()
    }

    /// Scores of one class.
    ///
    /// # Panics
    /// Where there is no such class.
    pub fn class(&self, class: usize) -> ClassScores {
        ClassScores::of(self.correct[class], self.support[class], self.predicted[class])
    }

    /// Scores of each class, (C,).
    pub fn per_class(&self) -> impl ExactSizeIterator<Item = ClassScores> + '_ {
        (0..self.classes()).map(|class| self.class(class))
    }

    /// `accuracy_score`, which with every class counted is also the micro average of precision, recall and
    /// F1. Zero without rows.
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.total())
    }

    /// `balanced_accuracy_score`: the mean recall of the classes that have rows. Zero without rows.
    pub fn balanced_accuracy(&self) -> f64 {
        self.present_average(|class| class.recall)
    }

    /// Classes that have rows.
    pub fn present(&self) -> usize {
        self.support.iter().filter(|&&rows| rows > 0).count()
    }

    /// The plain mean of `what` over the classes that have rows: a class that no row bears says nothing of a classifier. Zero
    /// without rows.
    pub fn present_average(&self, what: impl Fn(&ClassScores) -> f64) -> f64 {
        let with_rows = self.per_class().filter(|class| class.support > 0);
        with_rows.map(|class| what(&class)).sum::<f64>() / self.present().max(1) as f64
    }

    /// The plain mean of `what` over all C classes, with or without rows.
    pub fn macro_average(&self, what: impl Fn(&ClassScores) -> f64) -> f64 {
        self.per_class().map(|class| what(&class)).sum::<f64>() / self.classes() as f64
    }

    /// The mean of `what` over the classes, each weighted by its support.
    pub fn weighted_average(&self, what: impl Fn(&ClassScores) -> f64) -> f64 {
        let sum: f64 = self.per_class().map(|class| what(&class) * class.support as f64).sum();
        sum / self.total() as f64
    }

    /// `cohen_kappa_score` (Cohen, 1960), without weights: how far the agreement exceeds that of chance.
    /// `None` where chance alone agrees on every row (all of one class and all predicted so), for which
    /// scikit-learn gives nan.
    pub fn cohen_kappa(&self) -> Option<f64> {
        let n = u128::from(self.total());
        let wrong = n * (n - u128::from(self.correct()));
        let expected = n * n - product(&self.support, &self.predicted);
        (expected > 0).then(|| 1.0 - wrong as f64 / expected as f64)
    }

    /// `matthews_corrcoef` for any number of classes (Gorodkin's R_K, 2004): the correlation of true and
    /// predicted class. Zero where either is the same for every row, as scikit-learn has it.
    pub fn matthews_corrcoef(&self) -> f64 {
        let n = u128::from(self.total());
        let both = i128::try_from(n * u128::from(self.correct())).unwrap_or(i128::MAX)
            - i128::try_from(product(&self.support, &self.predicted)).unwrap_or(i128::MAX);
        let truth = n * n - product(&self.support, &self.support);
        let predicted = n * n - product(&self.predicted, &self.predicted);
        if truth == 0 || predicted == 0 {
            return 0.0;
        }
        both as f64 / ((truth as f64).sqrt() * (predicted as f64).sqrt())
    }
}

impl ClassScores {
    pub(crate) fn of(correct: u64, support: u64, predicted: u64) -> ClassScores {
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
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Σ aᵢ bᵢ. Exact: counts are below 2³² each, and so is their sum.
fn product(a: &[u64], b: &[u64]) -> u128 {
    a.iter().zip(b).map(|(&a, &b)| u128::from(a) * u128::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(usize, usize)], classes: usize) -> Marginals {
        let mut marginals = Marginals::new(classes);
        for &(truth, predicted) in pairs {
            marginals.add(truth, predicted, 1);
        }
        marginals
    }

    #[test]
    fn agreement() {
        // cohen_kappa_score and matthews_corrcoef of the pairs.
        type Case = (&'static [(usize, usize)], usize, Option<f64>, f64);
        let cases: [Case; 4] = [
            (&[(2, 0), (0, 0), (2, 2), (2, 2), (0, 0), (1, 2)], 3, Some(3.0 / 7.0), 0.452_267_016_866_645_44),
            (&[(1, 1), (1, 0), (1, 1), (0, 1)], 2, Some(-1.0 / 3.0), -1.0 / 3.0),
            // Every row of one class and predicted so: nothing to agree about.
            (&[(1, 1), (1, 1)], 2, None, 0.0),
            // Every row predicted as one class.
            (&[(0, 1), (1, 1)], 2, Some(0.0), 0.0),
        ];
        for (pairs, classes, kappa, matthews) in cases {
            let marginals = of(pairs, classes);
            match (marginals.cohen_kappa(), kappa) {
                (Some(got), Some(kappa)) => assert!((got - kappa).abs() < 1e-15, "{got} is not {kappa}"),
                (got, kappa) => assert_eq!(got, kappa),
            }
            let got = marginals.matthews_corrcoef();
            assert!((got - matthews).abs() < 1e-15, "{got} is not {matthews}");
        }
    }

    #[test]
    fn rows_are_counted_together_or_one_by_one() {
        let mut marginals = Marginals::new(2);
        marginals.add(1, 1, 3);
        marginals.add(0, 1, 2);
        assert_eq!(marginals, of(&[(1, 1), (1, 1), (1, 1), (0, 1), (0, 1)], 2));
    }
}
