//! A graph as a file holds it: operators, wiring and weights, none of them understood as a network of ours.

use super::Operator;
use half::f16;
use weights::Tensor;

/// What a file holds.
#[derive(Debug)]
pub struct Model {
    /// What is computed from what.
    pub graph: Graph,
    /// At least one; one picture is the only input.
    pub inputs: Vec<Input>,
    /// In the file's order.
    pub metadata: Vec<(String, String)>,
}

/// What is given to a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// f32 (n, channels, height, width), normalised.
    Pixels {
        /// Its name.
        name: String,
        /// Channels, height and width.
        sides: [usize; 3],
    },
    /// `image`: one picture, u8 (height, width, 3) RGB, of any size.
    Image,
    /// i64 (batch, tokens), of texts that are padded at their ends.
    Tokens(Tokens),
}

/// What is said of the tokens of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// `input_ids`: their numbers.
    Ids,
    /// `attention_mask`: 1, and 0 of padding.
    Mask,
    /// `token_type_ids`: 1 of the second text of a pair, else 0.
    Segments,
}

impl Tokens {
    /// In the order in which they are inputs.
    pub const ALL: [Tokens; 3] = [Tokens::Ids, Tokens::Mask, Tokens::Segments];

    /// What the input is called.
    pub fn name(self) -> &'static str {
        match self {
            Tokens::Ids => "input_ids",
            Tokens::Mask => "attention_mask",
            Tokens::Segments => "token_type_ids",
        }
    }
}

/// Steps in an order in which they can be run, and what they read.
#[derive(Debug)]
pub struct Graph {
    /// What the file calls it.
    pub name: String,
    /// In the file's order; of whole numbers those that steps read as values.
    pub tensors: Vec<Literal>,
    /// Every step reads inputs, tensors and earlier steps.
    pub steps: Vec<Step>,
    /// `features`, and with a head what that gives.
    pub outputs: Vec<Output>,
}

/// Numbers that stand in the file. All are finite.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// f32
    Floats(Tensor),
    /// f16
    Halves {
        /// As of a [`Tensor`].
        shape: Vec<usize>,
        /// Row-major.
        data: Vec<f16>,
    },
    /// f64
    Doubles {
        /// As of a [`Tensor`].
        shape: Vec<usize>,
        /// Row-major.
        data: Vec<f64>,
    },
    /// i64
    Integers {
        /// As of a [`Tensor`].
        shape: Vec<usize>,
        /// Row-major.
        data: Vec<i64>,
    },
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
    /// The graph's input of that place.
    Input(usize),
    /// The tensor of that place.
    Tensor(usize),
    /// What the step of that place gives.
    Step(usize),
    /// What it gives besides.
    Second(usize),
}

/// A result of the whole graph.
#[derive(Debug)]
pub struct Output {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub value: Value,
    /// Its shape.
    pub form: Form,
}

/// What a result is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// f32 (n, so many).
    Rows(usize),
    /// f32 (n,)
    Numbers,
    /// (n,), true or false.
    Truths,
}

impl Form {
    /// Numbers for each picture.
    pub fn width(self) -> usize {
        match self {
            Form::Rows(width) => width,
            Form::Numbers | Form::Truths => 1,
        }
    }
}
