//! Attention, as exporters spell it: products, a factor somewhere, a softmax, a product.

use super::Given;
use crate::import::{
    fold,
    importer::{Importer, Stop, live},
    model::Node,
    value::{Scores, Value},
    view::{Axis, Stride, View, count},
};
use network::{Op, Shape};
use std::rc::Rc;

impl Importer<'_> {
    pub(super) fn softmax(&mut self, node: &Node) -> Given {
        let value = self.value(node, 0)?.clone();
        let shape = value.shape();
        // Before operators of set 13 all sides from the axis on were one.
        let default = if self.opset < 13 { 1 } else { -1 };
        let axis = fold::axis(node.int("axis").unwrap_or(default), shape.len());
        match value {
            Value::Scores(scores)
                if node.op == "Softmax" && axis.map(|axis| axis + 1) == Some(shape.len()) =>
            {
                Ok(vec![Value::Shares(scores)])
            }
            Value::Scores(_) => Err(Stop::Unknown("is a softmax over other sides than the keys")),
            _ => Ok(vec![Value::Softmax(self.view_at(node, 0)?)]),
        }
    }

    /// A product of two values that both depend on the picture, or of a constant and such a one.
    pub(super) fn product_of_two(&mut self, node: &Node) -> Given {
        if let Value::Shares(scores) = self.value(node, 0)? {
            let scores = scores.clone();
            return self.attend(node, &scores);
        }
        let shapes = [self.value(node, 0)?.shape(), self.value(node, 1)?.shape()];
        let [q, k] = &shapes;
        let (Some((depth, q_rest)), Some((keys, k_rest))) = (q.split_last(), k.split_last()) else {
            return Err(Stop::Unknown("is a product of numbers"));
        };
        let fits = q.len() == k.len()
            && q.len() >= 2
            && Some(depth) == k_rest.last()
            && q_rest[..q_rest.len() - 1] == k_rest[..k_rest.len() - 1];
        if !fits {
            return Err(Stop::Unknown("is a product of several matrices whose sides do not fit"));
        }
        let shape = [q_rest, &[*keys]].concat();
        let (q, q_scale) = match self.value(node, 0)? {
            Value::Constant(constant) => (self.constant_tokens(&constant.clone())?, 1.0),
            _ => self.scaled(&node.inputs[0])?,
        };
        let (k, k_scale) = self.scaled(&node.inputs[1])?;
        let rank = q.rank();
        let depths = q.is_of_channels(rank - 1) && k.is_of_channels(rank - 2);
        let window = q.window(rank - 2).filter(|_| q.has_places_of(&k));
        let is_attention = if window.is_some() {
            k.window(rank - 1) == window
        } else {
            let heads_alone = (0..rank - 2).all(|at| q.is_of_channels(at) && k.is_of_channels(at));
            heads_alone && all_places(&q, rank - 2) && all_places(&k, rank - 1)
        };
        if !depths || !is_attention {
            return Err(Stop::Unknown("is a product of two values that is no attention between places"));
        }
        let scale = q_scale * k_scale;
        Ok(vec![Value::Scores(Rc::new(Scores {
            q,
            k,
            scale,
            factors: None,
            window,
            added: Vec::new(),
            shape,
        }))])
    }

    /// Shares times values.
    fn attend(&mut self, node: &Node, scores: &Scores) -> Given {
        let v = self.view_at(node, 1)?;
        let rank = v.rank();
        let (shape, values) = (&scores.shape, v.shape());
        let fits = rank >= 2
            && rank == shape.len()
            && shape[..rank - 2] == values[..rank - 2]
            && shape[rank - 1] == values[rank - 2]
            && v.is_of_channels(rank - 1)
            && if scores.window.is_some() {
                v.window(rank - 2) == scores.window && v.has_places_of(&scores.q)
            } else {
                (0..rank - 2).all(|at| v.is_of_channels(at)) && all_places(&v, rank - 2)
            };
        if !fits {
            return Err(Stop::Unknown("is a product of shares and values that do not fit"));
        }
        let lead =
            |view: &View| (0..view.rank() - 2).filter(|at| view.is_of_channels(*at)).collect::<Vec<_>>();
        let heads: usize = lead(&v).iter().map(|at| count(v.side(*at))).product();
        let with = |view: &View, depth: usize| view.channels(&[lead(view), vec![depth]].concat());
        let parts = [
            (scores.q.clone(), with(&scores.q, scores.q.rank() - 1)),
            (scores.k.clone(), with(&scores.k, scores.k.rank() - 2)),
            (v.clone(), with(&v, rank - 1)),
        ];
        let d = parts[2].1.len();
        let depths = [parts[0].1.len() / heads, d / heads];
        if depths[0] > depths[1] || parts[0].1.len() != parts[1].1.len() {
            return Err(Stop::Unknown("is attention with values narrower than its keys"));
        }
        // What our attention multiplies scores by, since it knows the depth alone.
        let factor = scores.scale * (depths[1] as f64).sqrt();
        let of_head = |head: usize| {
            scores.factors.as_ref().map_or(1.0, |factors| f64::from(factors[head % factors.len()]))
        };
        let factors: Vec<f64> = (0..heads).map(|head| factor * of_head(head)).collect();
        let shared = |view: &View| {
            view.node == v.node || self.reads(view).is_some() && self.reads(view) == self.reads(&v)
        };
        let together = parts.iter().all(|(view, _)| shared(view) && view.has_places_of(&v));
        let is_map = |view: &View| matches!(self.net.shape(view.node), Shape::Map { .. });
        let one_map = parts.iter().all(|(view, _)| view.has_places_of(&v) && is_map(view));
        // Numbers that go by how far places are apart, as within Swin's windows, or of any pairs.
        let table = if one_map { self.relative(scores, heads)? } else { None };
        let inputs = if together || table.is_some() {
            vec![self.joined(&parts, depths, &factors)?]
        } else {
            let q = self.joined(&parts[..1], depths, &factors)?;
            vec![q, self.joined(&parts[1..], depths, &vec![1.0; heads])?]
        };
        let op = match table {
            Some(relative) => {
                let shape = [(2 * relative.window - 1).pow(2), heads];
                let bias = self.param(None, "bias", &shape, Rc::new(relative.table));
                Op::WindowAttention { heads, window: relative.window, shift: relative.shift, bias }
            }
            None if scores.window.is_some() => {
                return Err(Stop::Unknown(
                    "is attention within windows that are not moved and masked as Swin's",
                ));
            }
            None => Op::Attention { heads, bias: self.pairs(scores, heads)? },
        };
        let id = self.push(op, &inputs)?;
        // As the queries' places lie, and heads before depths.
        let whole = View::of(id, self.net.shape(id)).moved_as(&scores.q);
        let mut sides: Vec<Vec<Stride>> = Vec::with_capacity(rank);
        let mut step = d;
        let mut heads_stride = |side: &[Stride]| {
            let count = count(side);
            step /= count;
            if count > 1 { vec![Stride { axis: Axis::Channel, step, count }] } else { Vec::new() }
        };
        for at in 0..rank {
            sides.push(if at + 2 == rank {
                scores.q.side(scores.q.rank() - 2).to_vec()
            } else if v.is_of_places(at) {
                v.side(at).to_vec()
            } else {
                heads_stride(v.side(at))
            });
        }
        let mut view = whole.with_sides(sides);
        if matches!(self.net.shape(id), Shape::Tokens { prefix: 1, places: 0, .. }) {
            // One token of its own is a vector from here on.
            let token = self.push(Op::Token { index: 0 }, &[id])?;
            view = view.without_places(token, |_| true);
        }
        Ok(live(view))
    }
}

/// Whether a side walks through all places of a node, row by row.
fn all_places(view: &View, at: usize) -> bool {
    view.is_side(at, &[Axis::Row, Axis::Column, Axis::Token])
}
