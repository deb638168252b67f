//! A model with preprocessing in it, held against our own path: on made-up pictures of odd sizes, and on photographs.

use crate::{config::OnnxJob, ours::Ours, parity::Distance};
use anyhow::{Context, Result, bail};
use cli::{GateError, Session};
use engine::Interpreter;
use input::{
    MOST_FILE,
    image::{self, Picture},
};
use sample::{DataSet, Inputs, targets::Task};
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
            let (_, distance) = self.compare(&picture)?;
            gate(&format!("a picture of {width}×{height} pixels"), self.task, distance, self.tolerance)?;
        }
        Ok(())
    }

    /// Photographs of a data set, evenly spaced.
    ///
    /// # Errors
    /// [`GateError`] where one differs; where there is none.
    pub(crate) fn photographs(&mut self, session: &Session, job: &OnnxJob) -> Result<Verified> {
        let set = DataSet::open_inputs(&Inputs { paths: &job.images, root: None, spool: None, bare: true })?;
        let there = set.samples.len();
        let count = job.samples.min(there);
        let mut found = Verified {
            samples: 0,
            skipped: 0,
            largest_difference: 0.0,
            largest: 1.0,
            sample: String::new(),
            same_class: (self.task == Task::Class).then_some(0),
        };
        let progress = session.progress(count as u64, "picture");
        for sample in (0..count).map(|at| &set.samples[at * there / count]) {
            progress.advance(1);
            let bytes = sample.content.read(MOST_FILE);
            let bytes = bytes.with_context(|| format!("cannot read `{}`", cli::name(&sample.id)))?;
            let Ok(picture) = image::decode(&bytes) else {
                found.skipped += 1;
                continue;
            };
            let (is_same, distance) =
                self.compare(&picture).with_context(|| format!("cannot run `{}`", cli::name(&sample.id)))?;
            gate(&format!("`{}`", cli::name(&sample.id)), self.task, distance, self.tolerance)?;
            found.samples += 1;
            found.largest = found.largest.max(distance.scale);
            if let Some(same) = &mut found.same_class {
                *same += usize::from(is_same);
            }
            if distance.difference >= found.largest_difference {
                (found.largest_difference, found.sample) = (distance.difference, sample.id.clone());
            }
        }
        if found.samples == 0 {
            bail!("none of the {count} pictures of --images can be decoded");
        }
        Ok(found)
    }

    /// Whether both paths give the same class, and how far scores are apart.
    fn compare(&mut self, picture: &Picture) -> Result<(bool, Distance)> {
        let scores = self.ours.run(picture)?;
        let outputs = self.model.run_picture(picture)?;
        let [_, got, ..] = outputs.as_slice() else { bail!("the model has no head") };
        let first = |scores: &[f32]| {
            (0..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best })
        };
        Ok((first(&scores) == first(got), Distance::between(got, &scores)))
    }
}

fn gate(what: &str, task: Task, distance: Distance, tolerance: f64) -> Result<(), GateError> {
    let (difference, limit) = (distance.difference, tolerance * distance.scale);
    // Written so that a NaN fails.
    if difference <= limit {
        return Ok(());
    }
    let outputs = if task == Task::Numbers { "numbers" } else { "logits" };
    Err(GateError(format!(
        "the model's {outputs} of {what} differ from ours by {difference:.3e}; at most {limit:.1e} passes; \
         give a larger --tolerance if that will do"
    )))
}

impl Verified {
    /// For the program's line.
    pub(crate) fn told(&self) -> String {
        let Verified { samples, skipped, largest_difference, sample, same_class, .. } = self;
        let class = match same_class {
            Some(same) if same == samples => ", the class always the same".to_owned(),
            Some(same) => format!(", the class the same of {same}"),
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
            (2, Some(6), ", the class the same of 6; 2 could not be decoded"),
            (0, None, ""),
        ] {
            assert_eq!(found(skipped, same).told(), format!("{told}{rest}"));
        }
    }
}
