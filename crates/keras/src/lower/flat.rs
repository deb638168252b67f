//! Flattened maps, and dense layers.
//!
//! A flattened map lies in our order, so that axes are turned before it is flattened, unless all who read it keep their weights
//! as Keras flattens.

use super::{Lowering, place::Place};
use crate::{KerasError, layer::Given};
use network::{Node, NodeId, Op, ParamId, Turn};
use serde_json::json;

impl Lowering<'_> {
    pub(super) fn flatten(&mut self, name: &str, read: NodeId, x: &Given) -> Given {
        let mut x = x.clone();
        let is_one_place = self.shapes[read.index()].places() == 1;
        if let (&[height, width, channels], false) =
            (x.shape.as_slice(), is_one_place || self.is_read_flattened(self.given.len()))
        {
            let config = json!({"dims": [3, 1, 2]});
            x = self.shaped("Permute", &format!("{name}_order"), config, &x, vec![channels, height, width]);
        }
        let shape = vec![x.shape.iter().product()];
        self.shaped("Flatten", name, json!({"data_format": "channels_last"}), &x, shape)
    }

    /// Whether all who read that node, a flattened map, keep their weights as Keras flattens.
    fn is_read_flattened(&self, node: usize) -> bool {
        let is_so = |reader: &&Node| match reader.op {
            Op::Linear { weight, .. } => self.turn(weight).is_some_and(is_flattened),
            _ => false,
        };
        let readers = self.only_readers(node);
        !readers.is_empty() && readers.iter().all(is_so)
    }

    pub(super) fn linear(
        &mut self,
        node: &Node,
        weight: ParamId,
        bias: Option<ParamId>,
        x: &Given,
    ) -> Result<Given, KerasError> {
        let Place::At(kept) = self.place(weight) else { return self.impossible(node) };
        // Else what it reads lies in our order, as somebody else reads it.
        let flattened = kept.turn.filter(|turn| is_flattened(*turn));
        let flattened = flattened.filter(|_| self.is_read_flattened(node.inputs[0].index()));
        let turn = flattened.unwrap_or(Turn::Dense);
        let kernel = self.turned(weight, turn, node)?;
        let config = json!({"units": self.network.param(weight).shape[0], "use_bias": bias.is_some(), "activation": "linear"});
        let weights = [kernel].into_iter().chain(bias.map(|bias| self.numbers(bias))).collect();
        Ok(self.weighted("Dense", &kept.layer, config, x, weights))
    }
}

fn is_flattened(turn: Turn) -> bool {
    matches!(turn, Turn::Flattened { .. })
}
