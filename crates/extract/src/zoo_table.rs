//! `--list-backbones`.

use anyhow::Result;
use cli::count;
use network::{Network, zoo};

/// One line a backbone, aligned; a header first.
///
/// # Errors
/// None that a user can cause: every network of the zoo works at its own size.
pub(crate) fn render() -> Result<String> {
    let ecosystems = zoo::all().iter().flat_map(zoo::ecosystems).fold(Vec::new(), |mut names, name| {
        if !names.contains(&name) {
            names.push(name);
        }
        names
    });
    let head = ["name", "parameters", "GFLOP", "input"].into_iter().chain(ecosystems.iter().copied());
    let mut rows: Vec<Vec<String>> =
        vec![head.chain(["taps, the default first", "timm's tags"]).map(str::to_owned).collect()];
    for entry in zoo::all() {
        let network = entry.network();
        // Of a text, one token.
        let (height, width) = entry.input_size().unwrap_or((1, 1));
        let mut row = vec![
            entry.name.to_owned(),
            count(network.parameter_count() as u64),
            format!("{:.1}", 2e-9 * network.multiplications(height as usize, width as usize)? as f64),
            if network.reads_texts() { "texts".to_owned() } else { format!("{height}x{width}") },
        ];
        let known = zoo::ecosystems(entry);
        row.extend(ecosystems.iter().map(|name| if known.contains(name) { "yes" } else { "-" }.to_owned()));
        row.push(taps(entry, &network, (height as usize, width as usize))?);
        row.push(if entry.weights.is_some() {
            "(weights included)".to_owned()
        } else {
            entry.tags.join(", ")
        });
        rows.push(row);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            // Figures.
            1..=3 => format!("{cell:>width$}"),
            _ => format!("{cell:width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    Ok(rows.iter().map(line).collect())
}

/// Named taps and the width of their features: `pooled 512`.
fn taps(entry: &zoo::Entry, network: &Network, (height, width): (usize, usize)) -> Result<String> {
    let mut names: Vec<&str> = network.taps().iter().map(|tap| tap.name.as_str()).collect();
    names.sort_by_key(|name| *name != entry.default_tap);
    let widths = network.for_taps(&names)?.widths(height, width)?;
    Ok(names.iter().zip(widths).map(|(name, d)| format!("{name} {d}")).collect::<Vec<_>>().join(", "))
}
