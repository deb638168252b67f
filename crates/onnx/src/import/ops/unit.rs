//! Queries and keys of length 1, as Swin V2's: x over its own norm.

use super::Given;
use crate::import::{
    importer::{Importer, Stop},
    model::Node,
    value::{Live, Norms, Value},
    view::{Axis, Stride, View, count},
};
use network::{NodeId, Op, Shape};
use std::rc::Rc;

/// More heads than any network has.
const MOST_HEADS: usize = 64;
/// Least norms that mean no more than that nothing is divided by 0.
const LEAST: f64 = 1e-6;

impl Importer<'_> {
    /// The norm over the channels of each head.
    pub(super) fn norms(view: View, keeps: bool) -> Given {
        if !keeps {
            return Err(Stop::Unknown("is a norm over other than the channels of each head"));
        }
        let mut shape = view.shape();
        if let Some(last) = shape.last_mut() {
            *last = 1;
        }
        Ok(vec![Value::Norms(Norms { view, shape })])
    }

    /// Norms that are at least a very small number.
    pub(super) fn least_norms(&mut self, node: &Node, norms: &Norms) -> Given {
        let least = self.constant_at(node, 1)?.map(|least| self.number(&least)).transpose()?.flatten();
        if Self::has(node, 2) || least.is_none_or(|least| least > LEAST) {
            return Err(Stop::Unknown("cuts norms"));
        }
        Ok(vec![Value::Norms(norms.clone())])
    }

    /// A view over its norms: in each head a layer norm of its numbers and of the same below zero, whose mean is 0.
    pub(super) fn unit(&mut self, view: &View) -> Given {
        let last = view.rank() - 1;
        let lead: Vec<usize> = (0..last).filter(|at| view.is_of_channels(*at)).collect();
        let channels = view.channels(&[lead.clone(), vec![last]].concat());
        let depth = count(view.side(last));
        let heads = channels.len() / depth;
        let is_map = matches!(self.net.shape(view.node), Shape::Map { .. });
        if heads > MOST_HEADS || heads > 1 && !is_map || !self.can_spend(2 * depth * depth) {
            return Err(Stop::Unknown("is over the norms of heads in a way that is not known"));
        }
        let mut both = vec![0.0; 2 * depth * depth];
        for at in 0..depth {
            both[at * depth + at] = 1.0;
            both[(depth + at) * depth + at] = -1.0;
        }
        let both = self.param(None, "both", &[2 * depth, depth], Rc::new(both));
        let root = 1.0 / (depth as f32).sqrt();
        let weight = self.param(None, "weight", &[2 * depth], Rc::new(vec![root; 2 * depth]));
        let bias = self.param(None, "bias", &[2 * depth], Rc::new(vec![0.0; 2 * depth]));
        let mut units: Vec<NodeId> = Vec::with_capacity(heads);
        for head in channels.chunks_exact(depth) {
            let start = head[0];
            if !head.iter().enumerate().all(|(at, channel)| *channel == start + at) {
                return Err(Stop::Unknown("is over the norms of channels that do not lie together"));
            }
            let part = self.push(Op::Channels { start, end: start + depth }, &[view.node])?;
            let part = self.push(Op::Linear { weight: both, bias: None }, &[part])?;
            let part = self.push(Op::LayerNorm { weight, bias, eps: 1e-24 }, &[part])?;
            units.push(self.push(Op::Channels { start: 0, end: depth }, &[part])?);
        }
        let node = match units.as_slice() {
            [only] => *only,
            _ => self.push(Op::Concat, &units)?,
        };
        // Heads lie one after the other now.
        let mut step = heads * depth;
        let sides = (0..=last).map(|at| {
            if !view.is_of_channels(at) {
                return view.side(at).to_vec();
            }
            let count = count(view.side(at));
            step /= count;
            if count > 1 { vec![Stride { axis: Axis::Channel, step, count }] } else { Vec::new() }
        });
        let sides = sides.collect();
        let whole = View::of(node, self.net.shape(node)).moved_as(view);
        Ok(vec![Value::Live(Live::of(whole.with_sides(sides)))])
    }
}
