//! Our own path from a picture to a head's scores: preprocessing, engine, head.

use crate::backbone::pictures;
use anyhow::Result;
use engine::{Cpu, Executor as _};
use head::{Head, Scorer};
use input::{Inputs, Recipe, image};
use model::{Layout, Tower};

/// It, ready to run.
pub(crate) struct Ours {
    towers: Vec<(Cpu, Recipe)>,
    layout: Layout,
    scorer: Scorer,
}

impl Ours {
    /// # Errors
    /// Where an engine cannot be set up.
    pub(crate) fn new(towers: Vec<Tower>, head: &Head) -> Result<Ours> {
        let layout = Layout::new(head, &towers)?;
        let ready = |Tower { bound, recipe, .. }| Ok((Cpu::new(bound, &recipe)?, recipe));
        let towers = towers.into_iter().map(ready).collect::<Result<_>>()?;
        Ok(Ours { towers, layout, scorer: Scorer::of(head)? })
    }

    /// The scores of a decoded picture.
    ///
    /// # Errors
    /// Where an engine fails.
    pub(crate) fn run(&mut self, picture: &image::Picture) -> Result<Vec<f32>> {
        let mut row = vec![0.0; self.layout.dim()];
        for (at, (engine, recipe)) in self.towers.iter_mut().enumerate() {
            let how = pictures(recipe)?;
            let inputs = Inputs::of([image::prepare(picture, how)]);
            let outputs = engine.run(inputs.batch())?;
            // As they are: what is compared is the model, and not how features were stored.
            self.layout.put_exact(at, &outputs, 0, &mut row);
        }
        Ok(self.scorer.of_rows(&row))
    }
}
