//! Reads one JSON object a line from stdin, `{"classes": …}`, `{"multi_label": …}`, `{"regression": …}`,
//! `{"open_set": …}` or `{"mcnemar": …}`, and prints every metric of it as one JSON object a line. For tests/peers/metrics.py,
//! which compares them with scikit-learn's.
#![expect(clippy::print_stdout, reason = "the JSON is what this program is for")]

use std::error::Error;
use std::io::BufRead;

use headstart_metrics::{
    Answer, Binning, ClassRanking, ClassRows, Confusion, Figure, LabelOutcomes, McNemar, NumberOutcomes,
    OneVsRest, OpenSet, Outcomes, Rankings, ReliabilityBin, figures, proportion,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Rows that are pushed at a time: few, so that most cases take many pushes.
const BLOCK: usize = 7;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Case {
    Classes {
        labels: Vec<u32>,
        probabilities: Vec<f64>,
        classes: usize,
    },
    MultiLabel {
        truth: Vec<bool>,
        probabilities: Vec<f64>,
        labels: usize,
    },
    Regression {
        truth: Vec<f64>,
        predicted: Vec<f64>,
    },
    /// Of each row whether its class is right, whether it is declined, and its doubt.
    OpenSet {
        known: Vec<(bool, bool, f64)>,
        unknown: Vec<(bool, bool, f64)>,
    },
    Mcnemar {
        only_first: u64,
        only_second: u64,
    },
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
            let outcomes = LabelOutcomes::new(truth, probabilities, labels)?.ranked();
            let mut out = values(&figures(&outcomes));
            alone(&outcomes, &mut out);
            Ok(out)
        }
        Case::Regression { truth, predicted } => {
            Ok(values(&figures(&NumberOutcomes::new(&truth, &predicted, 1)?)))
        }
        Case::OpenSet { known, unknown } => {
            let answer = |&(is_class_right, is_declined, doubt): &(bool, bool, f64)| Answer {
                is_class_right,
                is_declined,
                doubt,
            };
            let [known, unknown] = [known, unknown].map(|rows| rows.iter().map(answer).collect::<Vec<_>>());
            Ok(values(&figures(&OpenSet::judged(&known, &unknown))))
        }
        Case::Mcnemar { only_first, only_second } => {
            let test = McNemar::of(only_first, only_second);
            Ok(json!({ "statistic": test.statistic, "p_value": test.p_value }))
        }
    }
}

/// Every value by its name.
fn values(figures: &[Figure]) -> Value {
    let each = figures.iter().map(|of| (of.about.name.to_owned(), json!(of.estimate.value)));
    each.collect()
}

/// Of every metric of each output alone a list of values.
fn alone<O: Outcomes>(outcomes: &O, out: &mut Value) {
    for one in outcomes.alone() {
        for figure in figures(&one) {
            // What is measured of all rows as well has the name already.
            let clash =
                if matches!(figure.about.name, "log_loss" | "brier_score_loss") { "label_" } else { "" };
            let list = &mut out[format!("{clash}{}", figure.about.name)];
            if !list.is_array() {
                *list = json!([]);
            }
            if let Some(list) = list.as_array_mut() {
                list.push(json!(figure.estimate.value));
            }
        }
    }
}

fn classes_of(labels: &[u32], probabilities: &[f64], classes: usize) -> Result<Value, Box<dyn Error>> {
    let mut rows = ClassRows::new(classes);
    let blocks = || probabilities.chunks(BLOCK * classes);
    for (labels, block) in labels.chunks(BLOCK).zip(blocks()) {
        rows.push(labels, block)?;
    }
    let mut pass = OneVsRest::new(&rows);
    for block in blocks() {
        pass.push(block)?;
    }
    let rankings = pass.finish()?;
    let confusion = Confusion::of(&rows);
    let outcomes = rows.finish().ranked(rankings);
    let tally = outcomes.tally();
    let mut out = values(&figures(&outcomes));
    alone(&outcomes, &mut out);
    out["proportion"] =
        json!(proportion(confusion.correct(), confusion.total()).map(|ends| [ends.low, ends.high]));
    let pairs = confusion.pairs();
    out["pairs"] = pairs.iter().map(|pair| json!([pair.truth, pair.predicted, pair.count])).collect();
    out["mistakes"] = confusion.mistakes().iter().map(|pair| json!(pair.count)).collect();
    out["reliability"] = reliability(&tally.bins(Binning::EqualWidth).reliability());
    out["reliability_equal_mass"] = reliability(&tally.bins(Binning::EqualMass).reliability());
    let points = outcomes.rejection_curve(usize::MAX);
    out["rejection"] =
        points.iter().map(|point| json!([point.threshold, point.coverage, point.risk])).collect();
    for k in [1, 2, 5] {
        let part = tally.hits_at(k).map(|hits| hits as f64 / tally.rows() as f64);
        out[format!("top_{k}_accuracy")] = json!(part);
    }
    if let Some(rankings) = outcomes.rankings() {
        curves(rankings, classes, &mut out);
    }
    Ok(out)
}

fn curves(rankings: &Rankings, classes: usize, out: &mut Value) {
    let variance = |class: &Option<ClassRanking>| json!(class.as_ref().and_then(|of| of.roc_auc_variance));
    out["roc_auc_variance"] = rankings.per_class().iter().map(variance).collect();
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
