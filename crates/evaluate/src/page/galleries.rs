//! What one should look at: where the head does worst, what looks wrong, pictures that are nearly the same.

use report::{Duplicate, Exhibit, Mislabel, Mistake};

use super::Material;
use sample::targets::list;

use crate::{
    measured::TaskOutcomes,
    suspects::{LIKELY, Suspects},
};

/// Of each gallery.
const MOST: usize = 60;

/// Of classes what is wrong, and surest of it first; of labels and numbers the rows of highest loss.
pub(super) fn mistakes(material: &Material<'_>) -> Vec<Mistake> {
    let names = &material.head.classes;
    let row = |at: usize| material.scores.rows.row(at);
    let measured = &material.scores.measured;
    if let TaskOutcomes::Classes(outcomes) = measured {
        let rows = outcomes.each();
        let mut wrong: Vec<usize> =
            (0..rows.rows()).filter(|&at| rows.labels()[at] != rows.predicted()[at]).collect();
        wrong.sort_by(|&a, &b| rows.confidences()[b].total_cmp(&rows.confidences()[a]));
        let class = |label: u32| names[label as usize].clone();
        let mistake = |&at: &usize| Mistake {
            sample: exhibit(material, row(at), class(rows.labels()[at])),
            predicted: class(rows.predicted()[at]),
            score: rows.confidences()[at],
        };
        return wrong.iter().take(MOST).map(mistake).collect();
    }
    let losses = measured.losses();
    let mut hardest: Vec<usize> = (0..losses.len()).collect();
    hardest.sort_by(|&a, &b| losses[b].total_cmp(&losses[a]));
    let shown = hardest.into_iter().map(|at| (at, said(measured, at, names)));
    // A row whose labels are all as they should be is no mistake, however unsure the head was.
    let shown = shown.filter(|(_, (truth, predicted))| truth != predicted).take(MOST);
    let mistake = |(at, (truth, predicted)): (usize, (String, String))| Mistake {
        sample: exhibit(material, row(at), truth),
        predicted,
        score: losses[at],
    };
    shown.map(mistake).collect()
}

/// Of any split: what is wrong among the train rows spoils the fit.
pub(super) fn mislabels(material: &Material<'_>) -> Vec<Mislabel> {
    let names = &material.head.classes;
    let mislabel = |row: u32, truth: String, suggested: String, quality: f64| Mislabel {
        sample: exhibit(material, row as usize, truth),
        suggested,
        score: 1.0 - quality,
    };
    let class = |class: u32| names[class as usize].clone();
    let labels = |values: &[bool]| list(names, values.iter().copied());
    match &material.findings.suspects {
        None => Vec::new(),
        Some(Suspects::Classes(found)) => {
            let likely = found.iter().take_while(|of| of.quality < LIKELY).take(MOST);
            likely.map(|of| mislabel(of.row, class(of.label), class(of.suggested), of.quality)).collect()
        }
        Some(Suspects::Labels(found)) => {
            let likely = found.iter().take_while(|of| of.quality < LIKELY).take(MOST);
            likely.map(|of| mislabel(of.row, labels(&of.truth), labels(&of.suggested), of.quality)).collect()
        }
        Some(Suspects::Numbers(found)) => {
            let likely = found.iter().take_while(|of| of.quality < LIKELY).take(MOST);
            likely
                .map(|of| {
                    mislabel(of.row, numbers(names, &of.truth), numbers(names, &of.expected), of.quality)
                })
                .collect()
        }
    }
}

/// Across splits first, those of the page's split before others.
pub(super) fn duplicates(material: &Material<'_>) -> Vec<Duplicate> {
    let split = |row: u32| material.features.split(row as usize);
    let own = |row: u32| split(row) == material.scores.split;
    let mut pairs: Vec<(u32, u32, f32)> = material
        .findings
        .duplicates
        .iter()
        .map(|pair| {
            // The one of the page's split on the left.
            let swap = !own(pair.first) && own(pair.second);
            let (left, right) = if swap { (pair.second, pair.first) } else { (pair.first, pair.second) };
            (left, right, pair.score())
        })
        .collect();
    // Stable: within each kind the surest stays first.
    pairs.sort_by_key(|&(left, right, _)| (split(left) == split(right), !own(left)));
    let class = |row: u32| material.findings.text(row).to_owned();
    let duplicate = |&(left, right, similarity): &(u32, u32, f32)| Duplicate {
        left: exhibit(material, left as usize, class(left)),
        right: exhibit(material, right as usize, class(right)),
        similarity: f64::from(similarity),
    };
    pairs.iter().take(MOST).map(duplicate).collect()
}

fn exhibit(material: &Material<'_>, row: usize, truth: String) -> Exhibit {
    let split = material.features.split(row);
    let is_other = split != material.scores.split;
    Exhibit {
        id: material.features.id(row).to_owned(),
        truth,
        split: is_other.then(|| split.name().to_owned()),
    }
}

/// What is so of row `at`, and what is said, of labels or numbers.
fn said(measured: &TaskOutcomes, at: usize, names: &[String]) -> (String, String) {
    match measured {
        TaskOutcomes::Classes(_) => (String::new(), String::new()),
        TaskOutcomes::Labels(outcomes) => {
            let own = at * names.len()..(at + 1) * names.len();
            (list(names, outcomes.truth()[own].iter().copied()), list(names, outcomes.predicted(at)))
        }
        TaskOutcomes::Numbers(outcomes) => {
            let pairs = (0..names.len()).filter_map(|output| outcomes.column(output).nth(at));
            let (truth, predicted): (Vec<f64>, Vec<f64>) = pairs.unzip();
            (numbers(names, &truth), numbers(names, &predicted))
        }
    }
}

/// `3.214`, or `age 3.214, height 1.8` of several.
fn numbers(names: &[String], values: &[f64]) -> String {
    let text = |value: f64| {
        let rounded = format!("{value:.3}");
        let trimmed = rounded.trim_end_matches('0').trim_end_matches('.').to_owned();
        // Of tiny numbers three decimals say nothing.
        if value != 0.0 && value.abs() < 0.01 { format!("{value:.2e}") } else { trimmed }
    };
    match values {
        [value] => text(*value),
        _ => {
            let each = names.iter().zip(values).map(|(name, value)| format!("{name} {}", text(*value)));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}
