//! The rows of the table: every metric of a split, of its outputs, its slices, and against the baseline.

use metrics::{Confusion, Figure};
use sample::Split;

use crate::{
    Config,
    measured::TaskOutcomes,
    scores::SplitScores,
    slices,
    table::{Row, Scope},
    truth::TruthSource,
};

/// Overall, each output, each kind of confusion, each slice. `names` are the outputs'.
pub(crate) fn of(
    scores: &SplitScores<'_>,
    config: &Config,
    source: &TruthSource<'_>,
) -> anyhow::Result<Vec<Row>> {
    let (split, names) = (scores.split, source.names());
    let mut rows = of_figures(split, &Scope::Overall, None, scores.measured.figures());
    let novelty = scores.novelties.iter().flat_map(metrics::figures).collect();
    rows.extend(of_figures(split, &Scope::Overall, None, novelty));
    let open_set = scores.open_set.iter().flat_map(metrics::figures).collect();
    rows.extend(of_figures(split, &Scope::Overall, None, open_set));
    for (name, figures) in names.iter().zip(scores.measured.alone()) {
        rows.extend(of_figures(split, &Scope::Class, Some(name), figures));
    }
    if let TaskOutcomes::Classes(outcomes) = &scores.measured {
        let support = |class| outcomes.tally().marginals().class(class).support;
        rows.extend(Confusion::of(outcomes.each()).pairs().iter().map(|pair| Row {
            split,
            scope: Scope::Confusion,
            metric: format!("confusion:{}", names[pair.predicted]),
            about: None,
            class: Some(names[pair.truth].clone()),
            value: Some(pair.count as f64),
            interval: None,
            n: support(pair.truth),
        }));
    }
    for (scope, members) in slices::members(&scores.rows, config, source)? {
        rows.extend(of_figures(split, &scope, None, scores.measured.figures_of(&members)));
    }
    Ok(rows)
}

/// A row of the table for each of some figures.
pub(crate) fn of_figures(
    split: Split,
    scope: &Scope,
    class: Option<&String>,
    figures: Vec<Figure>,
) -> Vec<Row> {
    let row = |figure: Figure| Row {
        split,
        scope: scope.clone(),
        metric: figure.about.name.to_owned(),
        about: Some(figure.about),
        class: class.cloned(),
        value: figure.estimate.value,
        interval: figure.estimate.interval,
        n: figure.rows,
    };
    figures.into_iter().map(row).collect()
}
