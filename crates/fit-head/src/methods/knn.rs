//! `--head knn:K`: the train rows themselves.

use head::{Scorer, fit_knn, quality};
use sample::targets::Task;

use super::{ComparedOn, Kind, Method};
use crate::{
    fit::{Fit, HeldOutQuality, LossKind, Model, Told, Tried, column},
    job::Job,
};

pub(super) static KNN: Kind = Kind {
    name: "knn",
    number: Some("K"),
    tasks: &[Task::Class, Task::Labels, Task::Numbers],
    why_not: "",
    flags: &[],
    // Neighbours are not looked for out of fold.
    compared_on: ComparedOn::Val,
    auto: &[],
    method: |_, neighbours| Ok(Box::new(Knn { neighbours })),
};

/// The rows themselves.
#[derive(Debug)]
struct Knn {
    /// How many of the nearest vote.
    neighbours: usize,
}

impl Method for Knn {
    /// Remembers the train rows, without augmented views: else K neighbours would often be K views of one picture. Says how
    /// they do on the val rows, where there are any.
    fn fit(&self, job: &Job<'_>) -> anyhow::Result<Fit> {
        let Knn { neighbours } = *self;
        let plain = job.rows.train.plain(job.features);
        let train = plain.examples()?;
        let memory = fit_knn(&train, neighbours)?;
        let mut words = format!("knn, {neighbours} neighbours");
        if job.rows.train.rows.has_views() {
            words += " among the samples themselves, without their views";
        }
        let mut judged = None;
        if let Some(val) = &job.rows.val {
            let scorer = Scorer::of_memory(&memory, train.outputs());
            let quality = quality(&scorer, &val.examples()?, &job.scaler()?);
            judged = Some(HeldOutQuality::of("val", quality));
        }
        Ok(Fit {
            // Cosines are those of the features as they are.
            standardize: false,
            settings: vec![
                ("train_rows", train.rows().into()),
                ("vote_temperature", memory.temperature.into()),
            ],
            columns: vec![column("neighbours", vec![neighbours as u64])],
            tried: vec![Tried { train: None, held_out: judged.as_ref().map(|judged| judged.quality) }],
            words,
            judged,
            ..Fit::new(
                &format!("knn:{neighbours}"),
                Model::Memory(memory),
                LossKind::of_outputs(job),
                Told::Found,
            )
        })
    }
}
