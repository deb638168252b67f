//! What an ONNX value is while its graph is read.

use super::{constant::Constant, function::Function, view::View};
use std::rc::Rc;

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Constant(Constant),
    Live(Live),
    Sequence(Rc<Sequence>),
    Moment(Moment),
    Scores(Rc<Scores>),
    /// The scores' softmax.
    Shares(Rc<Scores>),
    /// A map with zeros around it: above, left, below, right.
    Padded(View, [usize; 4]),
    /// Of logits: what it is of, since only a graph's end has one.
    Softmax(View),
    /// Of the channels of each head.
    Norms(Norms),
    /// Truth values of that shape, which are false.
    Never(Vec<usize>),
    Unknown(Rc<Unknown>),
}

/// Why a value is not known.
#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) node: String,
    pub(super) op: String,
    pub(super) reason: &'static str,
}

/// What a node of ours gives, seen in some way, and what is still to be done to every number of it.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) view: View,
    pub(super) pending: Pending,
}

/// What is done to numbers as soon as somebody needs them, and not before: more of it may come, and together it may be
/// something that is known.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    Nothing,
    Affine { scale: Factor, shift: Factor },
    Function(Rc<Function>),
}

/// A number for all channels, or one for each of the node's.
#[derive(Clone, Debug)]
pub(super) struct Factor {
    pub(super) values: Values,
    /// The initializer that it is.
    pub(super) name: Option<Rc<str>>,
}

#[derive(Clone, Debug)]
pub(super) enum Values {
    All(f64),
    Each(Rc<Vec<f64>>),
}

/// Tokens in the making: constant ones before the places of a map, and what is added to them.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    /// (k, d) each.
    pub(super) prefix: Vec<Constant>,
    /// (1, places, d).
    pub(super) places: View,
    /// (places, d), or with the prefix's before them.
    pub(super) positions: Option<Constant>,
    /// How many numbers the sides of the value are.
    pub(super) shape: Vec<usize>,
}

/// Norms over the last side of a view.
#[derive(Clone, Debug)]
pub(super) struct Norms {
    pub(super) view: View,
    /// The value's own.
    pub(super) shape: Vec<usize>,
}

/// A step on the way to normalised channels, or responses.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) view: View,
    pub(super) stage: Stage,
    /// The value's own.
    pub(super) shape: Vec<usize>,
}

/// Which step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    /// Over the channels of each place.
    Mean,
    /// x - mean.
    Centred,
    /// (x - mean)².
    Square,
    /// Its mean.
    Variance,
    /// Variance and eps.
    Widened(f64),
    /// The root of that.
    Deviation(f64),
    /// One over it.
    Inverse(f64),
    /// The root of each channel's sum of squares over all places.
    Root,
    /// Its mean over the channels.
    RootMean,
    /// Mean and eps.
    RootWidened(f64),
    /// The root over that.
    Response(f64),
}

/// Queries times keys: (heads…, queries, depth) and (heads…, depth, keys).
#[derive(Clone, Debug)]
pub(super) struct Scores {
    pub(super) q: View,
    pub(super) k: View,
    pub(super) scale: f64,
    /// A factor of each head, beside that.
    pub(super) factors: Option<Rc<Vec<f32>>>,
    /// The side of the windows that queries and keys see each other in, where they do so in windows.
    pub(super) window: Option<usize>,
    /// What is added after that.
    pub(super) added: Vec<Added>,
    pub(super) shape: Vec<usize>,
}

/// Numbers that are added to scores.
#[derive(Clone, Debug)]
pub(super) struct Added {
    /// Windows, heads, queries and keys; 1 where a number is of all of them.
    pub(super) sides: [usize; 4],
    pub(super) numbers: Rc<Vec<f32>>,
    /// The initializer that they are.
    pub(super) name: Option<Rc<str>>,
}

impl Live {
    pub(super) fn of(view: View) -> Live {
        Live { view, pending: Pending::Nothing }
    }
}

impl Factor {
    pub(super) fn all(value: f64) -> Factor {
        Factor { values: Values::All(value), name: None }
    }

    pub(super) fn each(values: Vec<f64>, name: Option<Rc<str>>) -> Factor {
        Factor { values: Values::Each(Rc::new(values)), name }
    }

    pub(super) fn is_all(&self, value: f64) -> bool {
        matches!(self.values, Values::All(all) if all == value)
    }

    /// A number for each of so many channels.
    pub(super) fn expanded(&self, channels: usize) -> Vec<f64> {
        match &self.values {
            Values::All(value) => vec![*value; channels],
            Values::Each(values) => values.to_vec(),
        }
    }

    /// Both, number by number.
    pub(super) fn with(&self, other: &Factor, both: impl Fn(f64, f64) -> f64) -> Factor {
        match (&self.values, &other.values) {
            (Values::All(a), Values::All(b)) => Factor::all(both(*a, *b)),
            (Values::All(a), Values::Each(b)) => Factor::each(b.iter().map(|b| both(*a, *b)).collect(), None),
            (Values::Each(a), Values::All(b)) => Factor::each(a.iter().map(|a| both(*a, *b)).collect(), None),
            (Values::Each(a), Values::Each(b)) => {
                Factor::each(a.iter().zip(b.iter()).map(|(a, b)| both(*a, *b)).collect(), None)
            }
        }
    }
}

impl Pending {
    /// As a function of each number; `None` where channels differ.
    pub(super) fn function(&self) -> Option<Rc<Function>> {
        use super::function::Binary;
        match self {
            Pending::Nothing => Some(Rc::new(Function::X)),
            Pending::Function(function) => Some(function.clone()),
            Pending::Affine { scale, shift } => {
                let (Values::All(scale), Values::All(shift)) = (&scale.values, &shift.values) else {
                    return None;
                };
                let two = |op, a, b| Function::Two(op, Rc::new(a), Rc::new(b));
                let scaled = two(Binary::Multiply, Function::X, Function::Number(*scale));
                Some(Rc::new(two(Binary::Add, scaled, Function::Number(*shift))))
            }
        }
    }

    /// Factor and summand; `None` of a function.
    pub(super) fn affine(&self) -> Option<(Factor, Factor)> {
        match self {
            Pending::Nothing => Some((Factor::all(1.0), Factor::all(0.0))),
            Pending::Affine { scale, shift } => Some((scale.clone(), shift.clone())),
            Pending::Function(_) => None,
        }
    }
}

impl Value {
    /// The ONNX shape.
    pub(super) fn shape(&self) -> Vec<usize> {
        match self {
            Value::Constant(constant) => constant.shape.clone(),
            Value::Live(Live { view, .. }) | Value::Softmax(view) => view.shape(),
            Value::Padded(view, [top, left, bottom, right]) => {
                let mut shape = view.shape();
                if let [_, _, rows, columns] = shape.as_mut_slice() {
                    *rows += top + bottom;
                    *columns += left + right;
                }
                shape
            }
            Value::Sequence(sequence) => sequence.shape.clone(),
            Value::Moment(moment) => moment.shape.clone(),
            Value::Scores(scores) | Value::Shares(scores) => scores.shape.clone(),
            Value::Norms(norms) => norms.shape.clone(),
            Value::Never(shape) => shape.clone(),
            Value::Unknown(_) => Vec::new(),
        }
    }
}
