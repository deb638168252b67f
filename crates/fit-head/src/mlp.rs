//! `--head mlp:UNITS`: one training run, told epoch by epoch.

use artifact::HeadKind;
use head::{Epoch, MlpSettings, fit_mlp};
use polars::df;

use crate::Fitted;
use crate::job::Job;
use crate::report::describe;
use crate::rows::Part;

/// Trains; the weights of the last epoch are kept.
pub(crate) fn fit(settings: &MlpSettings, job: &Job<'_>) -> anyhow::Result<Fitted> {
    let (rows, session) = (job.rows, job.session);
    let settings = &MlpSettings { class_weights: job.class_weights.clone(), ..settings.clone() };
    let train = rows.train.examples()?;
    let val = rows.val.as_ref().map(Part::examples).transpose()?;
    let progress = session.progress(settings.epochs as u64, "epoch");
    let fit = fit_mlp(&train, val.as_ref(), settings, |epoch| {
        progress.advance(1);
        session.note(line(epoch, settings.epochs));
    })?;
    drop(progress);

    let mut report = job.report(&format!("mlp:{}", settings.hidden));
    report.set("optimizer", "adam");
    report.set("epochs", settings.epochs);
    report.set("batch_size", settings.batch_size);
    report.set("learning_rate", settings.learning_rate);
    report.set("dropout", settings.dropout);
    report.set("seed", settings.seed);
    let mut layers = fit.layers;
    let quality = job.finish(&mut layers, &mut report)?;
    if let Some(val) = fit.epochs.last().and_then(|epoch| epoch.val) {
        report.set_quality("val", val);
    }
    Ok(Fitted {
        kind: HeadKind::Mlp,
        table: table(&fit.epochs)?,
        layers,
        report,
        outcome: format!("{} epochs, train accuracy {:.1} %", settings.epochs, 100.0 * quality.accuracy),
    })
}

fn line(epoch: &Epoch, epochs: usize) -> String {
    let train = describe("train", epoch.train);
    let val = epoch.val.map(|val| format!("; {}", describe("val", val))).unwrap_or_default();
    format!("epoch {}/{epochs}: {train}{val}", epoch.epoch)
}

fn table(epochs: &[Epoch]) -> polars::prelude::PolarsResult<polars::frame::DataFrame> {
    fn column<T>(epochs: &[Epoch], of: impl Fn(&Epoch) -> T) -> Vec<T> {
        epochs.iter().map(of).collect()
    }
    df!(
        "epoch" => column(epochs, |e| e.epoch as u64),
        "train_loss" => column(epochs, |e| e.train.loss),
        "train_accuracy" => column(epochs, |e| e.train.accuracy),
        "val_loss" => column(epochs, |e| e.val.map(|val| val.loss)),
        "val_accuracy" => column(epochs, |e| e.val.map(|val| val.accuracy)),
    )
}
