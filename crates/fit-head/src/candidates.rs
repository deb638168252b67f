//! Several features or several kinds of heads: each is fitted by itself, and the best on held-out rows is kept.

use anyhow::bail;
use artifact::{FeatureSet, Source};
use cli::{Interrupt, Session};
use polars::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series};
use serde_json::json;

use crate::rows::Rows;
use crate::{Config, Fitted, Method};

/// One that was fitted: what it takes, and what came of it.
pub(crate) struct Candidate {
    pub(crate) features: FeatureSet,
    pub(crate) fitted: Fitted,
    /// `resnet18 (tap pooled) + mobilenet_v2 (tap pooled)`
    inputs: String,
    /// `linear`, `mlp:512`
    head: String,
}

/// Calls `fit` (features, how, whether the outcome is compared with others) for every kind of head that `config` names on each
/// of the features, and on all side by side; gives the best.
///
/// Of candidates whose held-out loss is known the one of least loss is the best, else the one of highest held-out accuracy;
/// of equals the first. With --keep-best a signal leaves the rest out.
pub(crate) fn best(
    given: &FeatureSet,
    config: &Config,
    interrupt: &Interrupt,
    session: &Session,
    fit: impl Fn(&FeatureSet, &Method, bool) -> anyhow::Result<Fitted>,
) -> anyhow::Result<Candidate> {
    let inputs = if config.concat() { vec![given.clone()] } else { inputs(given) };
    let number = inputs.len() * config.methods().len();
    let (mut all, mut first_error) = (Vec::new(), None);
    for features in inputs {
        for method in config.methods() {
            if interrupt.asked() && !all.is_empty() {
                break;
            }
            let (head, inputs) = (method.name(), names(&features));
            let fitted = match fit(&features, method, number > 1) {
                Ok(fitted) => fitted,
                Err(error) if number == 1 => return Err(error),
                // The others may do.
                Err(error) => {
                    session.note(format!("fit-head: {head} on {inputs} is left out: {error:#}"));
                    first_error.get_or_insert(error);
                    continue;
                }
            };
            if number > 1 {
                session.note(format!("fit-head: {head} on {inputs}: {}", fitted.outcome));
            }
            all.push(Candidate { features: features.clone(), fitted, inputs, head });
        }
    }
    if let (true, Some(error)) = (all.is_empty(), first_error) {
        return Err(error);
    }
    let (best, tried) = (choose(&all), all.len());
    if interrupt.asked() && tried < number {
        session.note(format!("fit-head: asked to stop: the best of the first {tried} of {number} is taken"));
    }
    let table = if number > 1 { Some(stack(&mut all, best)?) } else { None };
    let record: Vec<_> = all.iter().map(Candidate::record).collect();
    let mut winner = all.swap_remove(best);
    if let Some(table) = table {
        winner.fitted.table = table;
        winner.fitted.report.set("candidates", json!({ "tried": record, "chosen": best }));
        winner.fitted.outcome =
            format!("{} on {}, of {tried} tried: {}", winner.head, winner.inputs, winner.fitted.outcome);
    }
    Ok(winner)
}

/// Refuses heads that are judged on other rows than the others where there is no val split: neighbours are not looked for out of
/// fold, and an MLP is trained once, without a tenth of the rows.
pub(crate) fn check_comparable(config: &Config, rows: &Rows<'_>) -> anyhow::Result<()> {
    let (methods, has_val) = (config.methods(), rows.val.is_some() && !config.choice().asks_for_folds());
    let several = methods.len() > 1 || (config.features().len() > 1 && !config.concat());
    let knn = methods.iter().find(|method| method.is_knn()).filter(|_| several && rows.val.is_none());
    let mixed = methods.iter().any(|method| !method.is_mlp());
    let mlp = methods.iter().find(|method| method.is_mlp()).filter(|_| mixed && !has_val);
    match knn.or(mlp) {
        Some(method) => bail!(
            "{} heads are compared with others on val rows, which are not there or not asked for: leave {} out, rerun extract with a val split, or fit one kind on one FEATURES (or with --concat)",
            method.name(),
            method.name()
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
    features.sources().iter().map(Source::name).collect::<Vec<_>>().join(" + ")
}

fn choose(all: &[Candidate]) -> usize {
    let held_out = |at: usize| all[at].fitted.held_out;
    let loss = |at: usize| held_out(at).and_then(|held_out| held_out.loss);
    let by_loss = (0..all.len()).all(|at| loss(at).is_some());
    let cost = |at: usize| {
        let cost = if by_loss {
            loss(at)
        } else {
            held_out(at).and_then(|held_out| held_out.accuracy).map(|accuracy| -accuracy)
        };
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
            "features": self.features.sources().iter().map(Source::name).collect::<Vec<_>>(),
            "held_out_loss": held_out.and_then(|held_out| held_out.loss),
            "held_out_accuracy": held_out.and_then(|held_out| held_out.accuracy),
        })
    }
}

/// All candidates' tables, one below the other, what was held out called so in all, each row with its head and features;
/// what a table lacks is null. What is `chosen` of one that was not the best is so no more.
fn stack(all: &mut [Candidate], best: usize) -> PolarsResult<DataFrame> {
    let mut names: Vec<String> = vec!["head".to_owned(), "features".to_owned()];
    for candidate in &mut *all {
        for (own, name) in [("val_loss", "held_out_loss"), ("val_accuracy", "held_out_accuracy")] {
            if candidate.fitted.table.column(own).is_ok() {
                candidate.fitted.table.rename(own, name.into())?;
            }
        }
    }
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
                // Without a choice of its own the last row is the head's.
                (CHOSEN, Err(_)) => {
                    let last: Vec<bool> = (1..=rows).map(|row| row == rows).collect();
                    Ok(Series::new(CHOSEN.into(), last).into())
                }
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
