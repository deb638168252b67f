//! What people read on stdout. Plain text; programs read the table.

use std::fmt::Write as _;

use cli::count;
use metrics::{
    ClassScores, Confusion, brier_score_loss, expected_calibration_error, hits_at, log_loss, wilson,
};

use crate::scores::SplitScores;

/// Classes shown; of more, those of least F1.
const MOST_CLASSES: usize = 20;
/// Kinds of mistakes shown.
const MOST_PAIRS: usize = 5;

/// One section a split.
pub(crate) fn render(scores: &[SplitScores], classes: &[String]) -> anyhow::Result<String> {
    let sections =
        scores.iter().map(|scores| section(scores, classes)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(sections.join("\n"))
}

fn section(scores: &SplitScores, classes: &[String]) -> anyhow::Result<String> {
    let scored = scores.scored()?;
    let confusion = Confusion::of(&scored);
    let n = confusion.total();
    let mut out = format!("{}: {} rows, {} classes\n\n", scores.split, count(n), classes.len());
    let proportion = |hits| {
        let interval = wilson(hits, n).map(|i| format!("   95 % within {:.4} to {:.4}", i.low, i.high));
        format!("{:.4}{}", hits as f64 / n as f64, interval.unwrap_or_default())
    };
    let number = |value: f64| format!("{value:.4}");
    let mut figures = vec![("accuracy", proportion(confusion.correct()))];
    figures.extend(hits_at(&scored, 5).map(|hits| ("top_5_accuracy", proportion(hits))));
    figures.extend([
        ("balanced_accuracy", number(confusion.balanced_accuracy())),
        ("macro_f1", number(confusion.macro_average(|class| class.f1))),
        ("weighted_f1", number(confusion.weighted_average(|class| class.f1))),
        ("log_loss", number(log_loss(&scored))),
        ("brier_score_loss", number(brier_score_loss(&scored))),
        ("ece", number(expected_calibration_error(&scored))),
    ]);
    for (name, figure) in figures {
        writeln!(out, "  {name:<18} {figure}")?;
    }
    class_table(&mut out, &confusion, classes)?;
    mistakes(&mut out, &confusion, classes)?;
    Ok(out)
}

fn class_table(out: &mut String, confusion: &Confusion, classes: &[String]) -> std::fmt::Result {
    let mut shown: Vec<(&String, ClassScores)> = classes.iter().zip(confusion.per_class()).collect();
    let title = if shown.len() > MOST_CLASSES {
        shown.sort_by(|(_, a), (_, b)| a.f1.total_cmp(&b.f1));
        shown.truncate(MOST_CLASSES);
        format!("class ({MOST_CLASSES} of least f1)")
    } else {
        "class".to_owned()
    };
    let width = shown.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(title.len());
    writeln!(out, "\n  {title:<width$} {:>10} {:>10} {:>10} {:>10}", "precision", "recall", "f1", "support")?;
    for (name, ClassScores { precision, recall, f1, support, .. }) in shown {
        let support = count(support);
        writeln!(out, "  {name:<width$} {precision:>10.4} {recall:>10.4} {f1:>10.4} {support:>10}")?;
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
        .map(|pair| format!("{} → {}", classes[pair.truth], classes[pair.predicted]))
        .collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let per_class = confusion.per_class();
    for (pair, name) in pairs.iter().zip(names) {
        let support = per_class[pair.truth].support;
        writeln!(out, "  {name:<width$} {:>6} of {}", count(pair.count), count(support))?;
    }
    Ok(())
}
