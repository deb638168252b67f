//! `--head knn:K`: the train rows themselves.

use artifact::HeadKind;
use head::{fit_knn, quality_knn};
use polars::df;

use crate::Fitted;
use crate::job::Job;
use crate::report::describe;

/// Remembers the train rows, without augmented views: else K neighbours would often be K views of one picture. Says how they do on the val rows, where there are any.
pub(crate) fn fit(neighbours: usize, job: &Job<'_>) -> anyhow::Result<Fitted> {
    let train = job.rows.train.plain(job.features);
    let train = train.examples()?;
    let memory = fit_knn(&train, neighbours)?;
    let mut report = job.report(&format!("knn:{neighbours}"));
    report.set("train_rows", train.rows());
    report.set("vote_temperature", memory.temperature);
    let mut outcome = format!("knn, {neighbours} neighbours");
    if job.rows.train.rows.has_views() {
        outcome += " among the samples themselves, without their views";
    }
    let val =
        job.rows.val.as_ref().map(|val| anyhow::Ok(quality_knn(&memory, &val.examples()?))).transpose()?;
    if let Some(val) = val {
        report.set_quality("val", val);
        outcome += &format!(", {}", describe("val", val));
    }
    let table = df!(
        "neighbours" => [neighbours as u64],
        "val_loss" => [val.map(|val| val.loss)],
        "val_accuracy" => [val.map(|val| val.accuracy)],
    )?;
    Ok(Fitted {
        kind: HeadKind::Knn,
        layers: Vec::new(),
        memory: Some(memory),
        report,
        outcome,
        table,
        held_out: val.map(Into::into),
    })
}
