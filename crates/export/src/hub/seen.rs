//! What a network's graph says of its sizes, for configurations that are made of them.

use network::{Network, Op, as_written};

/// A network that is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a>(pub(crate) &'a Network);

impl<'a> Seen<'a> {
    pub(crate) fn ops(self) -> impl Iterator<Item = &'a Op> {
        self.0.nodes().iter().map(|node| &node.op)
    }

    /// The epsilons of the layer norms, in their order.
    pub(crate) fn norms(self) -> impl Iterator<Item = f64> {
        self.ops().filter_map(|op| match op {
            Op::LayerNorm { eps, .. } => Some(as_written(*eps)),
            _ => None,
        })
    }

    /// The shape of the parameter of that name.
    pub(crate) fn shape(self, param: &str) -> Option<&'a [usize]> {
        self.0.params().iter().find(|known| known.name == param).map(|param| param.shape.as_slice())
    }

    /// The shape of the first parameter whose name ends so.
    pub(crate) fn ending(self, end: &str) -> Option<&'a [usize]> {
        self.0.params().iter().find(|known| known.name.ends_with(end)).map(|param| param.shape.as_slice())
    }

    pub(crate) fn has(self, param: &str) -> bool {
        self.shape(param).is_some()
    }

    /// How many blocks `at(0)`, `at(1)` … there are from `first` on: one is there where a parameter begins with its name.
    pub(crate) fn count(self, first: usize, at: impl Fn(usize) -> String) -> usize {
        let is_there = |block: &usize| {
            let name = format!("{}.", at(*block));
            self.0.params().iter().any(|param| param.name.starts_with(&name))
        };
        (first..).take_while(is_there).count()
    }
}

/// The one value of all; `None` where there is none, or they differ.
pub(crate) fn same<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values = values.into_iter();
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}
