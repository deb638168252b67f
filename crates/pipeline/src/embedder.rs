//! What turns prepared inputs into rows of features: the processor, or cards.

#[cfg(any(feature = "cuda", test))]
mod cards;
mod check;
mod processor;

pub use processor::Processor;

use crate::{Device, times};
use anyhow::Result;
use engine::{Cpu, Executor as _, Isa, Precision};
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

/// Gets a network ready, whose outputs are the taps. What is not the CPU in f32 is held against that by the probes.
///
/// # Errors
/// Where the network does not work for such inputs; where a card is not there; where features are too far from the CPU's in f32, and a precision was
/// asked for.
pub fn open(bound: Bound, device: &Device, plan: Plan<'_>) -> Result<Box<dyn Embedder>> {
    match device {
        Device::Cpu(isa, precision) => {
            let executor = processor(bound, *isa, *precision, plan)?;
            Ok(Box::new(Processor::new(executor, plan.recipe, plan.batch)))
        }
        #[cfg(feature = "cuda")]
        Device::Cards(numbers, precision) => cards::open(&bound, numbers, *precision, plan),
        #[cfg(not(feature = "cuda"))]
        Device::Cards(..) => unreachable!("`DeviceRequest::settle` refuses cards in a build without CUDA"),
    }
}

/// Without a precision: in bf16, or in f32 where that is too far from it.
fn processor(bound: Bound, isa: Isa, precision: Option<Precision>, plan: Plan<'_>) -> Result<Cpu> {
    let wanted = precision.unwrap_or(Precision::Bf16);
    if wanted == Precision::F32 {
        return Ok(Cpu::with_isa(bound, plan.recipe, isa)?);
    }
    let probes = plan.recipe.probes();
    let mut exact = Cpu::with_isa(bound.clone(), plan.recipe, isa)?;
    let expected = exact.run(probes.batch())?;
    // Memory for both is taken only where either may be used.
    let exact = precision.is_none().then_some(exact);
    let mut executor = Cpu::with(bound, plan.recipe, isa, wanted)?;
    let got = executor.run(probes.batch())?;
    let engine = (&*format!("the CPU in {wanted}"), "--precision f32");
    match (check::check_probes(engine, plan.taps, &expected, &got, wanted), exact) {
        (Ok(()), _) => Ok(executor),
        (Err(_), Some(exact)) => Ok(exact),
        (Err(unlike), None) => Err(unlike.into()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use input::image::{Preprocessing, Resize};
    use network::{Builder, Conv};
    use weights::Tensor;

    /// The mean difference of two channels, the second of which is the first by `factor`.
    fn difference(factor: f32) -> Bound {
        let mut net = Builder::image();
        let input = net.input();
        let two = net.conv("two", input, Conv::new(2, 1));
        let apart = net.conv("apart", two, Conv::new(1, 1));
        let mean = net.global_average_pool("mean", apart);
        let numbers = |param: &network::Param| {
            let data = match (param.name.as_str(), param.len()) {
                ("two.weight", 6) => vec![1.0, 1.0, 1.0, factor, factor, factor],
                ("apart.weight", 2) => vec![1.0, -1.0],
                (_, length) => vec![0.0; length],
            };
            Some(Tensor { shape: param.shape.clone(), data })
        };
        Bound::from_tensors(net.finish("difference", mean), "made", numbers).unwrap()
    }

    #[test]
    fn what_bf16_does_not_hold_is_refused_or_left_to_f32() {
        let how = Preprocessing { resize: Resize::Exact(8, 8), crop: None, ..Preprocessing::imagenet() };
        let recipe = Recipe::from(how);
        let plan = Plan { recipe: &recipe, taps: &["mean"], batch: None, views: 1 };
        let opened = |factor, precision| {
            open(difference(factor), &Device::Cpu(Isa::best(), precision), plan)
                .map(|embedder| embedder.revision().to_owned())
        };
        let (f32, bf16) = (Some(Precision::F32), Some(Precision::Bf16));
        assert_eq!(opened(3.0, bf16).unwrap(), format!("{}-bf16", engine::COARSE_REVISION));
        assert_eq!(opened(1.000_1, f32).unwrap(), engine::REVISION);
        // Without a precision f32 is what is left.
        assert_eq!(opened(3.0, None).unwrap(), format!("{}-bf16", engine::COARSE_REVISION));
        assert_eq!(opened(1.000_1, None).unwrap(), engine::REVISION);
        let message = opened(1.000_1, bf16).unwrap_err().to_string();
        let (start, end) = (
            "the CPU in bf16 does not give the CPU's f32 features for the probes: at `mean` the relative L2 difference is ",
            ", with bf16 at most 5e-2 passes; use --precision f32",
        );
        assert!(message.starts_with(start) && message.ends_with(end), "{message}");
    }
}
