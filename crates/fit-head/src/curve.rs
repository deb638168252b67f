//! `--curve`: linear heads on parts of the rows.

use std::ops::ControlFlow;

use artifact::FeatureSet;
use cli::{Interrupt, Session};
use head::{CurvePoint, LinearSettings, default_penalties, learning_curve};
use polars::df;
use polars::prelude::DataFrame;
use serde_json::json;

use crate::Config;
use crate::held_out::Held;
use crate::report::{Report, describe, round};
use crate::rows::Rows;

/// Parts of the train rows.
const FRACTIONS: [f64; 7] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];

/// Fits on each part, records how it does, and gives the table; nothing where it was asked to stop before all were fitted. Parts of fewer
/// rows than there are classes are left out.
pub(crate) fn fit(
    config: &Config,
    rows: &Rows<'_>,
    features: &FeatureSet,
    session: &Session,
    interrupt: &Interrupt,
    report: &mut Report,
) -> anyhow::Result<Option<DataFrame>> {
    let train = rows.train.examples()?;
    let class_weights = config.class_weight().resolve(features.classes())?;
    let settings = LinearSettings { class_weights, ..config.linear().cloned().unwrap_or_default() };
    let held = Held::of(config.choice(), rows, features)?;
    let samples = train.samples().len() as f64;
    let enough = |fraction: &f64| fraction * samples >= train.classes() as f64;
    let fractions: Vec<f64> = FRACTIONS.into_iter().filter(enough).collect();
    let progress = session.progress(fractions.len() as u64, "part");
    let points = learning_curve(
        &train,
        &settings,
        held.rows(),
        &default_penalties(),
        &fractions,
        config.choice().seed,
        |point| {
            progress.advance(1);
            session.detail(line(point, &held.name()));
            if interrupt.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )?;
    if points.len() < fractions.len() {
        return Ok(None);
    }
    let each = |of: fn(&CurvePoint) -> f64| points.iter().map(of).collect::<Vec<f64>>();
    let rows: Vec<u64> = points.iter().map(|point| point.rows as u64).collect();
    let columns = [
        each(|point| point.fraction),
        each(|point| point.l2),
        each(|point| point.train.loss),
        each(|point| point.train.accuracy),
        each(|point| point.held_out.loss),
        each(|point| point.held_out.accuracy),
    ];
    let [fraction, l2, train_loss, train_accuracy, held_out_loss, held_out_accuracy] = columns;
    report.set(
        "curve",
        json!({
            "rows": rows, "fraction": fraction, "l2": l2,
            "train_loss": train_loss, "train_accuracy": train_accuracy,
            "held_out_loss": held_out_loss, "held_out_accuracy": held_out_accuracy,
            "held_out_rows": points.first().map_or(0, |point| point.held_out_rows),
        }),
    );
    Ok(Some(df!(
        "rows" => rows, "fraction" => fraction, "l2" => l2,
        "train_loss" => train_loss, "train_accuracy" => train_accuracy,
        "held_out_loss" => held_out_loss, "held_out_accuracy" => held_out_accuracy,
    )?))
}

fn line(point: &CurvePoint, held: &str) -> String {
    let (train, held_out) = (describe("train", point.train), describe(held, point.held_out));
    format!("{} rows: l2 {}, {train}; {held_out}", point.rows, round(point.l2))
}
