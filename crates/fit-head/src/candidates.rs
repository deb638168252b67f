//! Several features or several kinds of heads: each is fitted by itself, and the best on held-out rows is kept.

use anyhow::bail;
use artifact::{FeatureSet, Source};
use cli::{Interrupt, Session};
use polars::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series};
use serde_json::json;

use crate::job::Job;
use crate::rows::Rows;
use crate::{Config, Fitted, Method, fit};

/// One that was fitted: what it takes, and what came of it.
pub(crate) struct Candidate {
    pub(crate) features: FeatureSet,
    pub(crate) fitted: Fitted,
    /// `resnet18 (tap pooled) + mobilenet_v2 (tap pooled)`
    inputs: String,
    /// `linear`, `mlp:512`
    head: String,
}

/// Fits every kind of head that `config` names on each of the features, and on all side by side; gives the best.
///
/// Of candidates whose held-out loss is known the one of least loss is the best, else the one of highest held-out accuracy;
/// of equals the first. Ctrl-C leaves the rest out.
pub(crate) fn best(
    given: &FeatureSet,
    config: &Config,
    interrupt: &Interrupt,
    session: &Session,
) -> anyhow::Result<Candidate> {
    let inputs = if config.concat() { vec![given.clone()] } else { inputs(given) };
    let number = inputs.len() * config.methods().len();
    let mut all = Vec::new();
    for features in inputs {
        let rows = Rows::of(&features, config)?;
        if number > 1 && rows.val.is_none() {
            refuse_knn(config)?;
        }
        for method in config.methods() {
            if interrupt.asked() && !all.is_empty() {
                break;
            }
            let job = Job::new(config, &rows, &features, method, number > 1, session, interrupt)?;
            let fitted = fit(method, &job)?;
            let (head, inputs) = (method.name(), names(&features));
            if number > 1 {
                session.note(format!("fit-head: {head} on {inputs}: {}", fitted.outcome));
            }
            all.push(Candidate { features: features.clone(), fitted, inputs, head });
        }
    }
    let best = choose(&all);
    let table = if all.len() > 1 { Some(stack(&all, best)?) } else { None };
    let record: Vec<_> = all.iter().map(Candidate::record).collect();
    let mut winner = all.swap_remove(best);
    if let Some(table) = table {
        winner.fitted.table = table;
        winner.fitted.report.set("candidates", json!({ "tried": record, "chosen": best }));
        winner.fitted.outcome =
            format!("{} on {}, of {number} tried: {}", winner.head, winner.inputs, winner.fitted.outcome);
    }
    Ok(winner)
}

/// Neighbours are not looked for out of fold.
fn refuse_knn(config: &Config) -> anyhow::Result<()> {
    match config.methods().iter().find(|method| matches!(method, Method::Knn { .. })) {
        Some(knn) => bail!(
            "{} heads are compared with others on val rows, of which there are none; leave them out, or rerun extract with a val split",
            knn.name()
        ),
        None => Ok(()),
    }
}

/// Each part alone, then all of them.
fn inputs(given: &FeatureSet) -> Vec<FeatureSet> {
    let parts = given.parts().len();
    let alone = (0..parts).map(|part| given.of(&[part]));
    alone.chain((parts > 1).then(|| given.clone())).collect()
}

fn names(features: &FeatureSet) -> String {
    features.sources().iter().map(name).collect::<Vec<_>>().join(" + ")
}

fn name(source: &Source) -> String {
    format!("{} (tap {})", source.backbone, source.tap)
}

fn choose(all: &[Candidate]) -> usize {
    let held_out = |at: usize| all[at].fitted.held_out;
    let loss = |at: usize| held_out(at).and_then(|held_out| held_out.loss);
    let by_loss = (0..all.len()).all(|at| loss(at).is_some());
    let cost = |at: usize| {
        let cost = if by_loss { loss(at) } else { held_out(at).map(|held_out| -held_out.accuracy) };
        cost.filter(|cost| !cost.is_nan()).unwrap_or(f64::INFINITY)
    };
    // Of equals the first.
    (0..all.len()).min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(0)
}

impl Candidate {
    fn record(&self) -> serde_json::Value {
        let held_out = self.fitted.held_out;
        json!({
            "head": self.head,
            "features": self.features.sources().iter().map(name).collect::<Vec<_>>(),
            "held_out_loss": held_out.and_then(|held_out| held_out.loss),
            "held_out_accuracy": held_out.map(|held_out| held_out.accuracy),
        })
    }
}

/// All candidates' tables, one below the other, each row with its head and features; what a table lacks is null. What is
/// `chosen` of one that was not the best is so no more.
fn stack(all: &[Candidate], best: usize) -> PolarsResult<DataFrame> {
    let mut names: Vec<String> = vec!["head".to_owned(), "features".to_owned()];
    for column in all.iter().flat_map(|candidate| candidate.fitted.table.columns()) {
        if !names.iter().any(|name| name == column.name()) {
            names.push(column.name().to_string());
        }
    }
    // What was chosen stands last, as in every table.
    names.sort_by_key(|name| name == CHOSEN);
    let mut stacked: Option<DataFrame> = None;
    for (at, candidate) in all.iter().enumerate() {
        let table = &candidate.fitted.table;
        let rows = table.height();
        let texts = |name: &str, text: &str| Series::new(name.into(), vec![text; rows]);
        let columns: PolarsResult<Vec<Column>> = names
            .iter()
            .map(|name| match (name.as_str(), table.column(name)) {
                ("head", _) => Ok(texts(name, &candidate.head).into()),
                ("features", _) => Ok(texts(name, &candidate.inputs).into()),
                (CHOSEN, _) if at != best => Ok(Series::new(CHOSEN.into(), vec![false; rows]).into()),
                (CHOSEN, Err(_)) => Ok(Series::new(CHOSEN.into(), vec![true; rows]).into()),
                (_, Ok(column)) => Ok(column.clone()),
                (_, Err(_)) => {
                    let other = all.iter().find_map(|other| other.fitted.table.column(name).ok());
                    let dtype =
                        other.map_or(polars::prelude::DataType::Float64, |column| column.dtype().clone());
                    Ok(Column::full_null(name.as_str().into(), rows, &dtype))
                }
            })
            .collect();
        let own = DataFrame::new(rows, columns?)?;
        stacked = Some(match stacked {
            Some(above) => above.vstack(&own)?,
            None => own,
        });
    }
    Ok(stacked.unwrap_or_default())
}

const CHOSEN: &str = "chosen";
