//! What people read on stdout of a protocol.

use std::fmt::Write as _;

use cli::count;
use features::Rows as _;
use metrics::ShownIn;

use super::{config::Config, data::Data};
use crate::table::{Row, Scope, of_scope, overall};

/// Draws that are listed.
const MOST_DRAWS: usize = 20;

/// Means with their intervals and deviations, and then each draw; `rows` are the table's.
pub(crate) fn render(rows: &[Row], data: &Data<'_>, config: &Config) -> Result<String, std::fmt::Error> {
    let (split, protocol) = (config.split, config.protocol);
    let [scored, classes] = [data.scored.rows.len(), data.names.len()].map(|n| count(n as u64));
    let mut out = format!("{split}: {scored} rows, {classes} classes; {protocol}, means of draws\n\n");
    let shown = overall(rows, split, ShownIn::Summary);
    let width = shown.iter().map(|(about, _)| about.name.len()).max().unwrap_or(0);
    for (about, row) in shown {
        let Some(value) = row.value else { continue };
        write!(out, "  {:<width$} {value:.4}", about.name)?;
        if let Some(interval) = row.interval {
            write!(out, "   95 % within {:.4} to {:.4}", interval.low, interval.high)?;
        }
        let deviation = of_scope(rows, split, &Scope::Deviation).find(|of| of.metric == row.metric);
        if let Some(deviation) = deviation.and_then(|of| of.value) {
            write!(out, "   deviation {deviation:.4}")?;
        }
        writeln!(out)?;
    }
    if (2..=MOST_DRAWS).contains(&protocol.draws()) {
        table(&mut out, rows, config)?;
    }
    Ok(out)
}

/// A line a draw.
fn table(out: &mut String, rows: &[Row], config: &Config) -> std::fmt::Result {
    let names: Vec<&str> =
        overall(rows, config.split, ShownIn::Few).iter().map(|(about, _)| about.name).collect();
    write!(out, "\n  draw")?;
    names.iter().try_for_each(|name| write!(out, " {name:>10}"))?;
    writeln!(out)?;
    for number in 1..=config.protocol.draws() {
        let scope = Scope::Draw(number);
        let own: Vec<&Row> = of_scope(rows, config.split, &scope).collect();
        write!(out, "  {number:>4}")?;
        for name in &names {
            let value = own.iter().find(|row| row.metric == *name).and_then(|row| row.value);
            let text = value.map_or("-".to_owned(), |value| format!("{value:.4}"));
            write!(out, " {text:>0$}", name.len().max(10))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
