//! The outcomes of any task, as a run needs them.

use anyhow::bail;
use metrics::{
    ClassOutcomes, Difference, Figure, LabelOutcomes, McNemar, NumberOutcomes, Outcomes, differences,
    figures, mcnemar,
};
use sample::targets::Truth;

/// What became of some rows.
#[derive(Debug)]
pub(crate) enum TaskOutcomes {
    Classes(ClassOutcomes),
    Labels(LabelOutcomes),
    Numbers(NumberOutcomes),
}

/// Does the same to whichever it is.
macro_rules! each {
    ($measured:expr, $outcomes:ident => $do:expr) => {
        match $measured {
            TaskOutcomes::Classes($outcomes) => $do,
            TaskOutcomes::Labels($outcomes) => $do,
            TaskOutcomes::Numbers($outcomes) => $do,
        }
    };
}

impl TaskOutcomes {
    /// Every metric of all rows.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        each!(self, outcomes => figures(outcomes))
    }

    /// Every metric of each output alone.
    pub(crate) fn alone(&self) -> Vec<Vec<Figure>> {
        each!(self, outcomes => outcomes.alone().map(|one| figures(&one)).collect())
    }

    /// Every metric of the rows `members`.
    pub(crate) fn figures_of(&self, members: &[usize]) -> Vec<Figure> {
        each!(self, outcomes => figures(&outcomes.select(members)))
    }

    /// Every metric less the baseline's, and of classes McNemar's test.
    pub(crate) fn less(&self, baseline: &TaskOutcomes) -> anyhow::Result<(Vec<Difference>, Option<McNemar>)> {
        Ok(match (baseline, self) {
            (TaskOutcomes::Classes(first), TaskOutcomes::Classes(second)) => {
                (differences(first, second)?, Some(mcnemar(first, second)?))
            }
            (TaskOutcomes::Labels(first), TaskOutcomes::Labels(second)) => {
                (differences(first, second)?, None)
            }
            (TaskOutcomes::Numbers(first), TaskOutcomes::Numbers(second)) => {
                (differences(first, second)?, None)
            }
            _ => bail!("the baseline says other things of a sample"),
        })
    }

    /// What is so of each row.
    pub(crate) fn truth(&self) -> Truth {
        match self {
            TaskOutcomes::Classes(outcomes) => Truth::Class(outcomes.each().labels().to_vec()),
            TaskOutcomes::Labels(outcomes) => {
                Truth::Labels(outcomes.truth().iter().map(|&truth| f64::from(u8::from(truth))).collect())
            }
            TaskOutcomes::Numbers(outcomes) => {
                let rows = 0..outcomes.column(0).len();
                let columns: Vec<Vec<f64>> = (0..outcomes.outputs())
                    .map(|output| outcomes.column(output).map(|(truth, _)| truth).collect())
                    .collect();
                Truth::Numbers(rows.flat_map(|row| columns.iter().map(move |column| column[row])).collect())
            }
        }
    }

    /// How badly the head does on each row, (n,): of classes −ln of the label's own probability, of labels the mean log loss,
    /// of numbers the mean squared error, each in units of its standard deviation over these rows.
    pub(crate) fn losses(&self) -> Vec<f64> {
        match self {
            TaskOutcomes::Classes(outcomes) => outcomes.each().own().iter().map(|p| -p.ln()).collect(),
            TaskOutcomes::Labels(outcomes) => of_labels(outcomes),
            TaskOutcomes::Numbers(outcomes) => of_numbers(outcomes),
        }
    }
}

fn of_labels(outcomes: &LabelOutcomes) -> Vec<f64> {
    let labels = outcomes.labels();
    let loss = |(truth, p): (&bool, &f64)| if *truth { -p.ln() } else { -(1.0 - p).ln() };
    let rows = outcomes.truth().chunks_exact(labels).zip(outcomes.probabilities().chunks_exact(labels));
    rows.map(|(truth, p)| truth.iter().zip(p).map(loss).sum::<f64>() / labels as f64).collect()
}

fn of_numbers(outcomes: &NumberOutcomes) -> Vec<f64> {
    let outputs = outcomes.outputs();
    let mut losses = vec![0.0; outcomes.column(0).len()];
    for output in 0..outputs {
        let n = losses.len() as f64;
        let mean = outcomes.column(output).map(|(y, _)| y).sum::<f64>() / n;
        let variance = outcomes.column(output).map(|(y, _)| (y - mean).powi(2)).sum::<f64>() / n;
        // Numbers that are all the same have no unit of their own.
        let unit = if variance > 0.0 { variance } else { 1.0 };
        for (loss, (y, said)) in losses.iter_mut().zip(outcomes.column(output)) {
            *loss += (y - said).powi(2) / unit / outputs as f64;
        }
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_those_of_the_definition() {
        let (truth, p) = (vec![true, false, false, false], vec![0.5, 0.5, 1.0, 0.0]);
        let labels = TaskOutcomes::Labels(LabelOutcomes::new(truth, p, 2).unwrap());
        assert_eq!(labels.losses(), [std::f64::consts::LN_2, f64::INFINITY]);
        let (truth, said) = ([1.0, 7.0, 3.0, 7.0], [1.0, 6.0, 5.0, 7.0]);
        let numbers = TaskOutcomes::Numbers(NumberOutcomes::new(&truth, &said, 2).unwrap());
        assert_eq!(numbers.losses(), [0.5, 2.0]);
    }
}
