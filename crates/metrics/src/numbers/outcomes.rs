//! True and predicted numbers of rows, and what is averaged over several.

use std::sync::Arc;

use super::rows::Output;
use crate::{CompareError, Interval, NumberError, Outcomes, spread::Spread};

/// True and predicted values of the same rows, one list an output, checked once: at least one row and one output, all numbers
/// finite.
///
/// A metric of several outputs is the mean of theirs (scikit-learn's `multioutput="uniform_average"`), undefined where one of
/// them is. Outputs share their rows, so the mean's ends are the means of their ends.
#[derive(Debug)]
pub struct NumberOutcomes {
    pub(super) outputs: Vec<Arc<Output>>,
}

impl NumberOutcomes {
    /// Takes `truth` and `predicted`, both (n, `outputs`), row-major.
    ///
    /// # Errors
    /// No rows or outputs, lengths that do not fit, a value that is not finite, more than 2³² − 1 rows.
    pub fn new(truth: &[f64], predicted: &[f64], outputs: usize) -> Result<NumberOutcomes, NumberError> {
        if truth.len() != predicted.len() || outputs == 0 || !truth.len().is_multiple_of(outputs) {
            return Err(NumberError::Predictions { expected: truth.len(), got: predicted.len() });
        }
        let column = |values: &[f64], output| values.iter().skip(output).step_by(outputs).copied().collect();
        let each = (0..outputs)
            .map(|output| Ok(Arc::new(Output::new(column(truth, output), column(predicted, output))?)));
        Ok(NumberOutcomes { outputs: each.collect::<Result<_, NumberError>>()? })
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// `(truth, prediction)` of each row for one output.
    pub fn column(&self, output: usize) -> impl ExactSizeIterator<Item = (f64, f64)> + '_ {
        let Output { truth, predicted, .. } = &*self.outputs[output];
        truth.iter().copied().zip(predicted.iter().copied())
    }

    /// `None` where it is of one.
    pub(super) fn mean(&self, of: impl Fn(&Output) -> Option<f64>) -> Option<f64> {
        let all: Option<Vec<f64>> = self.outputs.iter().map(|output| of(output)).collect();
        all.map(|all| all.iter().sum::<f64>() / all.len() as f64)
    }

    /// Of the ends, where all have some.
    pub(super) fn mean_interval(&self, of: impl Fn(&Output) -> Option<Interval>) -> Option<Interval> {
        let ends: Vec<Interval> = self.outputs.iter().map(|output| of(output)).collect::<Option<_>>()?;
        let mean = |end: fn(&Interval) -> f64| ends.iter().map(end).sum::<f64>() / ends.len() as f64;
        Some(Interval { low: mean(|ends| ends.low), high: mean(|ends| ends.high) })
    }

    /// What each row moves the mean by, on a scale that is right for correlations alone.
    pub(super) fn mean_moves(&self, of: impl Fn(&Output) -> Option<Spread>) -> Option<Spread> {
        let each: Vec<Spread> = self.outputs.iter().map(|output| of(output)).collect::<Option<_>>()?;
        each.into_iter().reduce(|mut all, one| {
            all.value += one.value;
            all.rows.iter_mut().zip(one.rows).for_each(|(all, one)| *all += one);
            all
        })
    }

    /// What each row moves the mean by: (n,).
    pub(super) fn mean_pairs(&self, of: impl Fn(&Output) -> Option<Vec<f64>>) -> Option<Vec<f64>> {
        let each: Vec<Vec<f64>> = self.outputs.iter().map(|output| of(output)).collect::<Option<_>>()?;
        let sum = |row: usize| each.iter().map(|of| of[row]).sum::<f64>() / each.len() as f64;
        Some((0..each.first()?.len()).map(sum).collect())
    }
}

impl Outcomes for NumberOutcomes {
    /// One output is its own mean.
    type Alone = NumberOutcomes;

    fn alone(&self) -> impl Iterator<Item = NumberOutcomes> + '_ {
        self.outputs.iter().map(|output| NumberOutcomes { outputs: vec![Arc::clone(output)] })
    }

    fn select(&self, rows: &[usize]) -> NumberOutcomes {
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        let each = self.outputs.iter();
        let each = each.map(|output| Arc::new(Output::of_checked(of(&output.truth), of(&output.predicted))));
        NumberOutcomes { outputs: each.collect() }
    }

    fn is_same(&self, other: &NumberOutcomes) -> Result<bool, CompareError> {
        if self.outputs.len() != other.outputs.len() {
            return Err(CompareError::Classes { first: self.outputs.len(), second: other.outputs.len() });
        }
        let [first, second] = [self, other].map(|of| of.outputs[0].truth.len());
        if first != second {
            return Err(CompareError::Rows { first, second });
        }
        let same = |(a, b): (&Arc<Output>, &Arc<Output>)| a.truth == b.truth && a.predicted == b.predicted;
        Ok(self.outputs.iter().zip(&other.outputs).all(same))
    }
}
