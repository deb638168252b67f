//! How much a row's loss counts, by its class.

use sample::targets::Task;

use crate::{Examples, HeadFitError};

/// How much a row's loss counts, by its class.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeights {
    /// Every row counts 1.
    #[default]
    None,
    /// n / (C · rows of the class), as scikit-learn's `balanced`: every class counts the same, and the
    /// weights of all rows add up to n.
    Balanced,
    /// So much, above 0, for each class: (C,).
    Each(Vec<f64>),
}

impl ClassWeights {
    /// The weight of each class, (C,); every class has rows. Labels and numbers have none.
    pub(crate) fn of(&self, examples: &Examples<'_>) -> Result<Vec<f64>, HeadFitError> {
        if examples.task() != Task::Class {
            return Ok(Vec::new());
        }
        let classes = examples.outputs();
        match self {
            ClassWeights::None => Ok(vec![1.0; classes]),
            ClassWeights::Balanced => {
                let share = examples.rows() as f64 / classes as f64;
                Ok(examples.counts().iter().map(|&count| share / count as f64).collect())
            }
            ClassWeights::Each(weights) => {
                let wrong = weights.iter().find(|weight| !(**weight > 0.0 && weight.is_finite()));
                let setting = |name, expected, got| HeadFitError::Setting { name, expected, got };
                match wrong {
                    Some(&weight) => Err(setting("class weights", "above 0", weight)),
                    None if weights.len() != classes => {
                        Err(setting("class weights", "for every class", weights.len() as f64))
                    }
                    None => Ok(weights.clone()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_as_scikit_learn() {
        let matrix = features::Matrix::new(&[0.0; 6], 1).unwrap();
        let truth = sample::targets::Truth::Class(vec![0, 0, 0, 1, 1, 2]);
        let examples = Examples::new(&matrix, &truth, 3).unwrap();
        assert_eq!(ClassWeights::Balanced.of(&examples).unwrap(), [2.0 / 3.0, 1.0, 2.0]);
        assert_eq!(ClassWeights::None.of(&examples).unwrap(), [1.0; 3]);
        assert_eq!(ClassWeights::Each(vec![1.0, 2.0, 0.5]).of(&examples).unwrap(), [1.0, 2.0, 0.5]);
        for wrong in [vec![1.0, 2.0], vec![1.0, 0.0, 1.0], vec![1.0, f64::NAN, 1.0]] {
            assert!(ClassWeights::Each(wrong).of(&examples).is_err());
        }
    }
}
