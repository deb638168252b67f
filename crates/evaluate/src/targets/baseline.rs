//! `--baseline`: two heads on the same samples, a verdict, and a gate.

use std::path::PathBuf;

use anyhow::{Context, bail};
use artifact::{FeatureSet, Head, Task};
use cli::GateError;
use metrics::{
    ClassMetric, Difference, MultiLabel, MultiLabelAverage, MultiLabelMetric, MultiLabelOutcomes,
    RegressionMetric, multi_label_differences, regression_differences,
};

use super::scores::{Measured, SplitScores, regressions, said};
use crate::baseline::counterparts;
use crate::table::{Row, Scope};
use crate::{Config, belonging};

/// The other head, ready to be scored.
pub(super) struct Baseline {
    path: PathBuf,
    head: Head,
    features: FeatureSet,
}

/// How this head compares with the baseline on one split.
pub(crate) struct Comparison {
    task: Task,
    metrics: Vec<String>,
    differences: Vec<Difference>,
    /// Which of them the verdict goes by.
    main: usize,
    rows: u64,
}

impl Baseline {
    /// Opens what `--baseline` and `--baseline-features` name; `None` where none is asked for.
    pub(super) fn open(config: &Config, given: &FeatureSet, own: &Head) -> anyhow::Result<Option<Baseline>> {
        let Some((path, theirs)) = config.baseline() else { return Ok(None) };
        let head = Head::read(path)?;
        let tasks = [&head, own].map(Head::task);
        if tasks[0] != tasks[1] || head.classes != own.classes {
            bail!("baseline `{}` says other things of a sample; expected {:?}", path.display(), own.classes);
        }
        let features = belonging::of_baseline(given, theirs, &head, path)?;
        Ok(Some(Baseline { path: path.to_owned(), head, features }))
    }

    /// Scores the samples of `scores` and compares.
    ///
    /// # Errors
    /// A sample that the baseline's features lack, or have in another split.
    pub(super) fn compare(
        &self,
        scores: &SplitScores<'_>,
        features: &FeatureSet,
    ) -> anyhow::Result<Comparison> {
        let rows = counterparts(&self.features, &scores.rows, scores.split, features)?;
        let theirs = said(&self.head, &rows, &self.features)
            .with_context(|| format!("cannot score `{}`", self.path.display()))?;
        let (task, metrics, differences, main) = match &scores.measured {
            Measured::Labels { labels, truth, probabilities } => {
                let metrics = MultiLabelMetric::overall();
                let of = |said: &[f64]| {
                    anyhow::Ok(MultiLabelOutcomes::of(&MultiLabel::new(truth, said, *labels)?))
                };
                let (first, second) = (of(&theirs)?, of(probabilities)?);
                let found = multi_label_differences(&first, &second, &metrics)?;
                let micro_f1 = MultiLabelMetric::Average(MultiLabelAverage::Micro, ClassMetric::F1);
                let main = metrics.iter().position(|metric| *metric == micro_f1);
                (Task::Labels, metrics.iter().map(ToString::to_string).collect(), found, main)
            }
            Measured::Numbers(outputs) => {
                let metrics = RegressionMetric::ALL;
                let column = |at: usize| theirs.iter().skip(at).step_by(outputs.len()).copied().collect();
                let others: Vec<(Vec<f64>, Vec<f64>)> =
                    outputs.iter().enumerate().map(|(at, (truth, _))| (truth.clone(), column(at))).collect();
                let (first, second) = (regressions(&others)?, regressions(outputs)?);
                let found = regression_differences(&first, &second, &metrics)?;
                let main =
                    metrics.iter().position(|metric| *metric == RegressionMetric::RootMeanSquaredError);
                (Task::Numbers, metrics.iter().map(ToString::to_string).collect(), found, main)
            }
        };
        let rows = scores.len() as u64;
        Ok(Comparison { task, metrics, differences, main: main.unwrap_or(0), rows })
    }
}

impl Comparison {
    /// The table's rows: differences with their intervals.
    pub(super) fn rows(&self, scores: &SplitScores<'_>) -> Vec<Row> {
        let differences = self.metrics.iter().zip(&self.differences);
        let row = |(metric, found): (&String, &Difference)| Row {
            split: scores.split,
            scope: Scope::Difference,
            metric: metric.clone(),
            class: None,
            value: found.difference,
            interval: found.interval,
            n: self.rows,
        };
        differences.map(row).collect()
    }

    /// Every metric's name with both values and their difference.
    pub(crate) fn differences(&self) -> impl Iterator<Item = (&str, &Difference)> {
        self.metrics.iter().map(String::as_str).zip(&self.differences)
    }

    /// Above 0 where this head is better, below where it is worse, 0 where nothing is decided: the interval of the
    /// difference holds 0, or there is none.
    pub(crate) fn sign(&self) -> i32 {
        let Some(interval) = self.differences[self.main].interval else { return 0 };
        let up = i32::from(interval.low > 0.0) - i32::from(interval.high < 0.0);
        if self.task == Task::Labels { up } else { -up }
    }

    /// `better than the baseline: micro_f1 +0.0120 (95 % within …)`
    pub(crate) fn verdict(&self) -> String {
        let found = &self.differences[self.main];
        let (name, Some(value)) = (&self.metrics[self.main], found.difference) else {
            return "nothing to compare".to_owned();
        };
        let word = match self.sign() {
            0 => "not told apart from the baseline",
            1.. => "better than the baseline",
            _ => "worse than the baseline",
        };
        let within = |interval: metrics::Interval| {
            format!(", 95 % within {:+.4} to {:+.4}", interval.low, interval.high)
        };
        format!("{word}: {name} {value:+.4}{}", found.interval.map(within).unwrap_or_default())
    }

    /// # Errors
    /// [`GateError`] where micro F1 is lower than the baseline's by more than `tolerance`, or the root mean squared error
    /// higher by more than that part of the baseline's.
    pub(super) fn gate(&self, tolerance: f64) -> Result<(), GateError> {
        let found = &self.differences[self.main];
        let (Some(first), Some(apart)) = (found.first, found.difference) else { return Ok(()) };
        let name = &self.metrics[self.main];
        // But for rounding.
        let much = |by: f64| by > tolerance + 1e-12;
        match self.task {
            Task::Labels if much(-apart) => {
                Err(GateError(format!("{name} is {:.4} below the baseline's, tolerance {tolerance}", -apart)))
            }
            Task::Numbers if apart > 0.0 && much(apart / first) => Err(GateError(format!(
                "{name} is {apart:.4} above the baseline's {first:.4}, tolerance {tolerance} of it"
            ))),
            _ => Ok(()),
        }
    }
}
