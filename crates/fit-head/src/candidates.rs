//! Several features or several kinds of heads: each is fitted by itself, and the best on held-out rows is kept.

use anyhow::bail;
use cli::{Interrupt, Session};
use features::{FeatureSet, Source};
use polars::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series};
use sample::Split;
use serde_json::json;

use crate::{
    Config,
    fit::Fit,
    head_choice::{Chosen, list},
    job::Job,
    methods::ComparedOn,
    one_error::{self, Difference},
    record::Record,
    rows::{Read, Rows},
};

/// One that was fitted: what it takes, and what came of it.
pub(crate) struct Candidate {
    pub(crate) features: FeatureSet,
    pub(crate) fit: Fit,
    pub(crate) record: Record,
    pub(crate) table: DataFrame,
    /// How it went, for the last line.
    pub(crate) outcome: String,
    /// `resnet18 (tap pooled) + mobilenet_v2 (tap pooled)`
    inputs: String,
    /// `linear`, `mlp:512`
    head: String,
    /// Held-out loss and accuracy, as far as they are known.
    held_out: (Option<f64>, Option<f64>),
    /// Of `auto`: how much more it loses than the first kind on the same features.
    difference: Option<Difference>,
}

/// Beyond so many of both rows and features `auto` fits its first kind alone: others decompose a matrix of that size, which
/// takes longer than the whole sweep (2,048: 4 s beside 3 s, and eight times that at 4,096).
const MOST_DECOMPOSED: usize = 2048;

/// Fits every kind of head that `config` names on each of the features, and on all side by side; gives the best.
///
/// `auto` keeps one kind on each of the features. Of candidates whose held-out loss is known the one of least loss is the
/// best, else the one of highest held-out accuracy; of equals the first. With --keep-best a signal leaves the rest out.
pub(crate) fn best(
    given: &FeatureSet,
    read: &Read,
    config: &Config,
    interrupt: &Interrupt,
    session: &Session,
) -> anyhow::Result<Candidate> {
    let inputs = if config.concat() { vec![given.clone()] } else { inputs(given) };
    let tries = tries(&inputs, config);
    let number = tries.iter().map(|(_, heads)| heads.len()).sum();
    // The last line says all of it.
    let is_plain = config.auto() && tries.len() == 1;
    let mut all = fit(&tries, number, read, config, interrupt, session)?;
    let (best, tried) = (choose(&mut all, config.auto()), all.len());
    if interrupt.asked() && tried < number {
        session.note(format!("fit-head: asked to stop: the best of the first {tried} of {number} is taken"));
    }
    let table = if number > 1 { Some(stack(&mut all, best)?) } else { None };
    let record: Vec<_> = all.iter().map(Candidate::recorded).collect();
    let tried_heads: Vec<String> = all.iter().map(|candidate| candidate.head.clone()).collect();
    let mut winner = all.swap_remove(best);
    if let Some(table) = table {
        winner.table = table;
        winner.record.set("candidates", json!({ "tried": record, "chosen": best }));
        let Candidate { head, inputs, outcome, .. } = &winner;
        winner.outcome = if is_plain {
            let outcome = outcome.strip_prefix(&format!("{head}, ")).unwrap_or(outcome);
            let tried = list(tried_heads.into_iter(), "and");
            format!("{tried} tried, {head} kept: {outcome}")
        } else {
            format!("{head} on {inputs}, of {tried} tried: {outcome}")
        };
    }
    Ok(winner)
}

/// Fits all `number` of `tries` that can be fitted, one or more.
fn fit(
    tries: &[(&FeatureSet, &[Chosen])],
    number: usize,
    read: &Read,
    config: &Config,
    interrupt: &Interrupt,
    session: &Session,
) -> anyhow::Result<Vec<Candidate>> {
    let is_plain = config.auto() && tries.len() == 1;
    let (mut all, mut first_error) = (Vec::<Candidate>::new(), None);
    for &(features, heads) in tries {
        let (rows, inputs) = (Rows::of(read, features, config)?, names(features));
        let job = Job::new(config, read, &rows, features, session, interrupt)?;
        let job = Job { compare: number > 1, ..job };
        for (at, chosen) in heads.iter().enumerate() {
            if interrupt.asked() && !all.is_empty() {
                return Ok(all);
            }
            let head = &chosen.name;
            match Candidate::fit(chosen, &job) {
                Ok(candidate) => {
                    let line = format!("fit-head: {head} on {inputs}: {}", candidate.outcome);
                    match number {
                        1 => (),
                        _ if is_plain => session.detail(line),
                        _ => session.note(line),
                    }
                    all.push(candidate);
                }
                Err(error) if number == 1 || (is_plain && at == 0) => return Err(error),
                // The others may do; but of `auto` there is nothing to compare them with on these features.
                Err(error) => {
                    session.note(format!("fit-head: {head} on {inputs} is left out: {error:#}"));
                    first_error.get_or_insert(error);
                    if config.auto() {
                        break;
                    }
                }
            }
        }
    }
    match first_error {
        Some(error) if all.is_empty() => Err(error),
        _ => Ok(all),
    }
}

/// Refuses heads that are judged on other rows than the others where there is no val split.
pub(crate) fn check_comparable(config: &Config, rows: &Rows<'_>) -> anyhow::Result<()> {
    let heads = config.heads();
    if rows.val.is_some() && !config.choice().asks_for_folds() {
        return Ok(());
    }
    let several = heads.len() > 1 || (config.features().len() > 1 && !config.concat());
    let on = |which: ComparedOn| heads.iter().find(move |head| head.kind.compared_on == which);
    let are_mixed = heads.iter().any(|head| head.kind.compared_on != ComparedOn::RowsSetAside);
    let val = on(ComparedOn::Val).filter(|_| several);
    match val.or(on(ComparedOn::RowsSetAside).filter(|_| are_mixed)) {
        Some(Chosen { name, .. }) => bail!(
            "{name} heads are compared with others on val rows, and there are none: leave {name} out, fit it alone, or give the data set a val split (a folder `val`) and rerun extract"
        ),
        None => Ok(()),
    }
}

/// Which kinds are fitted on which features, in this order.
fn tries<'a>(inputs: &'a [FeatureSet], config: &'a Config) -> Vec<(&'a FeatureSet, &'a [Chosen])> {
    let of = |features: &'a FeatureSet| {
        let rows = features.splits().get(&Split::Train).copied().unwrap_or(0);
        let is_large = features.dim() > MOST_DECOMPOSED && rows > MOST_DECOMPOSED as u64;
        let heads = config.heads();
        (features, if config.auto() && is_large { &heads[..1] } else { heads })
    };
    inputs.iter().map(of).collect()
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

/// The best; of `auto` that of what is kept on each of the features.
fn choose(all: &mut [Candidate], auto: bool) -> usize {
    let kept = if auto { keep(all) } else { (0..all.len()).collect() };
    let by_loss = kept.iter().all(|&at| all[at].held_out.0.is_some());
    let cost = |at: usize| {
        let (loss, accuracy) = all[at].held_out;
        let cost = if by_loss { loss } else { accuracy.map(|accuracy| -accuracy) };
        cost.filter(|cost| !cost.is_nan()).unwrap_or(f64::INFINITY)
    };
    // Of equals the first.
    kept.into_iter().min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(0)
}

/// Compares kinds on the same features with the first of them; gives which is kept on each.
fn keep(all: &mut [Candidate]) -> Vec<usize> {
    let mut kept = Vec::new();
    let mut before = 0;
    for kinds in all.chunk_by_mut(|a, b| a.features.digest() == b.features.digest()) {
        if let Some((first, others)) = kinds.split_first_mut() {
            for other in others {
                other.difference = Difference::of(other.fit.losses(), first.fit.losses());
            }
        }
        let differences: Vec<Option<Difference>> = kinds.iter().map(|kind| kind.difference).collect();
        kept.push(before + one_error::kept(&differences));
        before += kinds.len();
    }
    kept
}

impl Candidate {
    fn fit(chosen: &Chosen, job: &Job<'_>) -> anyhow::Result<Candidate> {
        let fit = chosen.method.fit(job)?;
        Ok(Candidate {
            features: job.features.clone(),
            record: fit.record(job),
            table: fit.table(job.task())?,
            outcome: fit.line(job),
            inputs: names(job.features),
            head: chosen.name.clone(),
            held_out: fit.compared(job.task()),
            difference: None,
            fit,
        })
    }

    fn recorded(&self) -> serde_json::Value {
        let mut recorded = json!({
            "head": self.head,
            "features": self.features.sources().iter().map(Source::name).collect::<Vec<_>>(),
            "held_out_loss": self.held_out.0,
            "held_out_accuracy": self.held_out.1,
        });
        if let Some(Difference { mean, standard_error }) = self.difference {
            recorded["loss_difference"] = mean.into();
            recorded["standard_error"] = standard_error.into();
        }
        recorded
    }
}

/// All candidates' tables, one below the other, what was held out called so in all, each row with its head and features;
/// what a table lacks is null. What is `chosen` of one that was not the best is so no more.
fn stack(all: &mut [Candidate], best: usize) -> PolarsResult<DataFrame> {
    let mut names: Vec<String> = vec!["head".to_owned(), "features".to_owned()];
    for candidate in &mut *all {
        for (own, name) in [("val_loss", "held_out_loss"), ("val_accuracy", "held_out_accuracy")] {
            if candidate.table.column(own).is_ok() {
                candidate.table.rename(own, name.into())?;
            }
        }
    }
    for column in all.iter().flat_map(|candidate| candidate.table.columns()) {
        if !names.iter().any(|name| name == column.name()) {
            names.push(column.name().to_string());
        }
    }
    // What was chosen stands last, as in every table.
    names.sort_by_key(|name| name == CHOSEN);
    let mut stacked: Option<DataFrame> = None;
    for (at, candidate) in all.iter().enumerate() {
        let table = &candidate.table;
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
                    let other = all.iter().find_map(|other| other.table.column(name).ok());
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
