//! What people read on stdout. Plain text; programs read the table.

use std::fmt::Write as _;

use cli::count;
use metrics::{ClassScores, Confusion};

use crate::scores::SplitScores;
use crate::table::{Row, overall};

/// Classes shown; of more, those of least F1.
const MOST_CLASSES: usize = 20;
/// Kinds of mistakes shown.
const MOST_PAIRS: usize = 5;
/// Metrics shown, where they are defined.
const SHOWN: [&str; 15] = [
    "accuracy",
    "top_5_accuracy",
    "balanced_accuracy",
    "macro_f1",
    "weighted_f1",
    "cohen_kappa",
    "matthews_corrcoef",
    "macro_roc_auc",
    "macro_average_precision",
    "log_loss",
    "brier_score_loss",
    "ece",
    "coverage_at_reject",
    "accuracy_at_reject",
    "novelty_rate",
];

/// One section a split; `rows` are the table's.
pub(crate) fn render(scores: &[SplitScores<'_>], rows: &[Row], classes: &[String]) -> anyhow::Result<String> {
    let sections =
        scores.iter().map(|scores| section(scores, rows, classes)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(sections.join("\n"))
}

fn section(scores: &SplitScores<'_>, rows: &[Row], classes: &[String]) -> anyhow::Result<String> {
    let confusion = Confusion::of_outcomes(&scores.outcomes);
    let n = confusion.total();
    let mut out = format!("{}: {} rows, {} classes\n\n", scores.split, count(n), classes.len());
    for name in SHOWN {
        let Some(row) = overall(rows, scores.split, name) else { continue };
        let Some(value) = row.value else { continue };
        let interval = row.interval.map(|i| format!("   95 % within {:.4} to {:.4}", i.low, i.high));
        writeln!(out, "  {name:<23} {value:.4}{}", interval.unwrap_or_default())?;
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
    let shown: Vec<_> = shown.into_iter().map(|(name, scores)| (cli::name(name), scores)).collect();
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
        .map(|pair| format!("{} → {}", cli::name(&classes[pair.truth]), cli::name(&classes[pair.predicted])))
        .collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let per_class = confusion.per_class();
    for (pair, name) in pairs.iter().zip(names) {
        let support = per_class[pair.truth].support;
        writeln!(out, "  {name:<width$} {:>6} of {}", count(pair.count), count(support))?;
    }
    Ok(())
}
