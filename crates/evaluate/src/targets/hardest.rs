//! `--hardest`: the rows that the head does worst on.

use artifact::FeatureSet;
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};

use super::scores::{Measured, SplitScores};

/// `id, split, loss` of every scored row, the highest loss first; of equals, and of splits, those that come first. The loss is
/// the mean log loss of its labels (nats; null where it is infinite), or the mean squared error of its numbers, each in units
/// of its standard deviation over the scored rows of the split.
pub(super) fn frame(scores: &[SplitScores<'_>], features: &FeatureSet) -> PolarsResult<DataFrame> {
    let mut rows: Vec<(&SplitScores<'_>, usize, f64)> = Vec::new();
    for scores in scores {
        rows.extend(losses(&scores.measured).into_iter().enumerate().map(|(at, loss)| (scores, at, loss)));
    }
    rows.sort_by(|a, b| b.2.total_cmp(&a.2));
    df!(
        "id" => rows.iter().map(|(scores, at, _)| features.id(scores.rows.row(*at))).collect::<Vec<_>>(),
        "split" => rows.iter().map(|(scores, ..)| scores.split.name()).collect::<Vec<_>>(),
        "loss" => rows.iter().map(|(.., loss)| Some(*loss).filter(|loss| loss.is_finite())).collect::<Vec<_>>(),
    )
}

fn losses(measured: &Measured) -> Vec<f64> {
    match measured {
        Measured::Labels { labels, truth, probabilities } => {
            let loss = |(truth, p): (&bool, &f64)| if *truth { -p.ln() } else { -(1.0 - p).ln() };
            let rows = truth.chunks_exact(*labels).zip(probabilities.chunks_exact(*labels));
            rows.map(|(truth, p)| truth.iter().zip(p).map(loss).sum::<f64>() / *labels as f64).collect()
        }
        Measured::Numbers(outputs) => {
            let mut losses = vec![0.0; outputs.first().map_or(0, |(truth, _)| truth.len())];
            for (truth, said) in outputs {
                let n = truth.len() as f64;
                let mean = truth.iter().sum::<f64>() / n;
                let variance = truth.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
                // Numbers that are all the same have no unit of their own.
                let unit = if variance > 0.0 { variance } else { 1.0 };
                for (loss, (y, said)) in losses.iter_mut().zip(truth.iter().zip(said)) {
                    *loss += (y - said).powi(2) / unit / outputs.len() as f64;
                }
            }
            losses
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_those_of_the_definition() {
        let labels = Measured::Labels {
            labels: 2,
            truth: vec![true, false, false, false],
            probabilities: vec![0.5, 0.5, 1.0, 0.0],
        };
        assert_eq!(losses(&labels), [std::f64::consts::LN_2, f64::INFINITY]);
        let numbers =
            Measured::Numbers(vec![(vec![1.0, 3.0], vec![1.0, 5.0]), (vec![7.0, 7.0], vec![6.0, 7.0])]);
        assert_eq!(losses(&numbers), [0.5, 2.0]);
    }
}
