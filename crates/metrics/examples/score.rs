//! Reads one JSON object a line from stdin, `{"classes": …}`, `{"multi_label": …}`, `{"regression": …}` or
//! `{"mcnemar": …}`, and prints every metric of it as one JSON object a line. For tests/peers/metrics.py,
//! which compares them with scikit-learn's.
#![expect(clippy::print_stdout, reason = "the JSON is what this program is for")]

use std::error::Error;
use std::io::BufRead;

use headstart_metrics::{
    Binning, ClassRanking, Confusion, McNemar, Metric, MultiLabel, MultiLabelMetric, MultiLabelOutcomes,
    MultiLabelScores, OneVsRest, Outcomes, Rankings, Regression, RegressionMetric, ReliabilityBin, Scored,
    brier_score_loss, expected_calibration_error, log_loss, proportion, top_k_accuracy,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Rows that are pushed at a time: few, so that most cases take many pushes.
const BLOCK: usize = 7;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Case {
    Classes { labels: Vec<u32>, probabilities: Vec<f64>, classes: usize },
    MultiLabel { truth: Vec<bool>, probabilities: Vec<f64>, labels: usize },
    Regression { truth: Vec<f64>, predicted: Vec<f64> },
    Mcnemar { only_first: u64, only_second: u64 },
}

fn main() -> Result<(), Box<dyn Error>> {
    for line in std::io::stdin().lock().lines() {
        println!("{}", score(serde_json::from_str(&line?)?)?);
    }
    Ok(())
}

fn score(case: Case) -> Result<Value, Box<dyn Error>> {
    match case {
        Case::Classes { labels, probabilities, classes } => classes_of(&labels, &probabilities, classes),
        Case::MultiLabel { truth, probabilities, labels } => {
            Ok(multi_label(&MultiLabel::new(&truth, &probabilities, labels)?))
        }
        Case::Regression { truth, predicted } => {
            let rows = Regression::new(&truth, &predicted)?;
            let values = RegressionMetric::ALL.map(|metric| (metric.to_string(), rows.value(metric)));
            Ok(values.into_iter().map(|(name, value)| (name, json!(value))).collect())
        }
        Case::Mcnemar { only_first, only_second } => {
            let test = McNemar::of(only_first, only_second);
            Ok(json!({ "statistic": test.statistic, "p_value": test.p_value }))
        }
    }
}

fn classes_of(labels: &[u32], probabilities: &[f64], classes: usize) -> Result<Value, Box<dyn Error>> {
    let mut outcomes = Outcomes::new(classes);
    let blocks = || probabilities.chunks(BLOCK * classes);
    for (labels, block) in labels.chunks(BLOCK).zip(blocks()) {
        outcomes.push(labels, block)?;
    }
    let mut pass = OneVsRest::new(&outcomes);
    for block in blocks() {
        pass.push(block)?;
    }
    let rankings = pass.finish()?;
    let tally = outcomes.tally();
    let confusion = Confusion::of_outcomes(&outcomes);
    let mut out = json!({
        "proportion": proportion(confusion.correct(), confusion.total()).map(|ends| [ends.low, ends.high]),
        "pairs": confusion.pairs().iter().map(|pair| [pair.truth as u64, pair.predicted as u64, pair.count])
            .collect::<Vec<_>>(),
        "mistakes": confusion.mistakes().iter().map(|pair| pair.count).collect::<Vec<_>>(),
        "support": tally.marginals().per_class().map(|class| class.support).collect::<Vec<_>>(),
        "reliability": reliability(&tally.bins(Binning::EqualWidth).reliability()),
        "reliability_equal_mass": reliability(&tally.bins(Binning::EqualMass).reliability()),
        "rejection": outcomes.rejection_curve(usize::MAX).iter()
            .map(|point| [point.threshold, point.coverage, point.risk]).collect::<Vec<_>>(),
    });
    for metric in Metric::overall(classes).into_iter().chain([1, 2, 5].map(Metric::TopK)) {
        out[metric.to_string()] = json!(tally.value(metric));
    }
    let per_class = Metric::per_class(classes);
    for (at, name) in ["precision", "recall", "f1"].into_iter().enumerate() {
        let values = per_class.iter().skip(at).step_by(3).map(|&metric| tally.value(metric));
        out[name] = json!(values.collect::<Vec<_>>());
    }
    let scored = Scored::new(labels, probabilities, classes)?;
    out["held"] = json!([
        log_loss(&scored),
        brier_score_loss(&scored),
        expected_calibration_error(&scored),
        top_k_accuracy(&scored, 2)
    ]);
    ranking(&rankings, classes, &mut out);
    Ok(out)
}

fn ranking(rankings: &Rankings, classes: usize, out: &mut Value) {
    let each = |of: &dyn Fn(&ClassRanking) -> Option<f64>| {
        json!(rankings.per_class().iter().map(|class| class.as_ref().and_then(of)).collect::<Vec<_>>())
    };
    out["roc_auc"] = each(&|class| Some(class.roc_auc));
    out["roc_auc_variance"] = each(&|class| class.roc_auc_variance);
    out["average_precision"] = each(&|class| Some(class.average_precision));
    out["macro_roc_auc"] = json!(rankings.macro_roc_auc());
    out["macro_average_precision"] = json!(rankings.macro_average_precision());
    let curves = (0..classes).map(|class| {
        let points = rankings.precision_recall_curve(class, usize::MAX);
        points.iter().map(|point| [point.threshold, point.recall, point.precision]).collect::<Vec<_>>()
    });
    out["precision_recall_curves"] = json!(curves.collect::<Vec<_>>());
    let curves = (0..classes).map(|class| {
        let points = rankings.roc_curve(class, usize::MAX);
        points.iter().map(|point| [point.false_positive_rate, point.true_positive_rate]).collect::<Vec<_>>()
    });
    out["roc_curves"] = json!(curves.collect::<Vec<_>>());
}

fn reliability(bins: &[ReliabilityBin]) -> Value {
    json!(bins.iter().map(|bin| (bin.rows, bin.accuracy, bin.confidence)).collect::<Vec<_>>())
}

fn multi_label(rows: &MultiLabel<'_>) -> Value {
    let tally = MultiLabelOutcomes::of(rows).tally();
    let scores = MultiLabelScores::of(rows);
    let mut out = json!({
        "macro_roc_auc": scores.macro_roc_auc().value,
        "macro_average_precision": scores.macro_average_precision().value,
    });
    for metric in MultiLabelMetric::overall() {
        out[metric.to_string()] = json!(tally.value(metric));
    }
    let labels = || scores.labels().iter();
    out["precision"] = json!(labels().map(|label| label.scores.precision).collect::<Vec<_>>());
    out["recall"] = json!(labels().map(|label| label.scores.recall).collect::<Vec<_>>());
    out["f1"] = json!(labels().map(|label| label.scores.f1).collect::<Vec<_>>());
    out["support"] = json!(labels().map(|label| label.scores.support).collect::<Vec<_>>());
    out["label_log_loss"] = json!(labels().map(|label| label.log_loss).collect::<Vec<_>>());
    out["label_brier_score_loss"] = json!(labels().map(|label| label.brier_score_loss).collect::<Vec<_>>());
    out["roc_auc"] =
        json!(labels().map(|label| label.ranking.map(|ranking| ranking.roc_auc)).collect::<Vec<_>>());
    out["average_precision"] = json!(
        labels().map(|label| label.ranking.map(|ranking| ranking.average_precision)).collect::<Vec<_>>()
    );
    out
}
