//! What heads are fitted on and scored with, checked once.

use features::Rows;
use sample::targets::{Task, Truth};

use crate::HeadFitError;

/// Rows that are read together. A whole pass takes as many numbers of memory as some of these have.
pub(crate) const BLOCK: usize = 256;

/// Features and truth of the same rows: at least one row and one output, classes below the number of outputs, labels 0 or 1,
/// numbers finite.
#[derive(Clone, Copy)]
pub struct Examples<'a> {
    rows: &'a dyn Rows,
    truth: &'a Truth,
    outputs: usize,
    /// (n,); nothing where every row is a sample of its own.
    views: &'a [u32],
}

impl<'a> Examples<'a> {
    /// Takes `rows` (n, d) and their `truth`, of so many `outputs`: classes, labels, or numbers a row.
    ///
    /// # Errors
    /// No rows or outputs, truth of another number of rows, a class out of range, a label that is neither 0 nor 1, a number
    /// that is not finite.
    pub fn new(rows: &'a dyn Rows, truth: &'a Truth, outputs: usize) -> Result<Self, HeadFitError> {
        if rows.is_empty() || outputs == 0 {
            return Err(HeadFitError::NoRows);
        }
        let values = |values: &[f64], fine: fn(&f64) -> bool| {
            if rows.len() * outputs != values.len() {
                return Err(HeadFitError::Targets { rows: rows.len(), outputs, got: values.len() });
            }
            match values.iter().position(|value| !fine(value)) {
                Some(at) => {
                    let (row, output) = (at / outputs, at % outputs);
                    Err(HeadFitError::Target { row, output, got: values[at] })
                }
                None => Ok(()),
            }
        };
        match truth {
            Truth::Class(labels) if labels.len() != rows.len() => {
                return Err(HeadFitError::Lengths { rows: rows.len(), labels: labels.len() });
            }
            Truth::Class(labels) => {
                if let Some(row) = labels.iter().position(|&label| label as usize >= outputs) {
                    return Err(HeadFitError::Label { row, label: labels[row], classes: outputs });
                }
            }
            Truth::Labels(labels) => values(labels, |label| [0.0, 1.0].contains(label))?,
            Truth::Numbers(numbers) => values(numbers, |number| number.is_finite())?,
        }
        Ok(Examples { rows, truth, outputs, views: &[] })
    }

    /// Says which view each row is, (n,): a sample is a row of view 0 with the augmented ones after it.
    ///
    /// # Errors
    /// Another number of views than of rows, or no view 0 at the beginning.
    pub fn with_views(self, views: &'a [u32]) -> Result<Self, HeadFitError> {
        if views.len() != self.rows() || views[0] != 0 {
            return Err(HeadFitError::Views { rows: self.rows(), views: views.len() });
        }
        Ok(Examples { views, ..self })
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The rows of view 0, ascending: the first row of every sample.
    pub fn samples(&self) -> Vec<u32> {
        let first = |row: &u32| self.views.get(*row as usize).is_none_or(|view| *view == 0);
        (0..self.rows() as u32).filter(first).collect()
    }

    /// All rows of the sample whose first one this is.
    pub(crate) fn rows_of(&self, first: u32) -> std::ops::Range<u32> {
        let after = self.views.iter().skip(first as usize + 1);
        first..first + 1 + after.take_while(|view| **view > 0).count() as u32
    }

    /// Number of features, d.
    pub fn dim(&self) -> usize {
        self.rows.dim()
    }

    /// Number of classes, of labels, or of numbers a row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The features, (n, d).
    pub fn features(&self) -> &'a dyn Rows {
        self.rows
    }

    /// What is so of each row.
    pub fn truth(&self) -> &'a Truth {
        self.truth
    }

    /// What a head is to say of a row.
    pub fn task(&self) -> Task {
        self.truth.task()
    }

    /// Each row's class, (n,); of labels and numbers nothing.
    pub fn labels(&self) -> &'a [u32] {
        self.truth.classes()
    }

    /// Labels or numbers, (n, outputs) row-major; of classes nothing.
    pub fn values(&self) -> &'a [f64] {
        self.truth.values()
    }

    /// Rows of each class, or rows with each label: (outputs,). Of numbers all rows, for each.
    pub fn counts(&self) -> Vec<usize> {
        self.truth.counts(self.outputs)
    }

    /// What samples are spread evenly by over folds and parts, (samples,), and how many of that there are: their class; of
    /// labels the rarest that each has, and one more where it has none, so that each label is in most folds. Samples of
    /// numbers are all alike.
    pub fn strata(&self) -> (Vec<u32>, usize) {
        let samples = self.samples();
        let own = self.truth.select(samples.iter().map(|&row| row as usize), self.outputs);
        let counts = own.counts(self.outputs);
        match own {
            Truth::Class(labels) => (labels, self.outputs),
            Truth::Labels(values) => {
                let rarest = |row: &[f64]| {
                    let positive = (0..self.outputs).filter(|&label| row[label] > 0.5);
                    positive.min_by_key(|&label| counts[label]).unwrap_or(self.outputs) as u32
                };
                (values.chunks_exact(self.outputs).map(rarest).collect(), self.outputs + 1)
            }
            Truth::Numbers(_) => (vec![0; samples.len()], 1),
        }
    }

    /// Whether a head can be fitted: two classes or more, each with rows; of each label rows with it and rows without it;
    /// numbers whose differences f32 can say.
    pub(crate) fn check_trainable(&self) -> Result<(), HeadFitError> {
        let column = |output: usize| self.values()[output..].iter().step_by(self.outputs).copied();
        match self.truth {
            Truth::Class(_) if self.outputs < 2 => Err(HeadFitError::TooFewClasses { got: self.outputs }),
            Truth::Class(_) => match self.counts().iter().position(|&count| count == 0) {
                Some(class) => Err(HeadFitError::AbsentClass { class }),
                None => Ok(()),
            },
            Truth::Labels(_) => match self.counts().iter().position(|&n| n == 0 || n == self.rows()) {
                Some(label) => Err(HeadFitError::ConstantLabel { label }),
                None => Ok(()),
            },
            Truth::Numbers(_) => {
                let spread = |output: usize| {
                    column(output).fold(f64::MIN, f64::max) - column(output).fold(f64::MAX, f64::min)
                };
                let tiny = |spread: f64| spread > 0.0 && spread < f64::from(f32::MIN_POSITIVE);
                match (0..self.outputs).find(|&output| tiny(spread(output))) {
                    Some(output) => Err(HeadFitError::TinyTarget { output }),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::Matrix;

    #[test]
    fn samples_are_rows_of_view_0_with_those_after_them() {
        let matrix = Matrix::new(&[0.0; 6], 1).unwrap();
        let truth = Truth::Class(vec![0, 0, 0, 1, 1, 0]);
        let examples = Examples::new(&matrix, &truth, 2).unwrap();
        assert_eq!((examples.samples(), examples.rows_of(2)), (vec![0, 1, 2, 3, 4, 5], 2..3));
        let examples = examples.with_views(&[0, 1, 2, 0, 1, 0]).unwrap();
        assert_eq!(examples.samples(), [0, 3, 5]);
        assert_eq!([0, 3, 5].map(|first| examples.rows_of(first)), [0..3, 3..5, 5..6]);
        assert_eq!(examples.strata(), (vec![0, 1, 0], 2));
        assert!(examples.with_views(&[0, 1]).is_err());
        assert!(examples.with_views(&[1, 0, 0, 0, 0, 0]).is_err());
    }

    #[test]
    fn samples_of_labels_are_spread_by_their_rarest() {
        let matrix = Matrix::new(&[0.0; 5], 1).unwrap();
        let truth = Truth::Labels(vec![1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
        let examples = Examples::new(&matrix, &truth, 2).unwrap();
        assert_eq!((examples.counts(), examples.strata()), (vec![4, 2], (vec![0, 1, 2, 0, 1], 3)));
    }

    #[test]
    fn each_lie_has_its_error() {
        let message = |rows: usize, truth: Truth, outputs| {
            let values = vec![0.0; rows];
            let matrix = Matrix::new(&values, 1).unwrap();
            let examples = Examples::new(&matrix, &truth, outputs);
            examples.and_then(|examples| examples.check_trainable()).unwrap_err().to_string()
        };
        use Truth::{Class, Labels, Numbers};
        for (got, expected) in [
            (message(0, Class(vec![]), 2), "no rows"),
            (message(1, Class(vec![0, 1]), 2), "1 rows of features, but 2 labels"),
            (message(1, Class(vec![2]), 2), "row 0 has label 2, but there are only 2 classes"),
            (message(1, Class(vec![0]), 1), "expected at least two classes, got 1"),
            (message(2, Class(vec![0, 2]), 3), "class 1 has no rows"),
            (message(0, Labels(vec![]), 2), "no rows"),
            (message(1, Numbers(vec![1.0]), 2), "1 rows of features with 2 targets each, but 1 values"),
            (message(2, Labels(vec![1.0, 0.5]), 1), "row 1, output 0: 0.5 is no target"),
            (message(1, Numbers(vec![1.0, f64::NAN]), 2), "row 0, output 1: NaN is no target"),
            (
                message(2, Numbers(vec![5.0, 1e-40, 7.0, 2e-40]), 2),
                "output 1: its numbers differ by less than 1.2e-38; give them in a smaller unit",
            ),
            (message(2, Labels(vec![1.0, 0.0, 0.0, 0.0]), 2), "label 1 is the same in all rows"),
        ] {
            assert_eq!(got, expected);
        }
    }
}
