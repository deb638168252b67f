//! `--head mlp:UNITS`: one training run, told epoch by epoch.

use std::ops::ControlFlow;

use artifact::HeadKind;
use cli::count;
use head::{Epoch, Examples, MlpFit, MlpSettings, Optimizer, Schedule, Temperature, fit_mlp};
use polars::df;
use polars::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series};

use crate::held_out::folds;
use crate::job::Job;
use crate::report::{Report, describe};
use crate::rows::Part;
use crate::{Fitted, HeldOutQuality};

/// One in so many train rows is set aside where rows are needed and there are no val rows.
pub(crate) const ASIDE: usize = 10;

/// Trains; the weights of the last epoch are kept, with patience those of the best. With --keep-best a signal ends the run after the epoch.
pub(crate) fn fit(settings: &MlpSettings, job: &Job<'_>) -> anyhow::Result<Fitted> {
    let settings = &MlpSettings { class_weights: job.class_weights.clone(), ..settings.clone() };
    let aside = set_aside(settings, job)?;
    let (train, val, held) = match &aside {
        Some((train, val)) => (train, Some(val), "train rows set aside"),
        None => (&job.rows.train, job.rows.val.as_ref(), "val"),
    };
    let (train, val) = (train.examples()?, val.map(Part::examples).transpose()?);
    let MlpFit { mut layers, epochs, kept } = run(settings, &train, val.as_ref(), held, job)?;

    let mut report = job.report(&format!("mlp:{}", settings.hidden));
    record(&mut report, settings);
    if let Some((train, val)) = &aside {
        report.set("train_rows", train.rows.len());
        report.set("rows_set_aside", val.rows.len());
    }
    let found = epochs.get(kept.wrapping_sub(1)).and_then(|epoch| epoch.val);
    if let Some(found) = found {
        report.set_quality(if aside.is_some() { "held_out" } else { "val" }, found);
    }
    let mut held_out = found.map(HeldOutQuality::from);
    if let (true, Some(val), Some(found)) = (job.choice.calibrate, &val, found) {
        let temperature = Temperature::of_layers(&layers, val);
        if let Some(layer) = layers.last_mut() {
            layer.scale(1.0 / temperature.value);
        }
        report.set("held_out", held);
        report.set("held_out_accuracy", found.accuracy);
        report.set_temperature(Some(temperature));
        held_out = Some(HeldOutQuality { loss: Some(temperature.after), ..found.into() });
    }
    let mut outcome = record_end(&mut report, settings, epochs.len(), kept, held);
    let quality = job.finish(&mut layers, &train, &mut report);
    outcome += &format!(", train accuracy {:.1} %", 100.0 * quality.accuracy);
    if let (Some(found), true) = (found, settings.patience.is_some()) {
        outcome += &format!(", on {held} {:.1} %", 100.0 * found.accuracy);
    }
    let chosen = settings.patience.map(|_| kept);
    Ok(Fitted {
        kind: HeadKind::Mlp,
        table: table(&epochs, chosen)?,
        layers,
        memory: None,
        report,
        outcome,
        held_out,
    })
}

/// The train rows without those that are set aside, and these; none where val rows serve, or no rows are needed.
fn set_aside<'a>(settings: &MlpSettings, job: &Job<'a>) -> anyhow::Result<Option<(Part<'a>, Part<'a>)>> {
    let needed = settings.patience.is_some() || job.choice.calibrate || job.compare;
    if !needed || (job.rows.val.is_some() && job.choice.groups.is_none()) {
        return Ok(None);
    }
    let train = &job.rows.train;
    let folds = folds(job.choice, ASIDE, train, job.features)?;
    let parts = train.divide(job.features, |row| folds.of(row) == Some(0));
    job.session.detail(format!("{} of the train rows are set aside", count(parts.1.rows.len() as u64)));
    Ok(Some(parts))
}

fn run(
    settings: &MlpSettings,
    train: &Examples<'_>,
    val: Option<&Examples<'_>>,
    held: &str,
    job: &Job<'_>,
) -> anyhow::Result<MlpFit> {
    let (session, interrupt) = (job.session, job.interrupt);
    let progress = session.progress(settings.epochs as u64, "epoch");
    let fit = fit_mlp(train, val, settings, |epoch| {
        progress.advance(1);
        session.note(line(epoch, settings.epochs, held));
        if !interrupt.asked() {
            return ControlFlow::Continue(());
        }
        session.note("fit-head: asked to stop: the weights so far are taken");
        ControlFlow::Break(())
    })?;
    Ok(fit)
}

/// Records when training ended, and which epoch's weights were kept if that was asked for; says it for the last line.
pub(crate) fn record_end(
    report: &mut Report,
    settings: &MlpSettings,
    epochs: usize,
    kept: usize,
    held: &str,
) -> String {
    if epochs < settings.epochs {
        report.set("epochs_run", epochs);
    }
    if settings.patience.is_none() {
        return format!("{epochs} epochs");
    }
    report.set("best_epoch", kept);
    report.set("held_out", held);
    format!("{epochs} epochs, the best of them {kept}")
}

/// What is not said is as the defaults have it.
pub(crate) fn record(report: &mut Report, settings: &MlpSettings) {
    let &MlpSettings { optimizer, schedule, weight_decay, label_smoothing, mixup, patience, .. } = settings;
    report.set(
        "optimizer",
        match optimizer {
            Optimizer::Adam => "adam",
            Optimizer::AdamW => "adamw",
            Optimizer::Sgd => "sgd",
        },
    );
    report.set("epochs", settings.epochs);
    report.set("batch_size", settings.batch_size);
    report.set("learning_rate", settings.learning_rate);
    report.set("dropout", settings.dropout);
    report.set("seed", settings.seed);
    match schedule {
        Schedule::Constant => (),
        Schedule::Cosine => report.set("schedule", "cosine"),
        Schedule::OneCycle => report.set("schedule", "one-cycle"),
    }
    if optimizer != Optimizer::Adam {
        report.set("weight_decay", weight_decay);
    }
    for (name, value) in [("label_smoothing", label_smoothing), ("mixup", mixup)] {
        if value > 0.0 {
            report.set(name, value);
        }
    }
    if let Some(patience) = patience {
        report.set("patience", patience);
    }
}

fn line(epoch: &Epoch, epochs: usize, held: &str) -> String {
    let train = describe("train", epoch.train);
    let val = epoch.val.map(|val| format!("; {}", describe(held, val))).unwrap_or_default();
    format!("epoch {}/{epochs}: {train}{val}", epoch.epoch)
}

/// One row an epoch; which was `chosen`, where one was.
pub(crate) fn table(epochs: &[Epoch], chosen: Option<usize>) -> PolarsResult<DataFrame> {
    fn column<T>(epochs: &[Epoch], of: impl Fn(&Epoch) -> T) -> Vec<T> {
        epochs.iter().map(of).collect()
    }
    let mut table = df!(
        "epoch" => column(epochs, |e| e.epoch as u64),
        "train_loss" => column(epochs, |e| e.train.loss),
        "train_accuracy" => column(epochs, |e| e.train.accuracy),
        "val_loss" => column(epochs, |e| e.val.map(|val| val.loss)),
        "val_accuracy" => column(epochs, |e| e.val.map(|val| val.accuracy)),
    )?;
    if let Some(chosen) = chosen {
        let column = Series::new("chosen".into(), column(epochs, |e| e.epoch == chosen));
        table.with_column(Column::from(column))?;
    }
    Ok(table)
}
