//! A graph in the making: nodes and initializers under names that no two share.

use super::{
    graph::Form,
    operator::{Element, Operator},
    proto::NodeProto,
};
use std::{borrow::Cow, collections::BTreeSet};

/// Smaller weights are not worth rounding: of MobileNetV2, whose depthwise kernels are small, these are a sixteenth of all, and
/// features are ten times nearer with them as they are.
const FEWEST_HALVES: usize = 1 << 14;
/// What f16 holds at most.
const MOST_HALF: f32 = 65504.0;

/// Nodes in an order in which they can be run, initializers, and outputs.
#[derive(Default)]
pub(super) struct Draft<'a> {
    pub(super) nodes: Vec<NodeProto>,
    pub(super) constants: Vec<Constant<'a>>,
    pub(super) outputs: Vec<Declared>,
    /// What names begin with, from here on.
    pub(super) prefix: String,
    /// Whether weights are stored as f16.
    pub(super) halves: bool,
    names: BTreeSet<String>,
}

/// An output.
pub(super) struct Declared {
    pub(super) name: &'static str,
    pub(super) form: Form,
}

/// An initializer.
pub(super) struct Constant<'a> {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) data: Numbers<'a>,
}

/// An initializer's numbers.
pub(super) enum Numbers<'a> {
    Floats(Cow<'a, [f32]>),
    /// To be rounded as they are written.
    Halves(Cow<'a, [f32]>),
    Doubles(Vec<f64>),
    Integers(Vec<i64>),
}

impl Numbers<'_> {
    pub(super) fn element(&self) -> Element {
        match self {
            Numbers::Floats(_) => Element::Single,
            Numbers::Halves(_) => Element::Half,
            Numbers::Doubles(_) => Element::Double,
            Numbers::Integers(_) => Element::Integer,
        }
    }

    /// Their length in a file.
    pub(super) fn bytes(&self) -> u64 {
        let count = match self {
            Numbers::Floats(values) | Numbers::Halves(values) => values.len(),
            Numbers::Doubles(values) => values.len(),
            Numbers::Integers(values) => values.len(),
        };
        (count * self.element().bytes()) as u64
    }
}

impl<'a> Draft<'a> {
    /// `halves`: whether weights are stored as f16.
    pub(super) fn new(halves: bool) -> Draft<'a> {
        Draft { halves, ..Draft::default() }
    }

    /// Keeps a name for who uses it with [`Draft::step`] or [`Draft::reserved`].
    pub(super) fn reserve(&mut self, name: &str) {
        self.names.insert(name.to_owned());
    }

    /// A name that was free until now: `wish`, or one like it.
    pub(super) fn free(&mut self, wish: &str) -> String {
        let mut name = format!("{}{wish}", self.prefix);
        while !self.names.insert(name.clone()) {
            // Module paths have no slash, and ours do not end with one.
            name.push('/');
        }
        name
    }

    /// Adds a node that gives the value `name`, and perhaps another; gives the name back.
    pub(super) fn step(&mut self, operator: &Operator, name: String, mut input: Vec<String>) -> String {
        let spelling = operator.spelling();
        for integers in &spelling.integers {
            let name = integers.name();
            if self.names.insert(name.clone()) {
                let data = Numbers::Integers(integers.values.clone());
                self.constants.push(Constant { name: name.clone(), shape: integers.sides(), data });
            }
            input.push(name);
        }
        let (op_type, attribute) = (spelling.op_type.to_owned(), spelling.attributes);
        let output = operator.outputs(&name);
        self.names.extend(output.iter().cloned());
        self.nodes.push(NodeProto { input, output, name: name.clone(), op_type, attribute });
        name
    }

    /// An initializer under a name like `wish`; gives its name.
    pub(super) fn constant(
        &mut self,
        wish: &str,
        shape: &[usize],
        data: impl Into<Cow<'a, [f32]>>,
    ) -> String {
        let name = self.free(wish);
        self.reserved(&name, shape, data);
        name
    }

    /// An initializer under a name that was reserved.
    pub(super) fn reserved(&mut self, name: &str, shape: &[usize], data: impl Into<Cow<'a, [f32]>>) {
        let data = Numbers::Floats(data.into());
        self.constants.push(Constant { name: name.to_owned(), shape: shape.to_vec(), data });
    }

    /// Weights as [`Draft::constant`] stores them; or, where that is asked for, large matrices and kernels as f16, which a node
    /// widens again. Vectors stay as they are, whatever their length: variances may be too far apart for f16.
    pub(super) fn weight(&mut self, wish: &str, shape: &[usize], data: impl Into<Cow<'a, [f32]>>) -> String {
        let data = data.into();
        let is_small = shape.len() < 2 || data.len() < FEWEST_HALVES;
        if !self.halves || is_small || data.iter().any(|value| value.abs() > MOST_HALF) {
            return self.constant(wish, shape, data);
        }
        let name = self.free(wish);
        self.constants.push(Constant {
            name: name.clone(),
            shape: shape.to_vec(),
            data: Numbers::Halves(data),
        });
        let widened = self.free(&format!("{wish}/f32"));
        self.step(&Operator::Cast { to: Element::Single }, widened, vec![name])
    }

    /// The same, made once for all who ask for that very name.
    pub(super) fn shared(
        &mut self,
        name: String,
        shape: &[usize],
        data: impl FnOnce() -> Numbers<'a>,
    ) -> String {
        if self.names.insert(name.clone()) {
            self.constants.push(Constant { name: name.clone(), shape: shape.to_vec(), data: data() });
        }
        name
    }

    /// One number.
    pub(super) fn scalar(&mut self, value: f32) -> String {
        self.shared(format!("scalar/{value}"), &[], || Numbers::Floats(vec![value].into()))
    }

    /// One f64.
    pub(super) fn double(&mut self, value: f64) -> String {
        self.shared(format!("double/{value}"), &[], || Numbers::Doubles(vec![value]))
    }

    /// Whole numbers that may be negative, as a value.
    pub(super) fn integers(&mut self, name: &str, values: Vec<i64>) -> String {
        self.shared(name.to_owned(), &[values.len()], || Numbers::Integers(values))
    }

    /// Leaves out nodes and initializers that nothing reads.
    pub(super) fn pruned(mut self) -> Draft<'a> {
        let mut read: BTreeSet<String> = self.outputs.iter().map(|output| output.name.to_owned()).collect();
        let mut kept: Vec<NodeProto> = Vec::with_capacity(self.nodes.len());
        for node in self.nodes.into_iter().rev() {
            if node.output.iter().any(|output| read.contains(output)) {
                read.extend(node.input.iter().cloned());
                kept.push(node);
            }
        }
        kept.reverse();
        self.nodes = kept;
        self.constants.retain(|constant| read.contains(&constant.name));
        self
    }
}
