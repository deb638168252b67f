//! What is so of some rows.

use super::Task;

/// What is so of some rows, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// Each row's class: (n,).
    Class(Vec<u32>),
    /// Whether each row bears each label, 1 or 0: (n, outputs) row-major.
    Labels(Vec<f64>),
    /// Each row's numbers: (n, outputs) row-major.
    Numbers(Vec<f64>),
}

impl Truth {
    /// What it is the truth of.
    pub fn task(&self) -> Task {
        match self {
            Truth::Class(_) => Task::Class,
            Truth::Labels(_) => Task::Labels,
            Truth::Numbers(_) => Task::Numbers,
        }
    }

    /// Each row's class, (n,); of labels and numbers nothing.
    pub fn classes(&self) -> &[u32] {
        match self {
            Truth::Class(classes) => classes,
            Truth::Labels(_) | Truth::Numbers(_) => &[],
        }
    }

    /// Labels or numbers, (n, outputs); of classes nothing.
    pub fn values(&self) -> &[f64] {
        match self {
            Truth::Class(_) => &[],
            Truth::Labels(values) | Truth::Numbers(values) => values,
        }
    }

    /// Rows of each class, or rows with each label: (outputs,). Of numbers all rows, for each.
    pub fn counts(&self, outputs: usize) -> Vec<usize> {
        let mut counts = vec![0; outputs];
        match self {
            Truth::Class(classes) => classes.iter().for_each(|&class| counts[class as usize] += 1),
            Truth::Labels(values) => {
                for (at, value) in values.iter().enumerate() {
                    counts[at % outputs] += usize::from(*value > 0.5);
                }
            }
            Truth::Numbers(values) => counts.fill(values.len() / outputs.max(1)),
        }
        counts
    }

    /// That of `rows` alone, in their order. Each row has so many `outputs`.
    #[must_use]
    pub fn select(&self, rows: impl Iterator<Item = usize>, outputs: usize) -> Truth {
        let pick = |values: &[f64], rows: &mut dyn Iterator<Item = usize>| -> Vec<f64> {
            rows.flat_map(|row| &values[row * outputs..][..outputs]).copied().collect()
        };
        let mut rows = rows;
        match self {
            Truth::Class(classes) => Truth::Class(rows.map(|row| classes[row]).collect()),
            Truth::Labels(values) => Truth::Labels(pick(values, &mut rows)),
            Truth::Numbers(values) => Truth::Numbers(pick(values, &mut rows)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_picked_with_all_of_their_outputs() {
        let numbers = Truth::Numbers(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(numbers.select([2, 0].into_iter(), 2), Truth::Numbers(vec![5.0, 6.0, 1.0, 2.0]));
        let classes = Truth::Class(vec![4, 7, 1]);
        assert_eq!(classes.select([2, 2].into_iter(), 9), Truth::Class(vec![1, 1]));
        assert_eq!((classes.classes(), classes.values()), (&[4, 7, 1][..], &[][..]));
        assert_eq!((numbers.counts(2), classes.counts(8)), (vec![3, 3], vec![0, 1, 0, 0, 1, 0, 0, 1]));
        assert_eq!(Truth::Labels(vec![1.0, 0.0, 1.0, 1.0]).counts(2), [2, 1]);
    }
}
