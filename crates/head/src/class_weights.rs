//! How much a row's loss counts, by its class.

use crate::Examples;

/// How much a row's loss counts, by its class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClassWeights {
    /// Every row counts 1.
    #[default]
    None,
    /// n / (C · rows of the class), as scikit-learn's `balanced`: every class counts the same, and the
    /// weights of all rows add up to n.
    Balanced,
}

impl ClassWeights {
    /// The weight of each class, (C,); every class has rows.
    pub(crate) fn of(self, examples: &Examples<'_>) -> Vec<f64> {
        match self {
            ClassWeights::None => vec![1.0; examples.classes()],
            ClassWeights::Balanced => {
                let share = examples.rows() as f64 / examples.classes() as f64;
                examples.counts().iter().map(|&count| share / count as f64).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_as_scikit_learn() {
        let matrix = artifact::Matrix::new(&[0.0; 6], 1).unwrap();
        let examples = Examples::new(&matrix, &[0, 0, 0, 1, 1, 2], 3).unwrap();
        assert_eq!(ClassWeights::Balanced.of(&examples), [2.0 / 3.0, 1.0, 2.0]);
        assert_eq!(ClassWeights::None.of(&examples), [1.0; 3]);
    }
}
