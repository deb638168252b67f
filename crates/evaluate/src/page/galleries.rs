//! What one should look at: mistakes, labels that look wrong, pictures that are nearly the same.

use report::{Duplicate, Exhibit, Mislabel, Mistake};

use super::Material;

/// Of each gallery.
const MOST: usize = 60;

/// Wrong, and surest of it first.
pub(super) fn mistakes(material: &Material<'_>) -> Vec<Mistake> {
    let outcomes = &material.scores.outcomes;
    let wrong = |&at: &usize| outcomes.labels()[at] != outcomes.predicted()[at];
    let mut wrong: Vec<usize> = (0..outcomes.rows()).filter(wrong).collect();
    wrong.sort_by(|&a, &b| outcomes.confidences()[b].total_cmp(&outcomes.confidences()[a]));
    let mistake = |&at: &usize| Mistake {
        sample: exhibit(material, material.scores.rows.row(at)),
        predicted: outcomes.predicted()[at],
        confidence: outcomes.confidences()[at],
    };
    wrong.iter().take(MOST).map(mistake).collect()
}

/// Of any split: wrong labels among the train rows spoil the fit.
pub(super) fn mislabels(material: &Material<'_>) -> Vec<Mislabel> {
    let likely = material.findings.likely().take(MOST);
    likely
        .map(|suspect| Mislabel {
            sample: exhibit(material, suspect.row as usize),
            suggested: suspect.suggested,
            score: 1.0 - suspect.quality,
        })
        .collect()
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
    let duplicate = |&(left, right, similarity): &(u32, u32, f32)| Duplicate {
        left: exhibit(material, left as usize),
        right: exhibit(material, right as usize),
        similarity: f64::from(similarity),
    };
    pairs.iter().take(MOST).map(duplicate).collect()
}

fn exhibit(material: &Material<'_>, row: usize) -> Exhibit {
    let (features, own) = (material.features, material.scores.split);
    let split = features.split(row);
    Exhibit {
        id: features.id(row).to_owned(),
        class: features.label(row),
        split: (split != own).then(|| split.name().to_owned()),
    }
}
