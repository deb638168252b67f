//! `--baseline`: two heads on the same samples, a verdict, and a gate.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, bail};
use artifact::{FeatureSet, Head, Rows as _, Selection, Split};
use cli::GateError;
use head::Scorer;
use metrics::{Difference, McNemar, Metric, Outcomes, differences, mcnemar};

use crate::scores::{SplitScores, outcomes};
use crate::table::{Row, Scope};
use crate::{Config, belonging};

/// The other head, ready to be scored.
pub(crate) struct Baseline {
    path: PathBuf,
    head: Head,
    features: FeatureSet,
}

/// How this head compares with the baseline on one split.
pub(crate) struct Comparison {
    metrics: Vec<Metric>,
    differences: Vec<Difference>,
    mcnemar: McNemar,
    rows: u64,
}

impl Baseline {
    /// Opens what `--baseline` and `--baseline-features` name; `None` where none is asked for.
    pub(crate) fn open(config: &Config, given: &FeatureSet) -> anyhow::Result<Option<Baseline>> {
        let Some((path, own)) = config.baseline() else { return Ok(None) };
        let head = Head::read(path)?;
        let features = belonging::of_baseline(given, own, &head, path)?;
        if head.classes != given.classes() || head.task() != artifact::Task::Class {
            bail!(
                "baseline `{}` knows other classes than these features' {}",
                path.display(),
                given.classes().len()
            );
        }
        Ok(Some(Baseline { path: path.to_owned(), head, features }))
    }

    /// Scores the samples of `scores` and compares.
    ///
    /// # Errors
    /// A sample that the baseline's features lack, or label otherwise.
    pub(crate) fn compare(
        &self,
        scores: &SplitScores<'_>,
        features: &FeatureSet,
    ) -> anyhow::Result<Comparison> {
        let theirs = self.outcomes(scores, features)?;
        let metrics = Metric::overall(features.classes().len());
        let differences = differences(&theirs, &scores.outcomes, &metrics)?;
        let mcnemar = mcnemar(&theirs, &scores.outcomes)?;
        Ok(Comparison { metrics, differences, mcnemar, rows: scores.outcomes.rows() as u64 })
    }

    fn outcomes(&self, scores: &SplitScores<'_>, features: &FeatureSet) -> anyhow::Result<Outcomes> {
        let scorer = Scorer::of(&self.head);
        let rows = counterparts(&self.features, &scores.rows, scores.split, features)?;
        outcomes(&scorer, &rows, &self.features)
            .with_context(|| format!("cannot score `{}`", self.path.display()))
    }
}

/// The rows of `own`, the baseline's features, that are the samples of `rows`, which are of `features`.
///
/// # Errors
/// A sample that is not there, or in another split.
pub(crate) fn counterparts<'a>(
    own: &'a FeatureSet,
    rows: &Selection<'_>,
    split: Split,
    features: &FeatureSet,
) -> anyhow::Result<Selection<'a>> {
    let theirs: HashMap<&str, usize> = own.samples().map(|row| (own.id(row), row)).collect();
    let mut wanted = vec![false; own.len()];
    for at in 0..rows.len() {
        let id = features.id(rows.row(at));
        match theirs.get(id) {
            Some(&row) if own.split(row) != split => bail!(
                "`{id}` is in {} of the baseline's features, and in {split} here: the baseline may have been fitted on it; extract both with the same splits",
                own.split(row),
            ),
            Some(&row) => wanted[row] = true,
            None => bail!("the baseline's features have no `{id}`; both must be of the same samples"),
        }
    }
    // Both are in the order of their ids, so that rows pair up.
    Ok(Selection::of(own, |row| wanted[row]))
}

impl Comparison {
    /// The table's rows: differences with their intervals, and McNemar's p-value.
    pub(crate) fn rows(&self, scores: &SplitScores<'_>) -> Vec<Row> {
        let row = |metric: String, value, interval| Row {
            split: scores.split,
            scope: Scope::Difference,
            metric,
            class: None,
            value,
            interval,
            n: self.rows,
        };
        let differences = self.metrics.iter().zip(&self.differences);
        let mut rows: Vec<Row> = differences
            .map(|(metric, difference)| row(metric.to_string(), difference.difference, difference.interval))
            .collect();
        rows.push(row("mcnemar_p_value".to_owned(), Some(self.mcnemar.p_value), None));
        rows
    }

    pub(crate) fn differences(&self) -> impl Iterator<Item = (Metric, &Difference)> {
        self.metrics.iter().copied().zip(&self.differences)
    }

    fn accuracy(&self) -> Option<(f64, &Difference)> {
        let (_, difference) = self.differences().find(|(metric, _)| *metric == Metric::Accuracy)?;
        Some((difference.difference?, difference))
    }

    /// Whether the two differ by more than chance: McNemar's p-value below 0.05.
    pub(crate) fn is_decided(&self) -> bool {
        self.mcnemar.p_value < 0.05
    }

    /// `better than the baseline: accuracy +0.0120 (95 % within …), McNemar p = 0.003`
    pub(crate) fn verdict(&self) -> String {
        let Some((value, difference)) = self.accuracy() else { return "no rows to compare".to_owned() };
        let word = match (self.is_decided(), value > 0.0) {
            (false, _) => "not told apart from the baseline",
            (true, true) => "better than the baseline",
            (true, false) => "worse than the baseline",
        };
        let interval = difference.interval;
        let within =
            interval.map(|i| format!(", 95 % within {:+.4} to {:+.4}", i.low, i.high)).unwrap_or_default();
        format!(
            "{word}: accuracy {value:+.4}{within}; right where the other is wrong {} times, wrong where it is right {} times (McNemar p = {:.2e})",
            self.mcnemar.only_second, self.mcnemar.only_first, self.mcnemar.p_value
        )
    }

    /// # Errors
    /// [`GateError`] where accuracy is lower than the baseline's by more than `tolerance`.
    pub(crate) fn gate(&self, tolerance: f64) -> Result<(), GateError> {
        match self.accuracy() {
            // A difference of proportions is exact but for rounding.
            Some((value, _)) if value < -tolerance - 1e-12 => Err(GateError(format!(
                "accuracy is {:.4} below the baseline's, tolerance {tolerance}",
                -value
            ))),
            _ => Ok(()),
        }
    }
}
