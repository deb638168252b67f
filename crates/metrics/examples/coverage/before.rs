//! Intervals of single labels: what `evaluate` gives.

use headstart_metrics::{
    Average, Bootstrap, ClassMetric, Estimate, Metric, Outcomes, Scored, Tally, bootstrap,
    bootstrap_rankings, wilson,
};

pub(crate) const REPLICATES: usize = 200;

fn proportion(tally: &Tally, metric: Metric) -> Option<(u64, u64)> {
    let marginals = tally.marginals();
    match metric {
        Metric::Accuracy
        | Metric::Average(Average::Micro, _)
        | Metric::Average(Average::Weighted, ClassMetric::Recall) => {
            Some((marginals.correct(), tally.rows()))
        }
        Metric::TopK(k) => tally.hits_at(k).map(|hits| (hits, tally.rows())),
        Metric::Class(class, ClassMetric::Precision) => {
            Some((marginals.class(class).correct, marginals.class(class).predicted))
        }
        Metric::Class(class, ClassMetric::Recall) => {
            Some((marginals.class(class).correct, marginals.class(class).support))
        }
        _ => None,
    }
}

pub(crate) fn estimates(outcomes: &Outcomes, metrics: &[Metric], seed: u64) -> Vec<Estimate> {
    let tally = outcomes.tally();
    let mut found = bootstrap(outcomes, metrics, &Bootstrap { replicates: REPLICATES, seed });
    for (metric, found) in metrics.iter().zip(&mut found) {
        if let Some((hits, rows)) = proportion(&tally, *metric) {
            found.interval = wilson(hits, rows);
        }
    }
    found
}

pub(crate) fn rankings(outcomes: &Outcomes, probabilities: &[f64], seed: u64) -> Vec<(String, Estimate)> {
    let scored = Scored::new(outcomes.labels(), probabilities, outcomes.classes()).expect("checked");
    let found = bootstrap_rankings(&scored, &Bootstrap { replicates: REPLICATES, seed });
    let mut all = vec![
        ("macro_roc_auc".to_owned(), found.macro_roc_auc),
        ("macro_average_precision".to_owned(), found.macro_average_precision),
    ];
    all.extend(found.roc_auc.iter().map(|found| ("class roc_auc".to_owned(), *found)));
    all.extend(found.average_precision.iter().map(|found| ("class average_precision".to_owned(), *found)));
    all
}

pub(crate) fn ranked_values(outcomes: &Outcomes, probabilities: &[f64]) -> Vec<(String, Estimate)> {
    let scored = Scored::new(outcomes.labels(), probabilities, outcomes.classes()).expect("checked");
    let found = headstart_metrics::Rankings::of(&scored);
    let only = |value| Estimate { value, interval: None };
    let mut all = vec![
        (String::new(), only(found.macro_roc_auc())),
        (String::new(), only(found.macro_average_precision())),
    ];
    all.extend(
        (0..outcomes.classes()).map(|class| (String::new(), only(found.class(class).map(|of| of.roc_auc)))),
    );
    all.extend(
        (0..outcomes.classes())
            .map(|class| (String::new(), only(found.class(class).map(|of| of.average_precision)))),
    );
    all
}
