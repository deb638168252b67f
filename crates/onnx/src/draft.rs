//! A graph in the making: nodes and initializers under names that no two share.

use super::{
    operator::Operator,
    proto::{FLOAT, INT64, NodeProto},
};
use std::{borrow::Cow, collections::BTreeSet};

/// Nodes in an order in which they can be run, initializers, and outputs with their widths.
#[derive(Default)]
pub(super) struct Draft<'a> {
    pub(super) nodes: Vec<NodeProto>,
    pub(super) constants: Vec<Constant<'a>>,
    pub(super) outputs: Vec<(&'static str, usize)>,
    names: BTreeSet<String>,
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
    Integers(Vec<i64>),
}

impl Numbers<'_> {
    /// `TensorProto.DataType`.
    pub(super) fn data_type(&self) -> i32 {
        match self {
            Numbers::Floats(_) => FLOAT,
            Numbers::Integers(_) => INT64,
        }
    }

    /// Their length in a file.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Numbers::Floats(values) => 4 * values.len() as u64,
            Numbers::Integers(values) => 8 * values.len() as u64,
        }
    }
}

impl<'a> Draft<'a> {
    /// Keeps a name for who uses it with [`Draft::step`] or [`Draft::reserved`].
    pub(super) fn reserve(&mut self, name: &str) {
        self.names.insert(name.to_owned());
    }

    /// A name that was free until now: `wish`, or one like it.
    pub(super) fn free(&mut self, wish: &str) -> String {
        let mut name = wish.to_owned();
        while !self.names.insert(name.clone()) {
            // Module paths have no slash, and ours do not end with one.
            name.push('/');
        }
        name
    }

    /// Adds a node that gives the one value `name`; gives the name back.
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
        self.nodes.push(NodeProto {
            input,
            output: vec![name.clone()],
            name: name.clone(),
            op_type,
            attribute,
        });
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

    /// The same, made once for all who ask for that very name.
    pub(super) fn shared(
        &mut self,
        name: String,
        shape: &[usize],
        data: impl FnOnce() -> Vec<f32>,
    ) -> String {
        if self.names.insert(name.clone()) {
            self.reserved(&name, shape, data());
        }
        name
    }

    /// One number.
    pub(super) fn scalar(&mut self, value: f32) -> String {
        self.shared(format!("scalar/{value}"), &[], || vec![value])
    }

    /// Leaves out nodes and initializers that nothing reads.
    pub(super) fn pruned(mut self) -> Draft<'a> {
        let mut read: BTreeSet<String> = self.outputs.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut kept: Vec<NodeProto> = Vec::with_capacity(self.nodes.len());
        for node in self.nodes.into_iter().rev() {
            if read.contains(&node.name) {
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
