//! What `evaluate` wrote of the model, as the card's tables and as the hub's index of results.

use super::{plain, quoted};
use anyhow::{Context, Result, bail};
use sample::Split;
use std::{collections::BTreeMap, fmt::Write as _, path::Path};
use store::{brief::shortened, table::Table};

/// A row of the table of metrics.
struct Row {
    split: String,
    metric: String,
    class: String,
    value: f64,
    interval: Option<(f64, f64)>,
    n: String,
}

/// The rows of all samples, and of each class.
pub(crate) struct Measured {
    overall: Vec<Row>,
    classes: Vec<Row>,
}

impl Measured {
    /// Reads the table that `evaluate` wrote of a head with these outputs.
    ///
    /// # Errors
    /// Where the file cannot be read, is no such table, or is of other outputs.
    pub(crate) fn read(path: &Path, outputs: &[String]) -> Result<Measured> {
        let names = ["split", "scope", "metric", "class", "value", "ci_low", "ci_high", "n"];
        let table = Table::open(path, &names)?;
        let columns: Vec<_> = names.iter().map(|name| table.needed(name)).collect::<Result<_, _>>()?;
        let mut measured = Measured { overall: Vec::new(), classes: Vec::new() };
        for row in 0..table.height() {
            let text = |column: usize| columns[column].get(row).unwrap_or_default();
            let number = |column: usize| -> Result<Option<f64>> {
                match text(column) {
                    "" => Ok(None),
                    text => Ok(Some(text.parse().with_context(|| {
                        format!("`{}` is no table of metrics: `{text}` is no number", path.display())
                    })?)),
                }
            };
            let Some(value) = number(4)?.filter(|value| value.is_finite()) else { continue };
            let read = || -> Result<Row> {
                Ok(Row {
                    split: text(0).to_owned(),
                    metric: text(2).to_owned(),
                    class: text(3).to_owned(),
                    value,
                    interval: number(5)?.zip(number(6)?),
                    n: text(7).to_owned(),
                })
            };
            match text(1) {
                "overall" => measured.overall.push(read()?),
                "class" => measured.classes.push(read()?),
                _ => {}
            }
        }
        if measured.overall.is_empty() {
            bail!(
                "`{}` has no row of the scope `overall`; give the table that evaluate wrote",
                path.display()
            );
        }
        if let Some(row) = measured.classes.iter().find(|row| !outputs.contains(&row.class)) {
            bail!(
                "`{}` is of another head: it has `{}`, which this one does not know; give what evaluate wrote of this head",
                path.display(),
                shortened(&row.class)
            );
        }
        Ok(measured)
    }

    /// The splits that were scored, that which nothing was fitted on first.
    fn splits(&self) -> Vec<&str> {
        let order = [Split::Test, Split::Val, Split::Train].map(Split::name);
        order.into_iter().filter(|split| self.overall.iter().any(|row| row.split == *split)).collect()
    }

    /// The hub's `model-index`: the metrics of the first split. `task`: as the hub calls it; `noun`: of a sample.
    pub(super) fn index(&self, name: &str, task: &str, noun: &str) -> String {
        let Some(split) = self.splits().first().copied() else { return String::new() };
        let mut text = format!(
            "model-index:\n- name: {}\n  results:\n  - task:\n      type: {task}\n    dataset:\n      \
             name: {}\n      type: {noun}s\n      split: {split}\n    metrics:\n",
            quoted(name),
            quoted(&format!("{split} split"))
        );
        for row in self.overall.iter().filter(|row| row.split == split) {
            let _ = writeln!(
                text,
                "    - type: {}\n      name: {}\n      value: {}",
                quoted(&row.metric),
                quoted(&row.words()),
                row.value
            );
        }
        text
    }

    /// A table of each split, and one of the classes of the first.
    pub(super) fn tables(&self, noun: &str) -> String {
        let mut text = format!(
            "\n## Metrics\n\nIntervals are those of 95 %. `n` counts the {noun}s that a value is taken over.\n"
        );
        for split in self.splits() {
            let _ = writeln!(text, "\n**{split}**\n\n| metric | value | interval | n |\n|---|---|---|---|");
            for row in self.overall.iter().filter(|row| row.split == split) {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {} |",
                    plain(&row.metric),
                    shown(row.value),
                    row.bounds(),
                    row.n
                );
            }
        }
        if let Some(split) = self.splits().first() {
            text += &self.of_classes(split);
        }
        text
    }

    fn of_classes(&self, split: &str) -> String {
        let rows: Vec<&Row> = self.classes.iter().filter(|row| row.split == split).collect();
        let mut metrics: Vec<&str> = Vec::new();
        let mut classes: BTreeMap<&str, BTreeMap<&str, &Row>> = BTreeMap::new();
        for row in rows {
            if !metrics.contains(&row.metric.as_str()) {
                metrics.push(&row.metric);
            }
            classes.entry(&row.class).or_default().insert(&row.metric, row);
        }
        if classes.is_empty() || classes.len() > super::MOST_LISTED {
            return String::new();
        }
        let mut text = format!("\n**Each by itself, {split}**\n\n| name | {} |\n", metrics.join(" | "));
        let _ = writeln!(text, "|---|{}", "---|".repeat(metrics.len()));
        for (class, values) in classes {
            let cell = |metric: &&str| values.get(metric).map_or(String::new(), |row| row.cell());
            let cells: Vec<String> = metrics.iter().map(cell).collect();
            let _ = writeln!(text, "| {} | {} |", plain(class), cells.join(" | "));
        }
        text
    }
}

impl Row {
    fn bounds(&self) -> String {
        self.interval.map_or(String::new(), |(low, high)| format!("{} to {}", shown(low), shown(high)))
    }

    /// Value, interval and count in a cell.
    fn cell(&self) -> String {
        match self.interval {
            Some(_) => format!("{} ({}; {})", shown(self.value), self.bounds(), self.n),
            None => format!("{} ({})", shown(self.value), self.n),
        }
    }

    /// The metric with its interval and count, as the hub shows it.
    fn words(&self) -> String {
        match self.interval {
            Some(_) => format!("{} (95 % {}, n = {})", self.metric, self.bounds(), self.n),
            None => format!("{} (n = {})", self.metric, self.n),
        }
    }
}

fn shown(value: f64) -> String {
    match value.abs() {
        // Counts, such as a class's support.
        size if (2.0..1e6).contains(&size) && value.fract() == 0.0 => format!("{value:.0}"),
        0.0 | 1e-3..1e6 => format!("{value:.4}"),
        _ => format!("{value:.3e}"),
    }
}
