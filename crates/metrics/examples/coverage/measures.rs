//! Ranking metrics of a sample.

use headstart_metrics::{ClassRanking, ClassRows, Estimate, Interval, Scored};

pub(crate) fn rankings(outcomes: &ClassRows, probabilities: &[f64]) -> Vec<(String, Estimate)> {
    let scored = Scored::new(outcomes.labels(), probabilities, outcomes.classes()).expect("checked");
    let found = headstart_metrics::Rankings::of(&scored);
    let mut all = vec![
        ("macro_roc_auc".to_owned(), found.macro_roc_auc()),
        ("macro_average_precision".to_owned(), found.macro_average_precision()),
    ];
    let class = |name: &str, of: fn(&ClassRanking) -> (f64, Interval)| {
        (0..outcomes.classes())
            .map(|class| {
                let found = found.class(class).map(of);
                let found = Estimate { value: found.map(|of| of.0), interval: found.map(|of| of.1) };
                (format!("class {name}"), found)
            })
            .collect::<Vec<_>>()
    };
    all.extend(class("roc_auc", |of| (of.roc_auc, of.roc_auc_interval())));
    all.extend(class("average_precision", |of| (of.average_precision, of.average_precision_interval())));
    all
}
