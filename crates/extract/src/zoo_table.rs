//! `--list-backbones`.

use anyhow::Result;
use cli::count;
use network::{Network, zoo};

/// One line a backbone, aligned; a header first.
///
/// # Errors
/// None that a user can cause: every network of the zoo works at its own size.
pub(crate) fn render() -> Result<String> {
    let mut rows = vec![["name", "parameters", "input", "tap (default first)", "weights"].map(str::to_owned)];
    for entry in zoo::all() {
        let network = (entry.build)();
        let (height, width) = (entry.preprocessing)().output_size().unwrap_or_default();
        rows.push([
            entry.name.to_owned(),
            count(network.parameter_count() as u64),
            format!("{height}x{width}"),
            taps(entry, &network, (height as usize, width as usize))?,
            if entry.weights.is_some() { "included" } else { "--weights FILE" }.to_owned(),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &[String; 5]| {
        let [name, parameters, input, taps, weights] = row;
        let [a, b, c, d, _] = widths;
        format!("{name:a$}  {parameters:>b$}  {input:>c$}  {taps:d$}  {weights}\n")
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
