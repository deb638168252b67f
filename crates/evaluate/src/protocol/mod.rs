//! `--protocol`: heads on a few train rows of each class, drawn again and again, and what they come to.
//!
//! **Invariant:** a protocol gives figures and no head. Only train rows are fitted on, and nothing is chosen by the rows that
//! are scored.

mod choice;
mod config;
mod data;
mod summary;

pub use choice::Protocol;

use anyhow::Context;
use cli::{Session, count};
use features::{FeatureSet, Rows as _, Selection};
use head::{Examples, Scorer};
use metrics::{ClassOutcomes, ClassRows, Estimate, Figure, ScoreError, figures, over_draws};
use sample::{Split, targets::Truth};
use store::distinct;

use crate::{
    Args,
    outputs::Table,
    rows,
    scores::{probabilities, too_large},
    table::{self, Row, Scope},
};
use config::Config;
use data::{Data, Part};

/// Runs the tool with `--protocol`.
///
/// # Errors
/// An existing output, features that cannot be read, drawn from or fitted on.
pub(crate) fn run(protocol: Protocol, args: Args, session: &Session) -> anyhow::Result<()> {
    let config = Config::new(protocol, args)?;
    let table = Table::claim(&config.output, config.force)?;
    distinct(&[table.place()], config.inputs())?;
    let features = FeatureSet::open(&config.features)?;
    let data = Data::read(&features, &config)?;
    for note in &data.notes {
        session.note(format!("evaluate: {note}"));
    }
    let draws = scored(&data, &features, &config, session)?;
    let rows = in_rows(config.split, &draws);
    cli::finishing();
    table.write(&mut table::frame(&rows)?)?;
    table.commit()?;
    cli::print(&summary::render(&rows, &data, &config)?)?;
    session.note(format!(
        "evaluate: {} rows, {} classes, {protocol} → {}",
        count(data.scored.rows.len() as u64),
        count(data.names.len() as u64),
        config.output.display()
    ));
    Ok(())
}

/// The figures of each draw's head.
fn scored(
    data: &Data<'_>,
    features: &FeatureSet,
    config: &Config,
    session: &Session,
) -> anyhow::Result<Vec<Vec<Figure>>> {
    let Data { names, train, scored, order, .. } = data;
    let (protocol, classes) = (config.protocol, names.len());
    let labels: Vec<u32> = order.iter().map(|&at| train.labels[at as usize]).collect();
    let progress = session.progress(protocol.draws() as u64, "draw");
    let each = (1..).zip(protocol.drawn(&labels, classes, config.seed)).map(|(number, drawn)| {
        let mut places: Vec<u32> = drawn.iter().map(|&at| order[at as usize]).collect();
        places.sort_unstable();
        let scorer = fitted(protocol, &places, train, features, classes)
            .with_context(|| format!("draw {number} of {protocol} cannot be fitted"))?;
        let figures = figures(&outcomes(&scorer, scored, features)?);
        progress.advance(1);
        if let Some(accuracy) = metrics::named(&figures, "accuracy").and_then(|of| of.estimate.value) {
            session.detail(format!("draw {number}: accuracy {accuracy:.4}"));
        }
        anyhow::Ok(figures)
    });
    each.collect()
}

/// A head on those train rows at `places`, which ascend.
fn fitted(
    protocol: Protocol,
    places: &[u32],
    train: &Part<'_>,
    features: &FeatureSet,
    classes: usize,
) -> anyhow::Result<Scorer> {
    let mut is_drawn = vec![false; features.len()];
    places.iter().for_each(|&at| is_drawn[train.rows.row(at as usize)] = true);
    let rows = Selection::of(features, |row| is_drawn[row]);
    let truth = Truth::Class(places.iter().map(|&at| train.labels[at as usize]).collect());
    Ok(protocol.fit(&Examples::new(&rows, &truth, classes)?)?)
}

/// What becomes of the rows that are scored.
fn outcomes(scorer: &Scorer, part: &Part<'_>, features: &FeatureSet) -> anyhow::Result<ClassOutcomes> {
    let mut outcomes = ClassRows::new(scorer.outputs());
    let push =
        |first: usize, p: &[f64]| outcomes.push(&part.labels[first..][..p.len() / scorer.outputs()], p);
    probabilities(scorer, &part.rows, push).map_err(|error| match error {
        ScoreError::Probability { row, .. } => too_large(features, &part.rows, row),
        other => other.into(),
    })?;
    Ok(outcomes.finish())
}

/// The table: means, standard deviations, and each draw.
fn in_rows(split: Split, draws: &[Vec<Figure>]) -> Vec<Row> {
    let (mut means, mut deviations) = (Vec::new(), Vec::new());
    for (at, figure) in draws.first().into_iter().flatten().enumerate() {
        let each: Vec<Estimate> = draws.iter().map(|figures| figures[at].estimate).collect();
        let over = over_draws(figure.about.scale, &each);
        means.push(Figure { estimate: over.mean, ..*figure });
        deviations.push(Figure { estimate: Estimate { value: over.deviation, interval: None }, ..*figure });
    }
    let mut all = rows::of_figures(split, &Scope::Overall, None, means);
    all.extend(rows::of_figures(split, &Scope::Deviation, None, deviations));
    for (number, figures) in (1..).zip(draws) {
        all.extend(rows::of_figures(split, &Scope::Draw(number), None, figures.clone()));
    }
    all
}
