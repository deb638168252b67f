//! The network on this machine's processor.

use super::{Ahead, Buffer, Embedded, Embedder};
use anyhow::Result;
use engine::Executor;
use input::{Batch, Inputs, PROBES, Recipe};

/// Pictures of a batch, unless told otherwise.
const PICTURES: usize = 32;
/// Texts of a batch: most have few tokens.
const TEXTS: usize = 512;

/// A batch is run when it is collected. Meanwhile one more is prepared, and a third waits: decoding and the network give
/// their work to the same threads, a picture or a piece of a layer at a time, and neither waits for the other.
pub struct Processor {
    executor: Box<dyn Executor>,
    batch: usize,
    /// Bytes of an input, at most.
    most_bytes: usize,
    probes: Inputs,
    /// Whether they go with the next batch.
    asks_probes: bool,
    /// A batch that was given, and where its inputs end.
    given: Option<(Box<dyn Buffer>, Vec<usize>)>,
}

impl Processor {
    /// `recipe`: what `executor` was compiled for.
    pub fn new(executor: impl Executor + 'static, recipe: &Recipe, batch: Option<usize>) -> Processor {
        Processor {
            executor: Box::new(executor),
            batch: batch.unwrap_or(match recipe {
                Recipe::Image(_) => PICTURES,
                Recipe::Text(_) => TEXTS,
            }),
            most_bytes: recipe.most_bytes(),
            probes: recipe.probes(),
            asks_probes: false,
            given: None,
        }
    }
}

impl Embedder for Processor {
    fn revision(&self) -> &str {
        self.executor.revision()
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn widths(&self) -> &[usize] {
        self.executor.widths()
    }

    fn probes(&mut self) -> Result<Vec<Vec<f32>>> {
        Ok(self.executor.run(self.probes.batch())?)
    }

    fn ask_probes(&mut self) {
        self.asks_probes = true;
    }

    fn ahead(&self) -> Ahead {
        Ahead { lanes: 1, buffers: 3 }
    }

    fn buffer(&self, _: usize, inputs: usize) -> Result<Box<dyn Buffer>> {
        Ok(Box::new(vec![0; inputs * self.most_bytes]))
    }

    fn is_ready(&self, _: usize) -> bool {
        self.given.is_none()
    }

    fn submit(&mut self, _: usize, buffer: Box<dyn Buffer>, ends: Vec<usize>) -> Result<()> {
        self.given = Some((buffer, ends));
        Ok(())
    }

    fn collect(&mut self) -> Result<Option<Embedded>> {
        let Some((buffer, ends)) = self.given.take() else { return Ok(None) };
        let batch = Batch::new(&buffer, &ends);
        if !std::mem::take(&mut self.asks_probes) {
            let rows = self.executor.run(batch)?;
            return Ok(Some(Embedded { rows, probes: None, buffer }));
        }
        let mut probes = self.executor.run(self.probes.followed_by(batch).batch())?;
        let widths = self.executor.widths();
        let rows =
            probes.iter_mut().zip(widths).map(|(rows, width)| rows.split_off(PROBES * width)).collect();
        Ok(Some(Embedded { rows, probes: Some(probes), buffer }))
    }
}
