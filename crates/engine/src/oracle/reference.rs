//! The reference executor: one candle operation a node, one picture at a time.

use super::{
    loops,
    operations::{self, Around},
};
use crate::{
    EngineError, Executor,
    executor::{Normalisation, check_length, pictures_of, pixels_of},
    texts::{Texts, joined, texts_of, tokens_of},
};
use candle_core::{DType, Device, Result, Tensor};
use input::{Batch, Recipe, text};
use network::{Network, Node, Op, Shape};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};
use weights::Bound;

/// A network that is ready to run.
pub struct Reference {
    network: Network,
    params: Vec<Tensor>,
    /// For batch norm nodes: what they come to.
    affine: Vec<Option<Affine>>,
    /// For every node, the nodes whose output nobody reads after it has run.
    frees: Vec<Vec<usize>>,
    /// Of pictures; `None` of texts.
    normalisation: Option<Normalisation>,
    size: (usize, usize),
    widths: Vec<usize>,
}

/// What one run is of.
enum Sample {
    /// (3, h, w) numbers.
    Picture(Vec<f32>),
    Text(Vec<text::Token>),
}

/// A batch norm as x · scale + shift, per channel.
struct Affine {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Reference {
    /// Makes a network ready for inputs of this recipe. Nothing is copied.
    ///
    /// # Errors
    /// Where the recipe has no fixed size, or the network does not work at it.
    pub fn new(bound: Bound, recipe: &Recipe) -> std::result::Result<Reference, EngineError> {
        let (normalisation, size) = match texts_of(bound.network(), recipe)? {
            true => (None, (1, 1)),
            false => {
                let (how, size) = pictures_of(bound.network().name(), recipe)?;
                (Some(Normalisation::of(how)), size)
            }
        };
        let widths = bound.network().widths(size.0, size.1)?;
        let affine = bound.network().nodes().iter().map(|node| Affine::of(node, &bound)).collect();
        let (network, tensors) = bound.into_parts();
        let params = network.params().iter().zip(tensors).map(|(param, tensor)| {
            Tensor::from_vec(tensor.data, tensor.shape, &Device::Cpu).map_err(|source| EngineError::Step {
                network: network.name().to_owned(),
                node: param.name.clone(),
                source: Box::new(source),
            })
        });
        let params = params.collect::<std::result::Result<_, _>>()?;
        let frees = frees(&network);
        Ok(Reference { normalisation, network, params, affine, frees, size, widths })
    }

    /// The network that is run.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// input: (n, 3, h, w) f32, already normalised; any size that the network takes. For tests.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn run_tensor(
        &self,
        input: &[f32],
        shape: [usize; 4],
    ) -> std::result::Result<Vec<Vec<f32>>, EngineError> {
        let [n, c, h, w] = shape;
        check_length(n, [c, h, w], input.len())?;
        self.run_each(n, (h, w), |i| Sample::Picture(input[i * c * h * w..][..c * h * w].to_vec()))
    }

    /// Runs `n` pictures of (h, w), or texts; the i-th is what `sample(i)` gives.
    ///
    /// candle shares out its loops over rayon. A thread that waits for such a share would start another picture
    /// meanwhile, and hold both in memory. So every worker is a pool of one thread, and only pictures run in parallel.
    fn run_each(
        &self,
        n: usize,
        size: (usize, usize),
        sample: impl Fn(usize) -> Sample + Sync,
    ) -> std::result::Result<Vec<Vec<f32>>, EngineError> {
        let shapes = self.network.shapes(size.0, size.1)?;
        self.check_memory(&shapes, size)?;
        let next = AtomicUsize::new(0);
        let rows: Mutex<Vec<Option<Vec<Vec<f32>>>>> = Mutex::new(vec![None; n]);
        let work = || -> std::result::Result<(), EngineError> {
            let worker = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
            worker.install(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= n {
                        return Ok(());
                    }
                    let row = self.run_one(sample(i), size, &shapes).inspect_err(|_| {
                        next.store(n, Ordering::Relaxed);
                    })?;
                    rows.lock().unwrap_or_else(PoisonError::into_inner)[i] = Some(row);
                }
            })
        };
        std::thread::scope(|scope| {
            let workers = rayon::current_num_threads().min(n);
            // With fewer threads where the system has no more.
            let spawn = |_| std::thread::Builder::new().spawn_scoped(scope, work).ok();
            let others: Vec<_> = (1..workers).filter_map(spawn).collect();
            let mut outcome = work();
            for other in others {
                let theirs = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                outcome = outcome.and(theirs);
            }
            outcome
        })?;
        let mut outputs: Vec<Vec<f32>> = self.widths.iter().map(|d| Vec::with_capacity(n * d)).collect();
        for row in rows.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten() {
            for (output, values) in outputs.iter_mut().zip(row) {
                output.extend(values);
            }
        }
        Ok(outputs)
    }

    /// One picture, or text: its feature vector for every output.
    fn run_one(
        &self,
        sample: Sample,
        (h, w): (usize, usize),
        shapes: &[Shape],
    ) -> std::result::Result<Vec<Vec<f32>>, EngineError> {
        let fail = |node: &Node, source| EngineError::Step {
            network: self.network.name().to_owned(),
            node: node.name.clone(),
            source: Box::new(source),
        };
        let (mut picture, text) = match sample {
            Sample::Picture(picture) => (picture, Vec::new()),
            Sample::Text(tokens) => (Vec::new(), tokens),
        };
        let mut values: Vec<Option<Tensor>> = vec![None; self.network.nodes().len()];
        for (at, node) in self.network.nodes().iter().enumerate() {
            let inputs: Vec<Tensor> =
                node.inputs.iter().filter_map(|input| values[input.index()].clone()).collect();
            let value = match (&node.op, inputs.as_slice()) {
                (Op::Input { channels }, []) => {
                    Tensor::from_vec(std::mem::take(&mut picture), (1, *channels, h, w), &Device::Cpu)
                }
                (Op::Text, []) => Tensor::zeros(0, DType::F32, &Device::Cpu),
                (Op::Lookup { table, by }, _) => {
                    let ends = [text.len()];
                    let count = self.network.param(*table).shape[0];
                    let rows = Texts::new(&text, &ends).rows(*by, count);
                    let rows: Vec<u32> = rows.into_iter().map(|row| row as u32).collect();
                    Tensor::new(rows, &Device::Cpu)
                        .and_then(|rows| self.params[table.index()].index_select(&rows, 0)?.unsqueeze(0))
                }
                (_, inputs) => self.step(at, node, inputs, shapes),
            };
            values[at] = Some(value.map_err(|source| fail(node, source))?);
            drop(inputs);
            for freed in &self.frees[at] {
                values[*freed] = None;
            }
        }
        let row = self.network.outputs().iter().map(|output| {
            let value = values[output.index()].as_ref().map(|value| value.flatten_all()?.to_vec1::<f32>());
            value.unwrap_or_else(|| Ok(Vec::new())).map_err(|source| fail(self.network.node(*output), source))
        });
        row.collect()
    }

    fn step(&self, at: usize, node: &Node, inputs: &[Tensor], shapes: &[Shape]) -> Result<Tensor> {
        let affine = self.affine[at].as_ref();
        let around = Around {
            params: &self.params,
            affine: affine.map(|Affine { scale, shift }| loops::Affine { scale, shift }),
            seen: node.inputs.first().map(|input| shapes[input.index()]),
            made: shapes[at],
        };
        operations::apply(&node.op, inputs, &around)
    }

    /// Asks for the memory of one picture's largest moment, to fail here with a message instead of later without.
    fn check_memory(
        &self,
        shapes: &[Shape],
        (height, width): (usize, usize),
    ) -> std::result::Result<(), EngineError> {
        let mut alive = 0_usize;
        let mut most = 0;
        for (at, shape) in shapes.iter().enumerate() {
            alive = alive.saturating_add(shape.len());
            // candle's convolutions hold a copy of the input besides.
            let copies: usize =
                self.network.nodes()[at].inputs.iter().map(|input| shapes[input.index()].len()).sum();
            most = most.max(alive.saturating_add(copies));
            alive -= self.frees[at].iter().map(|freed| shapes[*freed].len()).sum::<usize>();
        }
        Vec::<f32>::new().try_reserve_exact(most).map_err(|_| EngineError::OutOfMemory {
            network: self.network.name().to_owned(),
            height,
            width,
            mebibytes: most.saturating_mul(4) >> 20,
        })
    }
}

impl Executor for Reference {
    fn revision(&self) -> &str {
        "reference"
    }

    fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// Every picture is run on its own, as many at a time as the current rayon pool has threads.
    fn run(&mut self, batch: Batch<'_>) -> std::result::Result<Vec<Vec<f32>>, EngineError> {
        let Some(normalisation) = &self.normalisation else {
            let (tokens, ends) = tokens_of(&self.network, batch)?;
            let texts = Texts::new(&tokens, &ends);
            let rows =
                self.run_each(texts.len(), self.size, |i| Sample::Text(tokens[texts.span(i)].to_vec()))?;
            return Ok(joined(batch, rows, &self.widths));
        };
        let ((h, w), pixels) = (self.size, pixels_of(batch, self.size)?);
        self.run_each(batch.len(), (h, w), |i| {
            Sample::Picture(normalisation.planes(&pixels[i * h * w * 3..][..h * w * 3]))
        })
    }
}

impl Affine {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is wanted")]
    fn of(node: &Node, bound: &Bound) -> Option<Affine> {
        let Op::BatchNorm { weight, bias, mean, variance, eps } = &node.op else {
            return None;
        };
        let [weight, bias, mean, variance] = [weight, bias, mean, variance].map(|id| &bound.tensor(*id).data);
        let scale: Vec<f64> = weight
            .iter()
            .zip(variance)
            .map(|(weight, variance)| f64::from(*weight) / (f64::from(*variance) + f64::from(*eps)).sqrt())
            .collect();
        let shift = bias.iter().zip(mean).zip(&scale);
        let shift =
            shift.map(|((bias, mean), scale)| (f64::from(*bias) - f64::from(*mean) * scale) as f32).collect();
        Some(Affine { scale: scale.iter().map(|scale| *scale as f32).collect(), shift })
    }
}

/// For every node, whose outputs are not needed once it has run.
fn frees(network: &Network) -> Vec<Vec<usize>> {
    let mut last: Vec<usize> = (0..network.nodes().len()).collect();
    for (at, node) in network.nodes().iter().enumerate() {
        for input in &node.inputs {
            last[input.index()] = at;
        }
    }
    let mut frees = vec![Vec::new(); network.nodes().len()];
    for (node, last) in last.into_iter().enumerate() {
        if !network.outputs().iter().any(|output| output.index() == node) {
            frees[last].push(node);
        }
    }
    frees
}
