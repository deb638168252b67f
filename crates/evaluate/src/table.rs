//! The long table of metrics: one row for each (split, scope, metric, class).

use artifact::Split;
use metrics::{
    ClassScores, Confusion, Interval, Scored, brier_score_loss, expected_calibration_error, hits_at,
    log_loss, wilson,
};
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};

use crate::scores::SplitScores;

/// What a value is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Overall,
    Class,
    Confusion,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) split: Split,
    pub(crate) scope: Scope,
    pub(crate) metric: String,
    /// The class, or for confusions the true one; `None` for the whole split.
    pub(crate) class: Option<String>,
    pub(crate) value: f64,
    /// Wilson's 95 % interval, of proportions only.
    pub(crate) interval: Option<Interval>,
    /// Rows that the value is taken over.
    pub(crate) n: u64,
}

/// Every metric of every split, in the order of splits, scopes, classes, metrics.
pub(crate) fn rows(scores: &[SplitScores], classes: &[String]) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for scores in scores {
        let scored = scores.scored()?;
        let confusion = Confusion::of(&scored);
        overall(scores.split, &scored, &confusion, &mut rows);
        per_class(scores.split, &confusion, classes, &mut rows);
        confusions(scores.split, &confusion, classes, &mut rows);
    }
    Ok(rows)
}

/// The table as polars has it.
pub(crate) fn frame(rows: &[Row]) -> PolarsResult<DataFrame> {
    fn column<T>(rows: &[Row], of: impl Fn(&Row) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    df!(
        "split" => column(rows, |row| row.split.name()),
        "scope" => column(rows, |row| row.scope.name()),
        "metric" => rows.iter().map(|row| row.metric.as_str()).collect::<Vec<_>>(),
        "class" => rows.iter().map(|row| row.class.as_deref()).collect::<Vec<_>>(),
        "value" => column(rows, |row| row.value),
        "ci_low" => column(rows, |row| row.interval.map(|interval| interval.low)),
        "ci_high" => column(rows, |row| row.interval.map(|interval| interval.high)),
        "n" => column(rows, |row| row.n),
    )
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Scope::Overall => "overall",
            Scope::Class => "class",
            Scope::Confusion => "confusion",
        }
    }
}

fn overall(split: Split, scored: &Scored<'_>, confusion: &Confusion, rows: &mut Vec<Row>) {
    let n = confusion.total();
    let mut push = |metric: &str, value, interval| {
        rows.push(Row {
            split,
            scope: Scope::Overall,
            metric: metric.to_owned(),
            class: None,
            value,
            interval,
            n,
        });
    };
    push("accuracy", confusion.accuracy(), wilson(confusion.correct(), n));
    push("balanced_accuracy", confusion.balanced_accuracy(), None);
    if let Some(hits) = hits_at(scored, 5) {
        push("top_5_accuracy", hits as f64 / n as f64, wilson(hits, n));
    }
    type What = fn(&ClassScores) -> f64;
    let whats: [(&str, What); 3] =
        [("precision", |class| class.precision), ("recall", |class| class.recall), ("f1", |class| class.f1)];
    for (name, what) in whats {
        push(&format!("macro_{name}"), confusion.macro_average(what), None);
    }
    for (name, what) in whats {
        push(&format!("weighted_{name}"), confusion.weighted_average(what), None);
    }
    push("log_loss", log_loss(scored), None);
    push("brier_score_loss", brier_score_loss(scored), None);
    push("ece", expected_calibration_error(scored), None);
}

fn per_class(split: Split, confusion: &Confusion, classes: &[String], rows: &mut Vec<Row>) {
    for (class, name) in confusion.per_class().iter().zip(classes) {
        let &ClassScores { precision, recall, f1, support, predicted, correct } = class;
        for (metric, value, interval, n) in [
            ("precision", precision, wilson(correct, predicted), predicted),
            ("recall", recall, wilson(correct, support), support),
            ("f1", f1, None, support),
            ("support", support as f64, None, support),
        ] {
            let (metric, class) = (metric.to_owned(), Some(name.clone()));
            rows.push(Row { split, scope: Scope::Class, metric, class, value, interval, n });
        }
    }
}

fn confusions(split: Split, confusion: &Confusion, classes: &[String], rows: &mut Vec<Row>) {
    let per_class = confusion.per_class();
    for pair in confusion.pairs() {
        rows.push(Row {
            split,
            scope: Scope::Confusion,
            metric: format!("confusion:{}", classes[pair.predicted]),
            class: Some(classes[pair.truth].clone()),
            value: pair.count as f64,
            interval: None,
            n: per_class[pair.truth].support,
        });
    }
}
