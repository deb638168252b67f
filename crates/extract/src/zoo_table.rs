//! `--list-backbones`.

use anyhow::Result;
use cli::count;
use network::{Network, zoo};

/// One line a backbone, aligned; a header first.
///
/// # Errors
/// None that a user can cause: every network of the zoo works at its own size.
pub(crate) fn render() -> Result<String> {
    let mut rows = vec![
        ["name", "parameters", "GFLOP", "input", "tap (default first)", "weights that load"]
            .map(str::to_owned),
    ];
    for entry in zoo::all() {
        let network = (entry.build)();
        let (height, width) = entry.input_size().unwrap_or_default();
        rows.push([
            entry.name.to_owned(),
            count(network.parameter_count() as u64),
            format!("{:.1}", 2e-9 * network.multiplications(height as usize, width as usize)? as f64),
            format!("{height}x{width}"),
            taps(entry, &network, (height as usize, width as usize))?,
            weights(entry),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let [name, parameters, cost, input, taps, weights] = row;
        let [a, b, c, d, e, _] = widths;
        format!("{name:a$}  {parameters:>b$}  {cost:>c$}  {input:>d$}  {taps:e$}  {weights}\n")
    };
    Ok(rows.iter().map(line).collect())
}

/// Whose weights are known to be for it. All but those that are included are given with `--weights`.
fn weights(entry: &zoo::Entry) -> String {
    if entry.weights.is_some() {
        return "included".to_owned();
    }
    match entry.tags {
        [] => "torchvision's".to_owned(),
        tags => format!("timm's {}", tags.join(", ")),
    }
}

/// Named taps and the width of their features: `pooled 512`.
fn taps(entry: &zoo::Entry, network: &Network, (height, width): (usize, usize)) -> Result<String> {
    let mut names: Vec<&str> = network.taps().iter().map(|tap| tap.name.as_str()).collect();
    names.sort_by_key(|name| *name != entry.default_tap);
    let widths = network.for_taps(&names)?.widths(height, width)?;
    Ok(names.iter().zip(widths).map(|(name, d)| format!("{name} {d}")).collect::<Vec<_>>().join(", "))
}
