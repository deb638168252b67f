//! A network with its weights, some of which learn.

use crate::{
    TrainError,
    layout::{self, Extent},
    memory,
    ops::{self, Slopes, Step},
};
use network::{Network, Node, NodeId, Op, Param, Shape};
use weights::{Bound, Tensor};

/// A network with its weights, some of which learn.
///
/// Of inputs of one size. A network of texts takes texts of any length.
#[derive(Debug)]
pub struct Learner {
    network: Network,
    params: Vec<Tensor>,
    shapes: Vec<Shape>,
    /// Which parameters learn.
    learn: Vec<bool>,
    /// Whether slopes go back to what is given, too.
    to_inputs: bool,
    /// For each node: whether slopes go through it, and which nodes nobody needs any more once it has run.
    needs: Vec<bool>,
    frees: Vec<Vec<usize>>,
}

/// A batch.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// How many samples.
    pub samples: usize,
    /// Of texts: where the tokens of each end; empty of pictures.
    pub ends: &'a [usize],
    /// Of each input of the network, in their order. Maps are (n, c, h, w), vectors (n, d), tokens (n, t, d); of texts all tokens
    /// stand one after the other.
    pub given: &'a [&'a [f32]],
}

/// What a network gave for a batch, and what it takes to go back.
#[derive(Debug)]
pub struct Run {
    samples: usize,
    ends: Vec<usize>,
    /// Of each node, (rows, width); `None` where nobody needs it any more.
    values: Vec<Option<Vec<f32>>>,
    /// Of each output, as [`Inputs::given`] lies.
    outputs: Vec<Vec<f32>>,
}

/// What a loss changes by.
#[derive(Debug)]
pub struct Gradients {
    /// Of each parameter that learns, in its own shape.
    pub params: Vec<Option<Vec<f32>>>,
    /// Of each input, where that was asked for; as [`Inputs::given`] lies.
    pub inputs: Vec<Option<Vec<f32>>>,
}

impl Learner {
    /// A network whose parameters are frozen, for pictures of so many rows and columns. Where another network gives the inputs, these
    /// do not matter.
    ///
    /// # Errors
    /// Where the network does not take that size, or looks tokens up.
    pub fn new(bound: Bound, height: usize, width: usize) -> Result<Learner, TrainError> {
        let (network, params) = bound.into_parts();
        if let Some(node) =
            network.nodes().iter().find(|node| matches!(node.op, Op::Text | Op::Lookup { .. }))
        {
            return Err(TrainError::Lookup { network: network.name().to_owned(), node: node.name.clone() });
        }
        let shapes = network.shapes(height, width)?;
        let learn = vec![false; params.len()];
        let mut learner = Learner {
            network,
            params,
            shapes,
            learn,
            to_inputs: false,
            needs: Vec::new(),
            frees: Vec::new(),
        };
        learner.plan();
        Ok(learner)
    }

    /// The same, with those parameters learning that `learns` picks. A batch norm's statistics never do.
    #[must_use]
    pub fn learning(mut self, learns: impl Fn(&Param) -> bool) -> Learner {
        self.learn = self.network.params().iter().map(learns).collect();
        for node in self.network.nodes() {
            if let Op::BatchNorm { mean, variance, .. } = node.op {
                [mean, variance].into_iter().for_each(|id| self.learn[id.index()] = false);
            }
        }
        self.plan();
        self
    }

    /// The same, with slopes of what is given as well.
    #[must_use]
    pub fn with_inputs(mut self) -> Learner {
        self.to_inputs = true;
        self.plan();
        self
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Whether each parameter learns.
    pub fn learns(&self) -> &[bool] {
        &self.learn
    }

    /// The weights of every parameter, in the network's order, to be changed between runs.
    pub fn params_mut(&mut self) -> &mut [Tensor] {
        &mut self.params
    }

    /// What the network gives for a batch, of each output a matrix.
    ///
    /// # Errors
    /// Where what is given is not as many, or as long, as the network reads.
    pub fn run(&self, inputs: &Inputs<'_>) -> Result<Run, TrainError> {
        let extent = Extent { samples: inputs.samples, ends: inputs.ends };
        let nodes = self.network.nodes();
        let reads = nodes.iter().filter(|node| is_given(node)).count();
        self.check_count("inputs", reads, inputs.given.len())?;
        if inputs.samples == 0 {
            return Err(TrainError::Empty { network: self.network.name().to_owned() });
        }
        let starts = std::iter::once(&0).chain(inputs.ends);
        let ascend = starts.zip(inputs.ends).all(|(start, end)| start < end);
        let reads_texts = self.shapes.iter().any(|shape| matches!(shape, Shape::Sequence { .. }));
        if reads_texts && (inputs.ends.len() != inputs.samples || !ascend) {
            let network = self.network.name().to_owned();
            return Err(TrainError::Ends { network, samples: inputs.samples });
        }
        let mut given = inputs.given.iter();
        let mut values: Vec<Option<Vec<f32>>> = vec![None; nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            let made = match (is_given(node), self.step(at, extent, &values)) {
                (false, Some(step)) => ops::values(&step),
                _ => None,
            };
            let made = match (made, given.as_slice()) {
                (Some(made), _) => made,
                (None, [first, ..]) => {
                    given.next();
                    self.check_length(at, extent, first)?;
                    layout::by_place(self.shapes[at], first)
                }
                (None, []) => return Err(self.wrong_count("inputs", reads, inputs.given.len())),
            };
            values[at] = Some(made);
            for freed in &self.frees[at] {
                values[*freed].take().into_iter().for_each(memory::give_back);
            }
        }
        let outputs = self.network.outputs().iter().map(|output| {
            let values = values[output.index()].as_deref().unwrap_or_default();
            layout::by_channel(self.shapes[output.index()], values)
        });
        let outputs = outputs.collect();
        Ok(Run { samples: inputs.samples, ends: inputs.ends.to_vec(), values, outputs })
    }

    /// Goes back from the slopes of the outputs, which lie as [`Run::outputs`] do.
    ///
    /// # Errors
    /// Where they are not as many, or as long.
    pub fn gradients(&self, run: Run, outputs: &[&[f32]]) -> Result<Gradients, TrainError> {
        let Run { samples, ends, mut values, .. } = run;
        let extent = Extent { samples, ends: &ends };
        let nodes = self.network.nodes();
        self.check_count("outputs", self.network.outputs().len(), outputs.len())?;
        let mut slopes: Vec<Option<Vec<f32>>> = vec![None; nodes.len()];
        for (output, slope) in self.network.outputs().iter().zip(outputs) {
            self.check_length(output.index(), extent, slope)?;
            let slope = layout::by_place(self.shapes[output.index()], slope);
            add(&mut slopes[output.index()], slope);
        }
        let mut all = Gradients { params: vec![None; self.params.len()], inputs: Vec::new() };
        for (at, node) in nodes.iter().enumerate().rev() {
            let Some(slope) = slopes[at].take().filter(|_| self.needs[at]) else {
                // Nobody asked, or nothing depends on it.
                all.inputs.extend((self.to_inputs && is_given(node)).then_some(None));
                continue;
            };
            if is_given(node) {
                all.inputs.push(Some(layout::by_channel(self.shapes[at], &slope)));
                continue;
            }
            let wanted: Vec<bool> = node.inputs.iter().map(|input| self.needs[input.index()]).collect();
            let Some(step) = self.step(at, extent, &values) else { continue };
            let mut found = Slopes {
                learn: &self.learn,
                wanted: &wanted,
                inputs: vec![None; wanted.len()],
                params: Vec::new(),
            };
            ops::back(&step, &mut found, &slope);
            let Slopes { inputs, params, .. } = found;
            for (id, slope) in params {
                add(&mut all.params[id.index()], slope);
            }
            for (input, slope) in node.inputs.iter().zip(inputs) {
                if let Some(slope) = slope {
                    add(&mut slopes[input.index()], slope);
                }
            }
            memory::give_back(slope);
            values[at].take().into_iter().for_each(memory::give_back);
        }
        values.into_iter().flatten().for_each(memory::give_back);
        all.inputs.reverse();
        Ok(all)
    }

    /// The network with the weights that it has now, which are copied.
    ///
    /// # Errors
    /// Where a number is not finite.
    pub fn bound(&self) -> Result<Bound, weights::WeightError> {
        let mut tensors = self.params.iter().cloned();
        Bound::from_tensors(self.network.clone(), "what was learnt", |_| tensors.next())
    }

    /// `None` where a value is there no more.
    fn step<'a>(&'a self, at: usize, extent: Extent<'a>, values: &'a [Option<Vec<f32>>]) -> Option<Step<'a>> {
        let node = &self.network.nodes()[at];
        let inputs = node.inputs.iter().map(|input| values[input.index()].as_deref());
        let shape = |input: &NodeId| self.shapes[input.index()];
        Some(Step {
            network: &self.network,
            node,
            params: &self.params,
            extent,
            inputs: inputs.collect::<Option<_>>()?,
            seen: node.inputs.iter().map(shape).collect(),
            made: self.shapes[at],
        })
    }

    /// Which nodes slopes go through, and when values go.
    fn plan(&mut self) {
        let nodes = self.network.nodes();
        let mut needs: Vec<bool> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let learns = node.op.params().iter().any(|id| self.learn[id.index()]);
            let below = node.inputs.iter().any(|input| needs[input.index()]);
            needs.push(learns || below || (self.to_inputs && is_given(node)));
        }
        let mut last: Vec<usize> = (0..nodes.len()).collect();
        let mut kept = vec![false; nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            for input in &node.inputs {
                last[input.index()] = at;
                kept[input.index()] |= needs[at];
            }
        }
        self.network.outputs().iter().for_each(|output| kept[output.index()] = true);
        let mut frees = vec![Vec::new(); nodes.len()];
        for (node, last) in last.into_iter().enumerate().filter(|(node, _)| !kept[*node]) {
            frees[last].push(node);
        }
        (self.needs, self.frees) = (needs, frees);
    }

    fn check_count(&self, what: &'static str, expected: usize, got: usize) -> Result<(), TrainError> {
        if expected == got { Ok(()) } else { Err(self.wrong_count(what, expected, got)) }
    }

    fn wrong_count(&self, what: &'static str, expected: usize, got: usize) -> TrainError {
        TrainError::Count { network: self.network.name().to_owned(), what, expected, got }
    }

    fn check_length(&self, at: usize, extent: Extent<'_>, values: &[f32]) -> Result<(), TrainError> {
        let (expected, got) = (extent.len(self.shapes[at]), values.len());
        if expected == got {
            return Ok(());
        }
        let (network, node) = (self.network.name().to_owned(), self.network.nodes()[at].name.clone());
        Err(TrainError::Length { network, node, expected, got })
    }
}

impl Drop for Learner {
    fn drop(&mut self) {
        memory::clear();
    }
}

impl Run {
    /// Of each output: maps (n, c, h, w), vectors (n, d), tokens (n, t, d), or the tokens of all texts.
    pub fn outputs(&self) -> &[Vec<f32>] {
        &self.outputs
    }
}

fn is_given(node: &Node) -> bool {
    matches!(node.op, Op::Input { .. } | Op::Given { .. })
}

fn add(to: &mut Option<Vec<f32>>, slope: Vec<f32>) {
    match to {
        Some(to) => {
            to.iter_mut().zip(&slope).for_each(|(to, slope)| *to += slope);
            memory::give_back(slope);
        }
        None => *to = Some(slope),
    }
}
