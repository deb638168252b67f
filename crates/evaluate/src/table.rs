//! The long table of metrics: one row for each (split, scope, metric, class).

use metrics::{About, Interval, Scale, ShownIn};
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};
use sample::Split;

/// What a value is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Overall,
    Class,
    Confusion,
    /// The rows that have this value in this column.
    Slice {
        column: String,
        value: String,
    },
    /// This head less the baseline.
    Difference,
    /// The standard deviation of one of a protocol's draws.
    Deviation,
    /// One of them, from 1.
    Draw(usize),
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) split: Split,
    pub(crate) scope: Scope,
    pub(crate) metric: String,
    /// Its entry in the catalogue; `None` of counts and tests.
    pub(crate) about: Option<&'static About>,
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

/// The rows of a split, or of a part of it, that have this scope.
pub(crate) fn of_scope<'a>(rows: &'a [Row], split: Split, scope: &'a Scope) -> impl Iterator<Item = &'a Row> {
    rows.iter().filter(move |row| row.split == split && row.scope == *scope)
}

/// The figures of a whole split that are shown there: shares first, losses last, each in the order of the table.
pub(crate) fn overall(rows: &[Row], split: Split, place: ShownIn) -> Vec<(&'static About, &Row)> {
    let own = of_scope(rows, split, &Scope::Overall).filter_map(|row| Some((row.about?, row)));
    let mut shown: Vec<_> = own.filter(|(about, _)| about.is_shown(place)).collect();
    shown.sort_by_key(|(about, _)| match about.scale {
        Scale::Share | Scale::Count => 0,
        Scale::Correlation => 1,
        Scale::Loss => 2,
    });
    shown
}

impl Scope {
    fn name(&self) -> String {
        match self {
            Scope::Overall => "overall".to_owned(),
            Scope::Class => "class".to_owned(),
            Scope::Confusion => "confusion".to_owned(),
            Scope::Slice { column, value } => format!("slice:{column}={value}"),
            Scope::Difference => "difference".to_owned(),
            Scope::Deviation => "deviation".to_owned(),
            Scope::Draw(number) => format!("draw:{number}"),
        }
    }
}
