//! The headline figures, the verdict, and what one should know before trusting them.

use features::FeatureSet;
use metrics::{About, ShownIn};
use report::{Baseline, Difference, Figure, Summary, Verdict, Warning};
use sample::{Split, targets::Task};

use super::{Material, estimate, of_estimate, scale};
use crate::{
    belonging::Seen,
    scores::SplitScores,
    table::{Row, overall},
    unknown::frequent,
};

pub(super) fn of(material: &Material<'_>) -> Summary {
    let Material { config, features, scores, rows, .. } = material;
    let figures =
        overall(rows, scores.split, ShownIn::Page).into_iter().filter(|(_, row)| row.value.is_some());
    let figure = |(about, row): (&About, &Row)| Figure {
        name: about.title.to_owned(),
        estimate: estimate(row),
        scale: scale(about.scale),
    };
    Summary {
        title: stem(config.head()),
        features: Some(of_features(&features.sources())),
        split: scores.split.name().to_owned(),
        rows: scores.len() as u64,
        figures: figures.map(figure).collect(),
        baseline: baseline(material),
        warnings: warnings(material),
    }
}

fn baseline(material: &Material<'_>) -> Option<Baseline> {
    let comparison = material.comparison?;
    let (path, _) = material.config.baseline()?;
    let shown = comparison.differences().iter().filter(|found| found.about.is_shown(ShownIn::Page));
    let differences = shown.filter_map(|found| {
        Some(Difference {
            name: found.about.title.to_owned(),
            value: found.second?,
            baseline: found.first?,
            difference: of_estimate(metrics::Estimate {
                value: Some(found.difference?),
                interval: found.interval,
            }),
            scale: scale(found.about.scale),
        })
    });
    let verdict = match comparison.decided() {
        crate::baseline::Verdict::Better => Verdict::Better,
        crate::baseline::Verdict::Worse => Verdict::Worse,
        crate::baseline::Verdict::Undecided => Verdict::Undecided,
    };
    let differences = differences.collect();
    Some(Baseline { name: stem(path), verdict, reason: comparison.verdict(), differences })
}

fn warnings(material: &Material<'_>) -> Vec<Warning> {
    let Material { features, head, scores, findings, .. } = material;
    let mut warnings: Vec<Warning> =
        of_seen_rows(scores, features).into_iter().chain(of_unknown_rows(scores)).collect();
    let touches = |row: u32| features.split(row as usize) == scores.split;
    let leaks = findings.leaks(features).filter(|pair| touches(pair.first) || touches(pair.second)).count();
    if leaks > 0 {
        warnings.push(Warning {
            title: format!("{leaks} near-duplicate{} across splits", if leaks == 1 { "" } else { "s" }),
            text: format!(
                "A pair is of two samples that are nearly the same, one of them in {}. Where their labels agree, \
                 the figures are better than new samples would give.",
                scores.split
            ),
        });
    }
    let likely = findings.likely().into_iter().filter(|&row| touches(row)).count();
    if likely > 0 {
        let (title, text) = match head.task() {
            Task::Class => (
                "labels of this split look wrong",
                "Fits that had not seen them, and their neighbours, say another class.",
            ),
            Task::Labels => (
                "rows of this split look as if labels were missing or wrong",
                "Fits that had not seen them, and their neighbours, say other labels.",
            ),
            Task::Numbers => {
                ("rows of this split look wrong", "Fits that had not seen them expect numbers far away.")
            }
        };
        warnings.push(Warning {
            title: format!("{likely} {title}"),
            text: format!("{text} If they are wrong, so are the figures, by up to as many rows."),
        });
    }
    warnings
}

/// What figures are worth of rows that the head has seen, or may have.
fn of_seen_rows(scores: &SplitScores<'_>, features: &FeatureSet) -> Option<Warning> {
    let text = |seen: String| {
        format!(
            "{}. Of rows that it has seen, figures are better than new samples would give.",
            capital(&seen)
        )
    };
    let words = || scores.seen.words(scores.len(), features);
    match &scores.seen {
        Seen::All => Some(Warning {
            title: "Scored on rows that it was fitted on".to_owned(),
            text: "Every figure here is better than new samples would give.".to_owned(),
        }),
        Seen::These(rows) if rows.is_empty() => None,
        Seen::These(rows) => Some(Warning {
            title: format!(
                "{} of the rows {} fitted on",
                rows.len(),
                if rows.len() == 1 { "was" } else { "were" }
            ),
            text: text(words()),
        }),
        Seen::Unknown if scores.split == Split::Train => {
            Some(Warning { title: "Scored on train rows".to_owned(), text: text(words()) })
        }
        Seen::Unknown => None,
    }
}

/// What becomes of rows of classes that the head does not know.
fn of_unknown_rows(scores: &SplitScores<'_>) -> Option<Warning> {
    let open_set = scores.open_set.as_ref().filter(|of| of.unknown() > 0)?;
    let what = if open_set.is_judged() {
        "They count in the figures of the open set alone."
    } else {
        "They are in no figure here."
    };
    let rows = open_set.unknown();
    Some(Warning {
        title: format!(
            "{rows} row{} of classes that the head does not know",
            if rows == 1 { "" } else { "s" }
        ),
        text: format!("{what} Their classes are {}.", frequent(scores.unknown.labels.iter())),
    })
}

/// With a capital at the beginning.
fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// Network, tap and weights in words, or what the rows are called.
fn of_features(sources: &[features::Source]) -> String {
    let each = sources.iter().map(|source| match source.network() {
        Some(network) => format!("{}, weights {}", source.name(), short(&network.weights)),
        None => source.name(),
    });
    each.collect::<Vec<_>>().join(" and ")
}

/// A file's name without its extension.
fn stem(path: &std::path::Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The first digits of a digest, as people compare them.
fn short(digest: &store::Digest) -> String {
    digest.to_string().chars().take(12).collect()
}
