//! `--baseline`: two heads on the same samples, a verdict, and a gate.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, bail};
use cli::GateError;
use features::{FeatureSet, Rows as _, Selection};
use head::Head;
use metrics::{Difference, Interval, McNemar, Scale, ShownIn};
use sample::Split;

use crate::{
    Config, belonging,
    scores::{SplitScores, measure},
    table::{Row, Scope},
};

/// The other head, ready to be scored.
pub(crate) struct Baseline {
    path: PathBuf,
    head: Head,
    features: FeatureSet,
}

/// How this head compares with the baseline on one split.
pub(crate) struct Comparison {
    differences: Vec<Difference>,
    mcnemar: Option<McNemar>,
    rows: u64,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Better,
    Worse,
    Undecided,
}

impl Baseline {
    /// Opens what `--baseline` and `--baseline-features` name; `None` where none is asked for.
    pub(crate) fn open(config: &Config, given: &FeatureSet, own: &Head) -> anyhow::Result<Option<Baseline>> {
        let Some((path, theirs)) = config.baseline() else { return Ok(None) };
        let head = Head::read(path)?;
        if head.task() != own.task() || head.classes != own.classes {
            let (theirs, ours) = (store::brief::few(&head.classes), store::brief::few(&own.classes));
            bail!(
                "baseline `{}` predicts other {}: {theirs}; this head predicts {}: {ours}",
                path.display(),
                head.task().noun(2),
                own.task().noun(2)
            );
        }
        let features = belonging::of_baseline(given, theirs, &head, path)?;
        Ok(Some(Baseline { path: path.to_owned(), head, features }))
    }

    /// Scores the samples of `scores` and compares.
    ///
    /// # Errors
    /// A sample that the baseline's features lack, or have in another split.
    pub(crate) fn compare(
        &self,
        scores: &SplitScores<'_>,
        features: &FeatureSet,
    ) -> anyhow::Result<Comparison> {
        let rows = counterparts(&self.features, &scores.rows, scores.split, features)?;
        let theirs = measure(&self.head, &rows, &self.features, scores.measured.truth())
            .with_context(|| format!("cannot score `{}`", self.path.display()))?;
        let (differences, mcnemar) = scores.measured.less(&theirs)?;
        Ok(Comparison { differences, mcnemar, rows: scores.len() as u64 })
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
    pub(crate) fn rows(&self, split: Split) -> Vec<Row> {
        let row = |metric: &str, value, interval| Row {
            split,
            scope: Scope::Difference,
            metric: metric.to_owned(),
            about: None,
            class: None,
            value,
            interval,
            n: self.rows,
        };
        let differences =
            self.differences.iter().map(|found| row(found.about.name, found.difference, found.interval));
        let mcnemar = self.mcnemar.map(|test| row("mcnemar_p_value", Some(test.p_value), None));
        differences.chain(mcnemar).collect()
    }

    /// Every metric of both.
    pub(crate) fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// The difference that the verdict goes by, and its value.
    fn main(&self) -> Option<(&Difference, f64)> {
        let found = self.differences.iter().find(|found| found.about.is_shown(ShownIn::Verdict))?;
        Some((found, found.difference?))
    }

    /// Of classes by McNemar's test, at 0.05; of others by whether the difference's interval leaves out 0.
    pub(crate) fn decided(&self) -> Verdict {
        let Some((found, value)) = self.main() else { return Verdict::Undecided };
        let is_decided = match (self.mcnemar, found.interval) {
            (Some(test), _) => test.p_value < 0.05,
            (None, interval) => interval.is_some_and(|ends| ends.low > 0.0 || ends.high < 0.0),
        };
        match (is_decided, (value > 0.0) == (found.about.scale != Scale::Loss)) {
            (false, _) => Verdict::Undecided,
            (true, true) => Verdict::Better,
            (true, false) => Verdict::Worse,
        }
    }

    /// `better than the baseline: accuracy +0.0120 (95 % within …), McNemar p = 0.003`
    pub(crate) fn verdict(&self) -> String {
        let Some((found, value)) = self.main() else { return "nothing to compare".to_owned() };
        let word = match self.decided() {
            Verdict::Undecided => "not told apart from the baseline",
            Verdict::Better => "better than the baseline",
            Verdict::Worse => "worse than the baseline",
        };
        let within = |ends: Interval| format!(", 95 % within {:+.4} to {:+.4}", ends.low, ends.high);
        let test = |test: McNemar| {
            format!(
                "; right where the other is wrong {} times, wrong where it is right {} times (McNemar p = {})",
                test.only_second,
                test.only_first,
                p_value(test.p_value)
            )
        };
        format!(
            "{word}: {} {value:+.4}{}{}",
            found.about.name,
            found.interval.map(within).unwrap_or_default(),
            self.mcnemar.map(test).unwrap_or_default()
        )
    }

    /// # Errors
    /// [`GateError`] where a share is lower than the baseline's by more than `tolerance`, or an error higher by more than that
    /// part of the baseline's.
    pub(crate) fn gate(&self, tolerance: f64) -> Result<(), GateError> {
        let Some((found, apart)) = self.main() else { return Ok(()) };
        let (name, first) = (found.about.name, found.first.unwrap_or(0.0));
        // But for rounding.
        let much = |by: f64| by > tolerance + 1e-12;
        match found.about.scale {
            Scale::Loss if apart > 0.0 && much(apart / first) => Err(GateError(format!(
                "{name} is {apart:.4} above the baseline's {first:.4}, tolerance {tolerance} of it"
            ))),
            Scale::Share if much(-apart) => {
                Err(GateError(format!("{name} is {:.4} below the baseline's, tolerance {tolerance}", -apart)))
            }
            _ => Ok(()),
        }
    }
}

/// `0.064`, `1`, or `6.4e-6` of tiny ones.
fn p_value(p: f64) -> String {
    match p {
        p if p < 1e-4 => format!("{p:.1e}"),
        p if p < 0.01 => format!("{p:.4}"),
        p => format!("{}", (p * 1000.0).round() / 1000.0),
    }
}
