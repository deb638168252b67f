//! The headline figures, the verdict, and what one should know before trusting them.

use artifact::{FeatureSet, Head, Split};
use metrics::Metric;
use report::{Baseline, Difference, Estimate, Figure, Scale, Summary, Verdict, Warning};

use super::{Material, estimate};
use crate::belonging::{has_seen, seen};
use crate::table::overall;

/// What is shown, in order.
const FIGURES: [(&str, &str, Scale); 16] = [
    ("accuracy", "Accuracy", Scale::Share),
    ("top_5_accuracy", "Top-5 accuracy", Scale::Share),
    ("balanced_accuracy", "Balanced accuracy", Scale::Share),
    ("macro_f1", "Macro F1", Scale::Share),
    ("macro_roc_auc", "Macro ROC AUC", Scale::Share),
    ("macro_average_precision", "Macro AP", Scale::Share),
    ("cohen_kappa", "Cohen’s κ", Scale::Correlation),
    ("matthews_corrcoef", "Matthews’ correlation", Scale::Correlation),
    ("log_loss", "Log loss", Scale::Loss),
    ("brier_score_loss", "Brier score", Scale::Loss),
    ("ece", "ECE", Scale::Loss),
    ("ece_equal_mass", "ECE, equal mass", Scale::Loss),
    ("aurc", "AURC", Scale::Loss),
    ("coverage_at_reject", "Coverage (not rejected)", Scale::Share),
    ("accuracy_at_reject", "Accuracy where not rejected", Scale::Share),
    ("novelty_rate", "Unlike anything seen", Scale::Share),
];

pub(super) fn of(material: &Material<'_>) -> Summary {
    let Material { config, features, scores, rows, .. } = material;
    let figures = FIGURES.iter().filter_map(|&(metric, name, scale)| {
        let row = overall(rows, scores.split, metric).filter(|row| row.value.is_some())?;
        Some(Figure { name: name.to_owned(), estimate: estimate(row), scale })
    });
    Summary {
        title: stem(config.head()),
        features: Some(of_features(&features.sources())),
        split: scores.split.name().to_owned(),
        rows: scores.outcomes.rows() as u64,
        figures: figures.collect(),
        baseline: baseline(material),
        warnings: warnings(material),
    }
}

fn baseline(material: &Material<'_>) -> Option<Baseline> {
    let comparison = material.comparison?;
    let (path, _) = material.config.baseline()?;
    let scale_of = |metric: &Metric| {
        let name = metric.to_string();
        FIGURES.iter().find(|(metric, ..)| *metric == name).map(|&(_, name, scale)| (name, scale))
    };
    let mut accuracy = 0.0;
    let mut differences = Vec::new();
    for (metric, found) in comparison.differences() {
        let values = (found.first, found.second, found.difference);
        let (Some((name, scale)), (Some(theirs), Some(ours), Some(apart))) = (scale_of(&metric), values)
        else {
            continue;
        };
        if metric == Metric::Accuracy {
            accuracy = apart;
        }
        differences.push(Difference {
            name: name.to_owned(),
            value: ours,
            baseline: theirs,
            difference: Estimate { value: apart, interval: found.interval.map(|i| [i.low, i.high]) },
            scale,
        });
    }
    let verdict = match (comparison.is_decided(), accuracy > 0.0) {
        (false, _) => Verdict::Undecided,
        (true, true) => Verdict::Better,
        (true, false) => Verdict::Worse,
    };
    Some(Baseline { name: stem(path), verdict, reason: comparison.verdict(), differences })
}

fn warnings(material: &Material<'_>) -> Vec<Warning> {
    let Material { features, head, scores, findings, .. } = material;
    let mut warnings = Vec::new();
    if scores.split == Split::Train {
        warnings.push(of_train_rows(features, head));
    }
    let touches = |row: u32| features.split(row as usize) == scores.split;
    let leaks = findings.leaks(features).filter(|pair| touches(pair.first) || touches(pair.second)).count();
    if leaks > 0 {
        warnings.push(Warning {
            title: format!("{leaks} near-duplicates across splits"),
            text: format!(
                "So many pairs of samples, one of them in {}, are nearly the same picture. Where their labels agree, \
                 the figures are better than new samples would give.",
                scores.split
            ),
        });
    }
    let likely = findings.likely().filter(|suspect| touches(suspect.row)).count();
    if likely > 0 {
        warnings.push(Warning {
            title: format!("{likely} labels of this split look wrong"),
            text:
                "Fits that had not seen them, and their neighbours, say another class. If they are wrong, so \
                   are the figures, by up to as many rows."
                    .to_owned(),
        });
    }
    warnings
}

/// What train rows' figures are worth.
pub(super) fn of_train_rows(features: &FeatureSet, head: &Head) -> Warning {
    if has_seen(features, head) {
        return Warning {
            title: "Scored on rows that it was fitted on".to_owned(),
            text: "Every figure here is better than new samples would give.".to_owned(),
        };
    }
    let mut seen = seen(features, head).to_owned();
    if let Some(first) = seen.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Warning {
        title: "Scored on train rows".to_owned(),
        text: format!("{seen}. Of rows that it has seen, figures are better than new samples would give."),
    }
}

/// Network, tap and weights in words.
pub(super) fn of_features(sources: &[artifact::Source]) -> String {
    let each = sources.iter().map(|source| format!("{}, weights {}", source.name(), short(&source.weights)));
    each.collect::<Vec<_>>().join(" and ")
}

/// A file's name without its extension.
pub(super) fn stem(path: &std::path::Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The first digits of a digest, as people compare them.
fn short(digest: &artifact::Digest) -> String {
    digest.to_string().chars().take(12).collect()
}
