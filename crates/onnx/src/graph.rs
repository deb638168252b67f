//! A graph as a file holds it: operators, wiring and weights, none of them understood as a network of ours.

use super::Operator;
use weights::Tensor;

/// What a file holds.
#[derive(Debug)]
pub struct Model {
    /// What is computed from what.
    pub graph: Graph,
    /// (channels, height, width) of the input.
    pub input: [usize; 3],
    /// In the file's order.
    pub metadata: Vec<(String, String)>,
}

/// Steps in an order in which they can be run, and what they read.
#[derive(Debug)]
pub struct Graph {
    /// What the file calls it.
    pub name: String,
    /// Finite numbers, in the file's order.
    pub tensors: Vec<Tensor>,
    /// Every step reads the input, tensors and earlier steps.
    pub steps: Vec<Step>,
    /// `features`, and with a head `logits` and `probabilities`.
    pub outputs: Vec<Output>,
}

/// A node.
#[derive(Debug)]
pub struct Step {
    /// The node's name, which is that of the value it gives.
    pub name: String,
    /// What it does.
    pub operator: Operator,
    /// As many as it needs.
    pub inputs: Vec<Value>,
}

/// Something that a step reads, or the graph gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The graph's input (n, channels, height, width).
    Input,
    /// The tensor of that place.
    Tensor(usize),
    /// What the step of that place gives.
    Step(usize),
}

/// A result of the whole graph: (n, width).
#[derive(Debug)]
pub struct Output {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub value: Value,
    /// Numbers for each picture.
    pub width: usize,
}
