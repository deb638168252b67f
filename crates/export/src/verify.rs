//! A model with preprocessing in it, held against our own path: on made-up pictures of odd sizes, and on photographs.

use crate::{ours::Ours, parity::best, samples::Samples};
use anyhow::{Context, Result, bail};
use cli::{GateError, Session};
use engine::Interpreter;
use input::{
    MOST_FILE,
    image::{self, Picture},
};
use model::Distance;
use rayon::prelude::*;
use sample::{Sample, targets::Task};
use serde::Serialize;

/// (width, height): one pixel; wide and tall strips; one whose rows go first; one larger than any recipe.
const ODD: [(u32, u32); 5] = [(1, 1), (301, 7), (5, 203), (61, 907), (719, 533)];

/// What was found on photographs; goes into the file's metadata.
#[derive(Debug, Serialize)]
pub(crate) struct Verified {
    /// How many there were.
    pub(crate) samples: usize,
    /// How many could not be decoded.
    pub(crate) skipped: usize,
    /// The largest difference of a logit or number.
    pub(crate) largest_difference: f64,
    /// The largest logit or number, or 1 where all are smaller.
    pub(crate) largest: f64,
    /// The sample with that difference.
    pub(crate) sample: String,
    /// For how many the class is the same. Only classes have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) same_class: Option<usize>,
}

/// What both paths are compared by.
pub(crate) struct Check<'a> {
    pub(crate) model: &'a Interpreter,
    pub(crate) ours: Ours,
    pub(crate) task: Task,
    /// Relative to the largest number, or to 1.
    pub(crate) tolerance: f64,
}

impl Check<'_> {
    /// Made-up pictures.
    ///
    /// # Errors
    /// [`GateError`] where one differs.
    pub(crate) fn odd_sizes(&mut self) -> Result<()> {
        for (width, height) in ODD {
            let picture = Picture::from_fn(width, height, |x, y| {
                [x * 37 + y * 91, (x * x + 7 * y) / 3, x ^ (3 * y)].map(|value| (value % 256) as u8)
            });
            let (_, distance) = compare(self.model, &picture, &self.ours.run(&picture)?)?;
            gate(&format!("a picture of {width}×{height} pixels"), self.task, distance, self.tolerance)?;
        }
        Ok(())
    }

    /// Photographs of a data set, evenly spaced.
    ///
    /// # Errors
    /// [`GateError`] of the one that differs most; where there is none.
    pub(crate) fn photographs(&mut self, session: &Session, photographs: &Samples) -> Result<Verified> {
        let chosen = photographs.open()?;
        let count = chosen.len();
        let mut found = Verified {
            samples: 0,
            skipped: 0,
            largest_difference: 0.0,
            largest: 1.0,
            sample: String::new(),
            same_class: (self.task == Task::Class).then_some(0),
        };
        let progress = session.progress(count as u64, "picture");
        let mut worst: Option<(String, Distance)> = None;
        // The interpreter uses one thread for most of what it does.
        for some in chosen.chunks(session.threads().max(1)) {
            let pictures: Vec<Option<Picture>> = some.par_iter().map(decoded).collect::<Result<_>>()?;
            let there = some.iter().zip(&pictures);
            let there: Vec<_> = there.filter_map(|(own, picture)| Some((own, picture.as_ref()?))).collect();
            found.skipped += some.len() - there.len();
            for ((is_same, distance), (own, _)) in self.compare_all(&there)?.into_iter().zip(&there) {
                found.add(&own.id, is_same, distance);
                if worst.as_ref().is_none_or(|(_, most)| share(distance) > share(*most)) {
                    worst = Some((own.id.clone(), distance));
                }
            }
            progress.advance(some.len() as u64);
        }
        if found.samples == 0 {
            bail!("none of the {count} pictures of --images can be decoded");
        }
        if let Some((id, distance)) = worst {
            gate(&format!("`{}`", cli::name(&id)), self.task, distance, self.tolerance)?;
        }
        Ok(found)
    }

    /// Of each picture, whether both paths give the same class, and how far scores are apart.
    fn compare_all(&mut self, pictures: &[(&Sample, &Picture)]) -> Result<Vec<(bool, Distance)>> {
        let about = |own: &Sample| format!("cannot run `{}`", cli::name(&own.id));
        let ours = pictures.iter().map(|(own, picture)| self.ours.run(picture).with_context(|| about(own)));
        let ours = ours.collect::<Result<Vec<_>>>()?;
        let model = self.model;
        let each = pictures.par_iter().zip(&ours);
        each.map(|((own, picture), scores)| compare(model, picture, scores).with_context(|| about(own)))
            .collect()
    }
}

/// Nothing where it cannot be decoded.
fn decoded(sample: &Sample) -> Result<Option<Picture>> {
    let bytes = sample.content.read(MOST_FILE);
    let bytes = bytes.with_context(|| format!("cannot read `{}`", cli::name(&sample.id)))?;
    Ok(image::decode(&bytes).ok())
}

/// Whether the model gives the same class as these scores of ours, and how far its own are from them.
fn compare(model: &Interpreter, picture: &Picture, scores: &[f32]) -> Result<(bool, Distance)> {
    let outputs = model.run_picture(picture)?;
    let [_, got, ..] = outputs.as_slice() else { bail!("the model has no head") };
    Ok((best(scores) == best(got), Distance::between(got, scores)))
}

/// What is gated; beyond all limits where a number is none.
fn share(distance: Distance) -> f64 {
    let share = distance.difference / distance.scale;
    if share.is_nan() { f64::INFINITY } else { share }
}

fn gate(what: &str, task: Task, distance: Distance, tolerance: f64) -> Result<(), GateError> {
    if distance.is_within(tolerance) {
        return Ok(());
    }
    let (difference, limit) = (distance.difference, tolerance * distance.scale);
    let outputs = if task == Task::Numbers { "numbers" } else { "logits" };
    Err(GateError(format!(
        "the model's {outputs} of {what} differ from ours by {difference:.3e}; at most {limit:.1e} passes; \
         give a larger --tolerance if that will do"
    )))
}

impl Verified {
    fn add(&mut self, id: &str, is_same: bool, distance: Distance) {
        self.samples += 1;
        self.largest = self.largest.max(distance.scale);
        if let Some(same) = &mut self.same_class {
            *same += usize::from(is_same);
        }
        if distance.difference >= self.largest_difference {
            (self.largest_difference, self.sample) = (distance.difference, id.to_owned());
        }
    }

    /// For the program's line.
    pub(crate) fn told(&self) -> String {
        let Verified { samples, skipped, largest_difference, sample, same_class, .. } = self;
        let class = match same_class {
            Some(same) if same == samples => ", the class always the same".to_owned(),
            Some(same) => format!(", the class the same for {same}"),
            None => String::new(),
        };
        let left_out =
            if *skipped == 0 { String::new() } else { format!("; {skipped} could not be decoded") };
        let sample = cli::name(sample);
        format!(
            "on {samples} pictures within {largest_difference:.1e} of our own path (`{sample}`){class}{left_out}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_agrees_passes() {
        for (difference, scale, passes) in [
            (0.0, 1.0, true),
            (9e-5, 1.0, true),
            (2e-4, 1.0, false),
            (2e-4, 3.0, true),
            (f64::NAN, 1.0, false),
        ] {
            let got = gate("`a.png`", Task::Class, Distance { difference, scale }, 1e-4);
            assert_eq!(got.is_ok(), passes, "{difference}");
            if let Err(error) = got {
                assert!(error.to_string().starts_with("the model's logits of `a.png` differ from ours by "));
            }
        }
    }

    #[test]
    fn what_was_found_is_told() {
        let found = |skipped, same| Verified {
            samples: 7,
            skipped,
            largest_difference: 1e-6,
            largest: 2.0,
            sample: "a/b.png".to_owned(),
            same_class: same,
        };
        let told = "on 7 pictures within 1.0e-6 of our own path (`a/b.png`)";
        for (skipped, same, rest) in [
            (0, Some(7), ", the class always the same"),
            (2, Some(6), ", the class the same for 6; 2 could not be decoded"),
            (0, None, ""),
        ] {
            assert_eq!(found(skipped, same).told(), format!("{told}{rest}"));
        }
    }
}
