//! Where channels stand. Convolutions and pools want maps with channels first (n, c, h, w), layer norms, dense layers
//! and attention want them last (n, h, w, c). A map exists in whichever layout it was made, and in the other as soon as
//! somebody needs it, so it is turned once at most.

use super::{Lowered, Lowering, Operator, Shape};
use network::NodeId;

/// The ONNX values that one of our nodes has become. Vectors and tokens have one layout, which counts as both.
#[derive(Clone, Debug)]
pub(super) struct Laid {
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
}

impl Laid {
    pub(super) fn first(value: String) -> Laid {
        Laid { first: Some(value), last: None }
    }

    pub(super) fn both(value: String) -> Laid {
        Laid { first: Some(value.clone()), last: Some(value) }
    }
}

impl Lowered<'_, '_> {
    /// Its value with channels first.
    pub(super) fn first(&mut self, id: NodeId) -> String {
        match self.laid[id.index()].clone() {
            Laid { first: Some(first), .. } => first,
            Laid { last, .. } => {
                let first = self.turned(id, "first", last, [0, 3, 1, 2]);
                self.laid[id.index()].first.insert(first).clone()
            }
        }
    }

    /// Its value with channels last.
    pub(super) fn last(&mut self, id: NodeId) -> String {
        match self.laid[id.index()].clone() {
            Laid { last: Some(last), .. } => last,
            Laid { first, .. } => {
                let last = self.turned(id, "last", first, [0, 2, 3, 1]);
                self.laid[id.index()].last.insert(last).clone()
            }
        }
    }

    fn turned(&mut self, id: NodeId, what: &str, value: Option<String>, perm: [usize; 4]) -> String {
        let name = self.draft.free(&format!("{}/{what}", self.bound.network().node(id).name));
        let operator = Operator::Transpose { perm: perm.to_vec() };
        self.draft.step(&operator, name, value.into_iter().collect())
    }
}

impl Lowering<'_, '_, '_> {
    /// What this node reads, with channels first.
    pub(super) fn first(&mut self, input: usize) -> String {
        self.graph.first(self.node.inputs[input])
    }

    /// What this node reads, with channels last.
    pub(super) fn last(&mut self, input: usize) -> String {
        self.graph.last(self.node.inputs[input])
    }

    /// What this node reads, as it lies.
    pub(super) fn laid(&self, input: usize) -> Laid {
        self.graph.laid[self.node.inputs[input].index()].clone()
    }

    /// A result whose channels are the last axis: of a map that is one layout, of all else the only one.
    pub(super) fn channels_last(&self, value: String) -> Laid {
        match self.shape() {
            Shape::Map { .. } => Laid { first: None, last: Some(value) },
            _ => Laid::both(value),
        }
    }

    /// Channels from `start` to before `end`.
    pub(super) fn channels(&mut self, start: usize, end: usize) -> Laid {
        match (self.laid(0), self.shape()) {
            (Laid { first: Some(x), .. }, Shape::Map { .. }) => {
                Laid::first(self.whole(&Operator::Slice { axis: 1, start, end }, vec![x]))
            }
            (Laid { last, .. }, shape) => {
                let axis = rank(shape) - 1;
                let value = self.whole(&Operator::Slice { axis, start, end }, last.into_iter().collect());
                self.channels_last(value)
            }
        }
    }

    /// Channels as (groups, c / groups) transposed.
    pub(super) fn shuffle(&mut self, groups: usize) -> Laid {
        let shape = self.shape();
        let (channels, each) = (shape.width(), shape.width() / groups);
        match (self.laid(0), shape) {
            (Laid { first: Some(x), .. }, Shape::Map { height, width, .. }) => {
                let x = self.reshaped("groups", x, &[0, groups, each, height * width]);
                let x = self.turned("shuffled", x, &[0, 2, 1, 3]);
                Laid::first(
                    self.whole(&Operator::Reshape { shape: vec![0, channels, height, width] }, vec![x]),
                )
            }
            (Laid { last, .. }, shape) => {
                // Places are kept as they are, and may be none.
                let places = rank(shape) - 2;
                let split = [vec![0; places + 1], vec![groups, each]].concat();
                let mut turned: Vec<usize> = (0..places + 3).collect();
                turned.swap(places + 1, places + 2);
                let x = self.reshaped("groups", last.unwrap_or_default(), &split);
                let x = self.turned("shuffled", x, &turned);
                let whole = [vec![0; places + 1], vec![channels]].concat();
                let value = self.whole(&Operator::Reshape { shape: whole }, vec![x]);
                self.channels_last(value)
            }
        }
    }
}

/// Axes of a value with channels last, the batch among them.
fn rank(shape: Shape) -> usize {
    match shape {
        Shape::Map { .. } => 4,
        Shape::Tokens { .. } | Shape::Sequence { .. } => 3,
        Shape::Vector(_) => 2,
    }
}
