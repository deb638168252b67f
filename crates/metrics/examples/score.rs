//! `score LABELS PROBABILITIES CLASSES`: every metric of raw little-endian files (u32 labels, f64
//! probabilities, row-major) as one JSON object on stdout. For tests/peers/metrics.py, which compares
//! them with scikit-learn's.
#![expect(clippy::print_stdout, reason = "the JSON is what this program is for")]

use std::error::Error;
use std::fmt::Write as _;

use headstart_metrics::{
    Confusion, Scored, brier_score_loss, expected_calibration_error, log_loss, top_k_accuracy, wilson,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [labels, probabilities, classes] = arguments.as_slice() else {
        return Err("usage: score LABELS PROBABILITIES CLASSES".into());
    };
    let labels: Vec<u32> =
        std::fs::read(labels)?.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    let probabilities: Vec<f64> =
        std::fs::read(probabilities)?.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let scored = Scored::new(&labels, &probabilities, classes.parse()?)?;
    println!("{}", json(&scored));
    Ok(())
}

fn json(scored: &Scored<'_>) -> String {
    let confusion = Confusion::of(scored);
    let classes = confusion.per_class();
    let mut out = String::from("{");
    for (name, value) in [
        ("accuracy", confusion.accuracy()),
        ("balanced_accuracy", confusion.balanced_accuracy()),
        ("macro_precision", confusion.macro_average(|class| class.precision)),
        ("macro_recall", confusion.macro_average(|class| class.recall)),
        ("macro_f1", confusion.macro_average(|class| class.f1)),
        ("weighted_precision", confusion.weighted_average(|class| class.precision)),
        ("weighted_recall", confusion.weighted_average(|class| class.recall)),
        ("weighted_f1", confusion.weighted_average(|class| class.f1)),
        ("log_loss", log_loss(scored)),
        ("brier_score_loss", brier_score_loss(scored)),
        ("ece", expected_calibration_error(scored)),
    ] {
        let _ = write!(out, "\"{name}\": {value:e}, ");
    }
    for k in [1, 2, 5] {
        let value = top_k_accuracy(scored, k).map_or("null".into(), |value| format!("{value:e}"));
        let _ = write!(out, "\"top_{k}_accuracy\": {value}, ");
    }
    let pairs = confusion.pairs();
    let matrix: Vec<[u64; 3]> =
        pairs.iter().map(|pair| [pair.truth as u64, pair.predicted as u64, pair.count]).collect();
    let list = |what: &dyn Fn(usize) -> f64| (0..classes.len()).map(what).collect::<Vec<f64>>();
    let interval = wilson(confusion.correct(), confusion.total()).map(|ends| [ends.low, ends.high]);
    let _ = write!(
        out,
        "\"precision\": {:?}, \"recall\": {:?}, \"f1\": {:?}, \"support\": {:?}, \"wilson\": {:?}, \"pairs\": {matrix:?}}}",
        list(&|class| classes[class].precision),
        list(&|class| classes[class].recall),
        list(&|class| classes[class].f1),
        list(&|class| classes[class].support as f64),
        interval.unwrap_or_default(),
    );
    out
}
