//! What turns prepared inputs into rows of features: the processor, or cards.

#[cfg(any(feature = "cuda", test))]
mod cards;
mod processor;

pub use processor::Processor;

use crate::{Device, times};
use anyhow::Result;
use engine::Cpu;
use input::Recipe;
use std::{any::Any, ops::DerefMut};
use weights::Bound;

/// What is to be run, and in what batches.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// How content becomes inputs.
    pub recipe: &'a Recipe,
    /// What the network's outputs are called, in messages.
    pub taps: &'a [&'a str],
    /// Inputs of a batch, where that was said.
    pub batch: Option<usize>,
    /// Views of a sample, which are never parted.
    pub views: usize,
}

/// Gets a network ready, whose outputs are the taps; a card is checked as well.
///
/// # Errors
/// Where the network does not work for such inputs; where a card is not there, or does not give what the CPU gives.
pub fn open(bound: Bound, device: &Device, plan: Plan<'_>) -> Result<Box<dyn Embedder>> {
    match device {
        Device::Cpu(isa) => {
            let executor = Cpu::with_isa(bound, plan.recipe, *isa)?;
            Ok(Box::new(Processor::new(executor, plan.recipe, plan.batch)))
        }
        #[cfg(feature = "cuda")]
        Device::Cards(numbers, precision) => cards::open(&bound, numbers, *precision, plan),
        #[cfg(not(feature = "cuda"))]
        Device::Cards(..) => unreachable!("`DeviceRequest::settle` refuses cards in a build without CUDA"),
    }
}

/// A network, whose outputs are the taps, and what runs it. Batches are given to it, and collected in the same order.
pub trait Embedder {
    /// What names it in artefacts.
    fn revision(&self) -> &str;

    /// Inputs of a batch, at most.
    fn batch(&self) -> usize;

    /// d of each tap.
    fn widths(&self) -> &[usize];

    /// The probes' features, one (4, d) matrix a tap.
    ///
    /// # Errors
    /// Where the network cannot be run.
    fn probes(&mut self) -> Result<Vec<Vec<f32>>>;

    /// Has the probes embedded together with the next batch: [`Embedded::probes`]. For a few inputs that takes less time.
    fn ask_probes(&mut self);

    /// How inputs are best prepared for it.
    fn ahead(&self) -> Ahead;

    /// Memory for so many inputs of that lane, each as long as any.
    ///
    /// # Errors
    /// Where there is none, or it does not take so many together.
    fn buffer(&self, lane: usize, inputs: usize) -> Result<Box<dyn Buffer>>;

    /// Whether it takes one more batch of that lane before one is collected.
    fn is_ready(&self, lane: usize) -> bool;

    /// Gives it a batch. buffer: of [`Embedder::buffer`] of that lane; with `ends`, it is a [`Batch`](input::Batch).
    ///
    /// # Errors
    /// Where the network cannot be run.
    fn submit(&mut self, lane: usize, buffer: Box<dyn Buffer>, ends: Vec<usize>) -> Result<()>;

    /// Waits for the batch that was given first, of those that are under way; `None` where none is.
    ///
    /// # Errors
    /// Where the network cannot be run.
    fn collect(&mut self) -> Result<Option<Embedded>>;

    /// How long its cards were busy so far, where it has any.
    fn busy(&self) -> Option<times::Cards> {
        None
    }
}

/// Threads that prepare inputs, each every so-manieth batch, and the memory that they prepare them into.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    /// Threads that prepare inputs.
    pub lanes: usize,
    /// Batches of inputs that each lane has at a time, those included that the network runs.
    pub buffers: usize,
}

/// A batch's features.
pub struct Embedded {
    /// One (n, d) matrix a tap.
    pub rows: Vec<Vec<f32>>,
    /// Of the probes, where they were asked: one (4, d) matrix a tap.
    pub probes: Option<Vec<Vec<f32>>>,
    /// The memory that its inputs were in, for others.
    pub buffer: Box<dyn Buffer>,
}

/// Memory that inputs are prepared into: of a kind of the embedder's own, such as what a card copies from by itself.
pub trait Buffer: DerefMut<Target = [u8]> + Any + Send {}

impl<T: DerefMut<Target = [u8]> + Any + Send> Buffer for T {}
