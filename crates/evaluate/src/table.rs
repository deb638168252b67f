//! The long table of metrics: one row for each (split, scope, metric, class).

use artifact::Split;
use metrics::Interval;
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};

/// What a value is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Overall,
    Class,
    Confusion,
    /// The rows that have this value in this column of the manifest.
    Slice {
        column: String,
        value: String,
    },
    /// This head less the baseline.
    Difference,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) split: Split,
    pub(crate) scope: Scope,
    pub(crate) metric: String,
    /// The class, or for confusions the true one; `None` for the whole split.
    pub(crate) class: Option<String>,
    /// `None` where it is undefined.
    pub(crate) value: Option<f64>,
    /// 95 %.
    pub(crate) interval: Option<Interval>,
    /// Rows that the value is taken over.
    pub(crate) n: u64,
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

/// The row of the whole split that has this metric.
pub(crate) fn overall<'a>(rows: &'a [Row], split: Split, metric: &str) -> Option<&'a Row> {
    rows.iter().find(|row| row.split == split && row.scope == Scope::Overall && row.metric == metric)
}

impl Scope {
    fn name(&self) -> String {
        match self {
            Scope::Overall => "overall".to_owned(),
            Scope::Class => "class".to_owned(),
            Scope::Confusion => "confusion".to_owned(),
            Scope::Slice { column, value } => format!("slice:{column}={value}"),
            Scope::Difference => "difference".to_owned(),
        }
    }
}
