//! `--curve`: heads of one layer on parts of the rows.

use std::ops::ControlFlow;

use head::{CurvePoint, LinearSettings, Quality, default_penalties, learning_curve};
use polars::prelude::DataFrame;
use sample::targets::Task;
use serde_json::{Map, Value};

use crate::{
    fit::{column, round},
    job::Job,
    record::Record,
};

/// Parts of the train rows.
const FRACTIONS: [f64; 7] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];

/// Fits on each part, records how it does, and gives the table; nothing where it was asked to stop before all were fitted.
/// Parts of fewer rows than there are classes are left out, but for all rows.
pub(crate) fn fit(
    settings: &LinearSettings,
    job: &Job<'_>,
    record: &mut Record,
) -> anyhow::Result<Option<DataFrame>> {
    let train = job.rows.train.examples()?;
    let settings = LinearSettings { class_weights: job.class_weights.clone(), ..settings.clone() };
    let held = job.held_out()?;
    let (samples, strata) = train.strata();
    let enough = |fraction: &f64| *fraction == 1.0 || fraction * samples.len() as f64 >= strata.max(2) as f64;
    let fractions: Vec<f64> = FRACTIONS.into_iter().filter(enough).collect();
    let mut stopped = false;
    let progress = job.session.progress(fractions.len() as u64, "part");
    let points = learning_curve(
        &train,
        &settings,
        held.rows(),
        &default_penalties(),
        &fractions,
        job.choice.seed,
        |point| {
            progress.advance(1);
            job.session.detail(line(point, &held.name(), job));
            stopped = point.fraction < 1.0 && job.interrupt.asked();
            if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )?;
    if stopped {
        return Ok(None);
    }
    let each = |of: &dyn Fn(&CurvePoint) -> f64| points.iter().map(of).collect::<Vec<f64>>();
    let rows: Vec<u64> = points.iter().map(|point| point.rows as u64).collect();
    let mut columns = vec![("fraction", each(&|point| point.fraction)), ("l2", each(&|point| point.l2))];
    let mut add = |loss, accuracy, of: fn(&CurvePoint) -> Quality| {
        columns.push((loss, each(&|point| of(point).loss)));
        if job.task() != Task::Numbers {
            columns.push((accuracy, each(&|point| of(point).accuracy)));
        }
    };
    add("train_loss", "train_accuracy", |point| point.train);
    add("held_out_loss", "held_out_accuracy", |point| point.held_out);
    let mut curve = Map::from_iter([("rows".to_owned(), Value::from(rows.clone()))]);
    curve.extend(columns.iter().map(|(name, values)| ((*name).to_owned(), Value::from(values.clone()))));
    curve.insert("held_out_rows".to_owned(), points.first().map_or(0, |point| point.held_out_rows).into());
    record.set("curve", curve);
    let height = rows.len();
    let columns = columns.into_iter().map(|(name, values)| column(name, values));
    Ok(Some(DataFrame::new(height, std::iter::once(column("rows", rows)).chain(columns).collect())?))
}

fn line(point: &CurvePoint, held: &str, job: &Job<'_>) -> String {
    let (train, held_out) = (job.describe("train", point.train), job.describe(held, point.held_out));
    format!("{} rows: l2 {}, {train}; {held_out}", point.rows, round(point.l2))
}
