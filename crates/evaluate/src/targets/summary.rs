//! What people read on stdout. Plain text; programs read the table.

use std::fmt::Write as _;

use artifact::{Split, Task};
use cli::count;

use super::of_scope;
use super::scores::SplitScores;
use crate::table::{Row, Scope};

/// Outputs shown; of more, the worst by the last of their columns.
const MOST: usize = 20;
/// Metrics of labels shown.
const OF_LABELS: [&str; 9] = [
    "subset_accuracy",
    "hamming_loss",
    "micro_f1",
    "macro_f1",
    "samples_f1",
    "macro_roc_auc",
    "macro_average_precision",
    "log_loss",
    "brier_score_loss",
];
/// Columns of the table of labels.
const EACH_LABEL: [&str; 4] = ["precision", "recall", "f1", "average_precision"];
/// Columns of the table of numbers.
const EACH_NUMBER: [&str; 3] = ["mean_absolute_error", "root_mean_squared_error", "r2_score"];

/// One section a split; `rows` are the table's.
pub(super) fn render(
    scores: &[SplitScores<'_>],
    rows: &[Row],
    names: &[String],
    task: Task,
) -> anyhow::Result<String> {
    let sections = scores.iter().map(|scores| section(scores.split, scores.len(), rows, names, task));
    Ok(sections.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

fn section(
    split: Split,
    n: usize,
    rows: &[Row],
    names: &[String],
    task: Task,
) -> Result<String, std::fmt::Error> {
    let (outputs, noun) = (names.len(), task.noun(names.len()));
    let mut out = format!("{split}: {} rows, {outputs} {noun}\n\n", count(n as u64));
    let is_shown = |metric: &str| task == Task::Numbers || OF_LABELS.contains(&metric);
    for row in of_scope(rows, split, &Scope::Overall).filter(|row| is_shown(&row.metric)) {
        let Some(value) = row.value else { continue };
        let interval = row.interval.map(|i| format!("   95 % within {:.4} to {:.4}", i.low, i.high));
        writeln!(out, "  {:<24} {value:.4}{}", row.metric, interval.unwrap_or_default())?;
    }
    let (title, columns) = match task {
        Task::Labels => ("label", &EACH_LABEL[..]),
        Task::Class | Task::Numbers => ("number", &EACH_NUMBER[..]),
    };
    if task == Task::Labels || names.len() > 1 {
        table(&mut out, split, rows, names, title, columns)?;
    }
    Ok(out)
}

fn table(
    out: &mut String,
    split: Split,
    rows: &[Row],
    names: &[String],
    title: &str,
    columns: &[&str],
) -> std::fmt::Result {
    let value = |name: &str, metric: &str| {
        let mut own = of_scope(rows, split, &Scope::Class).filter(|row| row.class.as_deref() == Some(name));
        own.find(|row| row.metric == metric).and_then(|row| row.value)
    };
    let mut shown: Vec<&String> = names.iter().collect();
    let mut title = title.to_owned();
    if let (true, Some(last)) = (shown.len() > MOST, columns.last()) {
        let merit = |name: &&String| value(name, last).unwrap_or(f64::NEG_INFINITY);
        shown.sort_by(|a, b| merit(a).total_cmp(&merit(b)));
        shown.truncate(MOST);
        title = format!("{title} ({MOST} of least {last})");
    }
    let shown: Vec<_> = shown.into_iter().map(|name| (name, cli::name(name))).collect();
    let width = shown.iter().map(|(_, text)| text.chars().count()).max().unwrap_or(0).max(title.len());
    write!(out, "\n  {title:<width$}")?;
    columns.iter().try_for_each(|column| write!(out, " {column:>23}"))?;
    writeln!(out)?;
    for (name, text) in shown {
        write!(out, "  {text:<width$}")?;
        for column in columns {
            match value(name, column) {
                Some(value) => write!(out, " {value:>23.4}")?,
                None => write!(out, " {:>23}", "-")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
