//! Every metric of numbers.

use super::{outcomes::NumberOutcomes, rows::Output};
use crate::metric::{
    Measured, Metric, Scale,
    ShownIn::{Few, Page, Summary, Verdict},
};

type M = Metric<NumberOutcomes>;

impl Measured for NumberOutcomes {
    const METRICS: &'static [M] = &[
        M::new("mean_absolute_error", "Mean absolute error", Scale::Loss, |of| {
            of.mean(|output| Some(output.errors.absolute / output.errors.rows as f64))
        })
        .within(|of, _| of.mean_interval(|output| Some(output.absolute()?.interval())))
        .moved(|of, _| of.mean_moves(Output::absolute))
        .paired(|of| of.mean_pairs(|output| Some(output.absolute()?.rows)))
        .shown(&[Summary, Page, Few]),
        M::new("root_mean_squared_error", "Root mean squared error", Scale::Loss, |of| {
            of.mean(|output| Some(output.errors.root_mean_square()))
        })
        .within(|of, _| of.mean_interval(Output::root_interval))
        .moved(|of, _| of.mean_moves(Output::squares))
        .paired(|of| of.mean_pairs(Output::root_pairs))
        .shown(&[Summary, Page, Few, Verdict]),
        // The mean of the middle two of an even number.
        M::new("median_absolute_error", "Median absolute error", Scale::Loss, |of| {
            of.mean(|output| Some(output.errors.median))
        })
        .within(|of, _| of.mean_interval(Output::median_interval))
        .shown(&[Summary, Page]),
        // The largest error of endless rows is not to be told from some.
        M::new("max_error", "Largest error", Scale::Loss, |of| of.mean(|output| Some(output.errors.largest)))
            .shown(&[Summary, Page]),
        // 1 − Σ (truth − prediction)² / Σ (truth − mean truth)². Where every truth is the same: 1 if every prediction is
        // right, else 0. Undefined for one row.
        M::new("r2_score", "R²", Scale::Correlation, |of| of.mean(|output| output.errors.r2()))
            .within(|of, _| of.mean_interval(|output| output.explained_interval(false)))
            .moved(|of, _| of.mean_moves(|output| output.explained(false)))
            .shown(&[Summary, Page, Few]),
        // 1 − variance of truth − prediction / variance of truth. Where every truth is the same: 1 if every error is the
        // same, else 0.
        M::new("explained_variance_score", "Explained variance", Scale::Correlation, |of| {
            of.mean(|output| Some(output.errors.explained_variance()))
        })
        .within(|of, _| of.mean_interval(|output| output.explained_interval(true)))
        .moved(|of, _| of.mean_moves(|output| output.explained(true)))
        .shown(&[Summary, Page]),
    ];

    fn rows(&self) -> u64 {
        self.outputs[0].errors.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interval, Outcomes as _, differences, figures, named};

    fn values(rows: u32, by: f64, salt: u32) -> Vec<(f64, f64)> {
        let truth = (0..rows).map(|row| f64::from((row * row + salt) % 31));
        truth.zip(0..).map(|(value, row)| (value, value + by * f64::from(row * 17 % 11 - 5))).collect()
    }

    fn outcomes(outputs: &[Vec<(f64, f64)>]) -> NumberOutcomes {
        let rows = 0..outputs[0].len();
        let (truth, said): (Vec<f64>, Vec<f64>) =
            rows.flat_map(|row| outputs.iter().map(move |output| output[row])).unzip();
        NumberOutcomes::new(&truth, &said, outputs.len()).unwrap()
    }

    #[test]
    fn several_outputs_share_their_rows() {
        let one = outcomes(&[values(120, 0.5, 1)]);
        assert_eq!(figures(&one), figures(&one.alone().next().unwrap()));
        let two = outcomes(&[values(120, 0.5, 1), values(120, 2.0, 9)]);
        let alone: Vec<_> = two.alone().map(|output| figures(&output)).collect();
        for (at, mean) in figures(&two).iter().enumerate() {
            let each = alone.iter().map(|of| of[at].estimate.value.unwrap()).sum::<f64>() / 2.0;
            assert!((mean.estimate.value.unwrap() - each).abs() < 1e-12);
        }
        let same = differences(&two, &two).unwrap();
        assert!(
            same.iter().all(|of| of.interval.is_none_or(|ends| ends == Interval { low: 0.0, high: 0.0 }))
        );
        let better = outcomes(&[values(120, 0.25, 1), values(120, 1.0, 9)]);
        let rmse = differences(&two, &better).unwrap()[1];
        assert!(rmse.difference.unwrap() < 0.0 && rmse.interval.unwrap().high < 0.0, "{rmse:?}");
        assert!(differences(&two, &one).is_err());
    }

    #[test]
    fn an_interval_holds_its_value() {
        for rows in [20, 21, 40, 1200] {
            for figure in figures(&outcomes(&[values(rows, 0.7, 3)])) {
                let (found, name) = (figure.estimate, figure.about.name);
                assert_eq!(found.interval.is_none(), name == "max_error", "{name}");
                let value = found.value.unwrap();
                let holds = found.interval.is_none_or(|ends| ends.low <= value && value <= ends.high);
                assert!(holds, "{name} of {rows}: {found:?}");
            }
        }
    }

    #[test]
    fn one_row_says_little() {
        let found = figures(&NumberOutcomes::new(&[1.0], &[3.0], 1).unwrap());
        // Mean absolute error has an end at least; medians and what is explained have none.
        let ends = named(&found, "mean_absolute_error").unwrap().estimate.interval.unwrap();
        assert!(ends.low < 0.2 && ends.high > 3.0, "{found:?}");
        assert!(found[2..].iter().all(|of| of.estimate.interval.is_none()));
    }
}
