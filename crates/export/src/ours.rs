//! Our own path from a picture to a head's scores: preprocessing, engine, head.

use anyhow::Result;
use engine::{Cpu, Executor as _};
use head::{Head, Scorer};
use input::{Inputs, Recipe, image};
use model::Tower;

/// It, ready to run.
pub(crate) struct Ours {
    /// Each backbone, its recipe, and the places of its outputs among the features.
    towers: Vec<(Cpu, Recipe, Vec<usize>)>,
    scorer: Scorer,
}

impl Ours {
    /// # Errors
    /// Where an engine cannot be set up.
    pub(crate) fn new(towers: Vec<Tower>, head: &Head) -> Result<Ours> {
        let towers = towers.into_iter().map(|Tower { bound, recipe, sources }| {
            let engine = Cpu::new(bound, &recipe)?;
            Ok((engine, recipe, sources))
        });
        Ok(Ours { towers: towers.collect::<Result<_>>()?, scorer: Scorer::of(head) })
    }

    /// The scores of a decoded picture.
    ///
    /// # Errors
    /// Where an engine fails.
    pub(crate) fn run(&mut self, picture: &image::Picture) -> Result<Vec<f32>> {
        let mut parts: Vec<(usize, Vec<f32>)> = Vec::new();
        for (engine, recipe, places) in &mut self.towers {
            let Recipe::Image(how) = recipe;
            let inputs = Inputs::of([image::prepare(picture, how)]);
            let outputs = engine.run(inputs.batch())?;
            parts.extend(places.iter().copied().zip(outputs));
        }
        parts.sort_by_key(|(place, _)| *place);
        let features: Vec<f32> = parts.into_iter().flat_map(|(_, part)| part).collect();
        Ok(self.scorer.of_rows(&features))
    }
}
