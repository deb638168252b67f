//! What people read on stdout. Plain text; programs read the table.

use std::fmt::Write as _;

use cli::count;
use metrics::{About, Confusion, OpenSet, Scale, ShownIn};
use sample::targets::Task;

use crate::{
    measured::TaskOutcomes,
    scores::SplitScores,
    table::{Row, Scope, of_scope, overall},
};

/// Outputs shown; of more, the worst.
const MOST_OUTPUTS: usize = 20;
/// Kinds of mistakes shown.
const MOST_PAIRS: usize = 5;

/// One section a split; `rows` are the table's.
pub(crate) fn render(
    scores: &[SplitScores<'_>],
    rows: &[Row],
    names: &[String],
    task: Task,
) -> anyhow::Result<String> {
    let sections = scores.iter().map(|scores| section(scores, rows, names, task));
    Ok(sections.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

fn section(
    scores: &SplitScores<'_>,
    rows: &[Row],
    names: &[String],
    task: Task,
) -> Result<String, std::fmt::Error> {
    let (outputs, noun) = (names.len(), task.noun(names.len()));
    let others = match scores.open_set.as_ref().filter(|of| of.is_judged()).map_or(0, OpenSet::unknown) {
        0 => String::new(),
        rows => format!(" and {} of unknown classes", count(rows)),
    };
    let rows_there = count(scores.len() as u64);
    let mut out = format!("{}: {rows_there} rows{others}, {outputs} {noun}\n\n", scores.split);
    let shown = overall(rows, scores.split, ShownIn::Summary);
    let width = shown.iter().map(|(about, _)| about.name.len()).max().unwrap_or(0);
    for (about, row) in shown {
        let Some(value) = row.value else { continue };
        let interval = row.interval.map(|i| format!("   95 % within {:.4} to {:.4}", i.low, i.high));
        let value = match about.scale {
            Scale::Count => count(value as u64),
            _ => format!("{value:.4}"),
        };
        writeln!(out, "  {:<width$} {value}{}", about.name, interval.unwrap_or_default())?;
    }
    // One number is what the whole is.
    if task != Task::Numbers || outputs > 1 {
        table(&mut out, scores, rows, names, task)?;
    }
    if let TaskOutcomes::Classes(outcomes) = &scores.measured {
        mistakes(&mut out, &Confusion::of(outcomes.each()), names)?;
    }
    Ok(out)
}

/// A row an output.
fn table(
    out: &mut String,
    scores: &SplitScores<'_>,
    rows: &[Row],
    names: &[String],
    task: Task,
) -> std::fmt::Result {
    let own: Vec<(&'static About, &Row)> = of_scope(rows, scores.split, &Scope::Class)
        .filter_map(|row| Some((row.about?, row)))
        .filter(|(about, _)| about.is_shown(ShownIn::Few))
        .collect();
    let columns: Vec<&About> =
        own.iter().map(|(about, _)| *about).take(own.len() / names.len().max(1)).collect();
    // The table's rows are in the order of outputs.
    let mut shown: Vec<(&String, &[(&About, &Row)])> =
        names.iter().zip(own.chunks(columns.len().max(1))).collect();
    let mut title = task.noun(1).to_owned();
    let judge = columns.iter().rposition(|about| about.scale != Scale::Count);
    if let (true, Some(judge)) = (shown.len() > MOST_OUTPUTS, judge) {
        // Of classes without rows there is nothing to see.
        let merit = |row: &[(&About, &Row)]| row[judge].1.value.unwrap_or(f64::INFINITY);
        shown.sort_by(|a, b| merit(a.1).total_cmp(&merit(b.1)));
        shown.truncate(MOST_OUTPUTS);
        title = format!("{title} ({MOST_OUTPUTS} of least {})", columns[judge].name);
    }
    let shown: Vec<_> = shown.into_iter().map(|(name, row)| (cli::name(name), row)).collect();
    let width = shown.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(title.len());
    let width_of = |about: &About| about.name.len().max(10);
    write!(out, "\n  {title:<width$}")?;
    columns.iter().try_for_each(|about| write!(out, " {:>1$}", about.name, width_of(about)))?;
    writeln!(out)?;
    for (name, row) in shown {
        write!(out, "  {name:<width$}")?;
        for (about, row) in row {
            let text = match row.value {
                Some(value) if about.scale == Scale::Count => count(value as u64),
                Some(value) => format!("{value:.4}"),
                None => "-".to_owned(),
            };
            write!(out, " {text:>0$}", width_of(about))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn mistakes(out: &mut String, confusion: &Confusion, classes: &[String]) -> std::fmt::Result {
    let pairs = confusion.mistakes();
    if pairs.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  most frequent mistakes (true → predicted)")?;
    let names: Vec<String> = pairs
        .iter()
        .take(MOST_PAIRS)
        .map(|pair| format!("{} → {}", cli::name(&classes[pair.truth]), cli::name(&classes[pair.predicted])))
        .collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let per_class = confusion.per_class();
    for (pair, name) in pairs.iter().zip(names) {
        let support = per_class[pair.truth].support;
        writeln!(out, "  {name:<width$} {:>6} of {}", count(pair.count), count(support))?;
    }
    Ok(())
}
