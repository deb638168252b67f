//! `--head mlp:UNITS`: one training run, told epoch by epoch.

use std::ops::ControlFlow;

use artifact::{HeadKind, Task};
use cli::count;
use head::{Epoch, MlpFit, MlpSettings, Targets, Temperature, fit_mlp_targets};

use super::job::Job;
use super::rows::Part;
use crate::mlp::{ASIDE, record, record_end, table};
use crate::{Fitted, HeldOutQuality};

/// Trains; the weights of the last epoch are kept, with patience those of the best. With --keep-best a signal ends the run after the epoch.
pub(super) fn fit(settings: &MlpSettings, job: &Job<'_>) -> anyhow::Result<Fitted> {
    let aside = set_aside(settings, job)?;
    let (train, val, held) = match &aside {
        Some((train, val)) => (train, Some(val), "train rows set aside"),
        None => (&job.rows.train, job.rows.val.as_ref(), "val"),
    };
    let (train, val) = (train.targets()?, val.map(Part::targets).transpose()?);
    let MlpFit { mut layers, epochs, kept } = run(settings, &train, val.as_ref(), held, job)?;

    let mut report = job.report(&format!("mlp:{}", settings.hidden));
    record(&mut report, settings);
    if let Some((train, val)) = &aside {
        report.set("train_rows", train.rows.len());
        report.set("rows_set_aside", val.rows.len());
    }
    let found = epochs.get(kept.wrapping_sub(1)).and_then(|epoch| epoch.val);
    if let Some(found) = found {
        job.set_quality(&mut report, if aside.is_some() { "held_out" } else { "val" }, found);
    }
    let mut held_out = found.map(HeldOutQuality::from);
    if job.task == Task::Numbers {
        held_out = held_out.map(|found| HeldOutQuality { accuracy: None, ..found });
    }
    if let (true, Some(val)) = (job.choice.calibrate, &val) {
        let temperature = Temperature::of_layers_labels(&layers, val);
        if let Some(layer) = layers.last_mut() {
            layer.scale(1.0 / temperature.value);
        }
        report.set("held_out", held);
        report.set_temperature(Some(temperature));
        held_out = held_out.map(|found| HeldOutQuality { loss: Some(temperature.after), ..found });
    }
    let mut outcome = record_end(&mut report, settings, epochs.len(), kept, held);
    let quality = job.finish(&layers, &train, &mut report);
    outcome += &format!(", {}", job.describe("train", quality));
    if let (Some(found), true) = (found, settings.patience.is_some()) {
        outcome += &format!("; {}", job.describe(held, found));
    }
    let mut table = table(&epochs, settings.patience.map(|_| kept))?;
    if job.task == Task::Numbers {
        table = table.drop_many(["train_accuracy", "val_accuracy"]);
    }
    Ok(Fitted { kind: HeadKind::Mlp, table, layers, memory: None, report, outcome, held_out })
}

/// The train rows without those that are set aside, and these; none where val rows serve, or no rows are needed.
fn set_aside<'a>(settings: &MlpSettings, job: &Job<'a>) -> anyhow::Result<Option<(Part<'a>, Part<'a>)>> {
    let needed = settings.patience.is_some() || job.choice.calibrate || job.compare;
    if !needed || (job.rows.val.is_some() && job.choice.groups.is_none()) {
        return Ok(None);
    }
    let folds = job.folds(ASIDE)?;
    let parts = job.rows.train.divide(job.features, |row| folds.of(row) == Some(0));
    job.session.detail(format!("{} of the train rows are set aside", count(parts.1.rows.len() as u64)));
    Ok(Some(parts))
}

fn run(
    settings: &MlpSettings,
    train: &Targets<'_>,
    val: Option<&Targets<'_>>,
    held: &str,
    job: &Job<'_>,
) -> anyhow::Result<MlpFit> {
    let interrupt = job.interrupt;
    let progress = job.session.progress(settings.epochs as u64, "epoch");
    let line = |epoch: &Epoch| {
        let val = epoch.val.map(|val| format!("; {}", job.describe(held, val))).unwrap_or_default();
        format!("epoch {}/{}: {}{val}", epoch.epoch, settings.epochs, job.describe("train", epoch.train))
    };
    let fit = fit_mlp_targets(train, val, settings, |epoch| {
        progress.advance(1);
        job.session.note(line(epoch));
        if !interrupt.asked() {
            return ControlFlow::Continue(());
        }
        job.session.note("fit-head: asked to stop: the weights so far are taken");
        ControlFlow::Break(())
    })?;
    Ok(fit)
}
