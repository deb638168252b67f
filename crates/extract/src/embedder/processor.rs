//! The network on this machine's processor.

use super::{Ahead, Embedded, Embedder, Pixels};
use anyhow::Result;
use engine::Executor;
use input::{PROBES, image::Preprocessing};

/// Pictures of a batch, unless told otherwise.
const BATCH: usize = 32;

/// A batch is run when it is collected. Meanwhile one more is prepared, and a third waits: decoding and the network give
/// their work to the same threads, a picture or a piece of a layer at a time, and neither waits for the other.
pub(crate) struct Processor {
    executor: Box<dyn Executor>,
    batch: usize,
    /// The probes, prepared.
    probes: Vec<u8>,
    /// A batch that was given, and its number of pictures.
    given: Option<(Box<dyn Pixels>, usize)>,
}

impl Processor {
    /// `how`: what `executor` was compiled for.
    pub(crate) fn new(
        executor: impl Executor + 'static,
        how: &Preprocessing,
        batch: Option<usize>,
    ) -> Processor {
        let (batch, probes) = (batch.unwrap_or(BATCH), input::image::probes(how));
        Processor { executor: Box::new(executor), batch, probes, given: None }
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
        Ok(self.executor.run(&self.probes, PROBES)?)
    }

    fn ahead(&self) -> Ahead {
        Ahead { lanes: 1, buffers: 3 }
    }

    fn pixels(&self, _: usize, pictures: usize) -> Result<Box<dyn Pixels>> {
        let (height, width) = self.executor.input_size();
        Ok(Box::new(vec![0; pictures * height * width * 3]))
    }

    fn is_ready(&self, _: usize) -> bool {
        self.given.is_none()
    }

    fn submit(&mut self, _: usize, pixels: Box<dyn Pixels>, n: usize) -> Result<()> {
        self.given = Some((pixels, n));
        Ok(())
    }

    fn collect(&mut self) -> Result<Option<Embedded>> {
        let Some((pixels, n)) = self.given.take() else { return Ok(None) };
        let (height, width) = self.executor.input_size();
        let rows = self.executor.run(&pixels[..n * height * width * 3], n)?;
        Ok(Some(Embedded { rows, pixels }))
    }
}
