//! Queries, keys and values as one node, in the order that our attention reads them.

use crate::import::{
    constant::{Constant, Data, MOST_NUMBERS, gather, steps, walk},
    function::narrow,
    importer::{Importer, Stop},
    view::View,
};
use network::{NodeId, Op, ParamId, Shape};
use std::rc::Rc;

impl Importer<'_> {
    /// What a dense layer reads whose node a view is of.
    pub(super) fn reads(&self, view: &View) -> Option<NodeId> {
        let node = self.net.node(view.node);
        matches!(node.op, Op::Linear { .. }).then(|| node.inputs.first().copied()).flatten()
    }

    /// Parts of queries, keys and values, one after the other as channels of one node: each in the order that is given.
    pub(super) fn joined(
        &mut self,
        parts: &[(View, Vec<usize>)],
        depths: [usize; 2],
        factors: &[f64],
    ) -> Result<NodeId, Stop> {
        let heads = factors.len();
        let first = parts[0].0.node;
        let is_one = parts.iter().all(|(view, _)| view.node == first);
        let channels = self.net.shape(first).width();
        let order = parts.iter().flat_map(|(_, order)| order);
        let is_plain = is_one
            && depths[0] == depths[1]
            && order.clone().copied().eq(0..channels)
            && factors.iter().all(|factor| (factor - 1.0).abs() < 1e-5);
        if is_plain {
            return Ok(first);
        }
        let source = self.reads(&parts[0].0);
        if source.is_none() || parts.iter().any(|(view, _)| self.reads(view) != source) {
            return self.joined_otherwise(parts, depths, factors);
        }
        let Some(source) = source else { return Err(Stop::Unknown("reads what is not there")) };
        // One dense layer with the rows of several, in another order.
        let d = heads * depths[1];
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        let mut has_bias = false;
        let mut names: Vec<Option<Rc<str>>> = Vec::new();
        let inputs = self.net.shape(source).width();
        for (at, (view, order)) in parts.iter().enumerate() {
            let Op::Linear { weight: of, bias: added } = self.net.node(view.node).op else { continue };
            let (rows, added) = (
                self.filled[of.index()].clone(),
                added.map(|bias: ParamId| self.filled[bias.index()].clone()),
            );
            has_bias |= added.is_some();
            names.push(Some(self.net.parameter(of).name.as_str().into()));
            let own = order.len() / heads;
            for (head, factor) in factors.iter().enumerate() {
                let factor = if at == 0 { *factor } else { 1.0 };
                let scaled = |value: f32| narrow(f64::from(value) * factor);
                for channel in &order[head * own..(head + 1) * own] {
                    weight.extend(
                        rows[channel * inputs..(channel + 1) * inputs].iter().map(|value| scaled(*value)),
                    );
                    bias.push(added.as_ref().map_or(0.0, |bias| scaled(bias[*channel])));
                }
                // Queries and keys of fewer numbers than values have zeros behind.
                weight.resize(weight.len() + (depths[1] - own) * inputs, 0.0);
                bias.resize(bias.len() + depths[1] - own, 0.0);
            }
        }
        names.dedup();
        let name = if names.len() == 1 { names.pop().flatten() } else { None };
        let out = parts.len() * d;
        let weight = self.param(name.as_ref(), "qkv.weight", &[out, inputs], Rc::new(weight));
        let bias = has_bias.then(|| self.param(None, "qkv.bias", &[out], Rc::new(bias)));
        let title = format!("{}/qkv", self.title);
        Ok(self.net.push(&title, Op::Linear { weight, bias }, &[source])?)
    }

    /// The same where they are no dense layers of one node: what there is side by side, and a dense layer that picks.
    fn joined_otherwise(
        &mut self,
        parts: &[(View, Vec<usize>)],
        depths: [usize; 2],
        factors: &[f64],
    ) -> Result<NodeId, Stop> {
        let heads = factors.len();
        let mut nodes: Vec<NodeId> = Vec::new();
        parts.iter().for_each(|(view, _)| {
            if !nodes.contains(&view.node) {
                nodes.push(view.node);
            }
        });
        if let Some(node) = self.side_by_side(parts, depths, factors)? {
            return Ok(node);
        }
        let widths: Vec<usize> = nodes.iter().map(|node| self.net.shape(*node).width()).collect();
        let all = match nodes.as_slice() {
            [one] => *one,
            _ => self.push(Op::Concat, &nodes)?,
        };
        let channels: usize = widths.iter().sum();
        let d = heads * depths[1];
        let len = (parts.len() * d).checked_mul(channels).filter(|len| *len <= MOST_NUMBERS);
        let mut weight = vec![0.0; len.ok_or(Stop::Unknown("brings too many channels into another order"))?];
        for (at, (view, order)) in parts.iter().enumerate() {
            let place = nodes.iter().position(|node| *node == view.node).unwrap_or_default();
            let before: usize = widths[..place].iter().sum();
            let own = order.len() / heads;
            for (place, channel) in order.iter().enumerate() {
                let row = at * d + place / own * depths[1] + place % own;
                let factor = if at == 0 { factors[place / own] } else { 1.0 };
                weight[row * channels + before + channel] = narrow(factor);
            }
        }
        let weight = self.param(None, "order", &[parts.len() * d, channels], Rc::new(weight));
        let title = format!("{}/qkv", self.title);
        Ok(self.net.push(&title, Op::Linear { weight, bias: None }, &[all])?)
    }

    /// Parts that lie together as they are, beside each other: where heads have factors of their own, or a dense layer that
    /// picks would be too large.
    fn side_by_side(
        &mut self,
        parts: &[(View, Vec<usize>)],
        depths: [usize; 2],
        factors: &[f64],
    ) -> Result<Option<NodeId>, Stop> {
        let d = factors.len() * depths[1];
        let channels = |view: &View| self.net.shape(view.node).width();
        let len: usize = parts.iter().map(|(view, _)| parts.len() * d * channels(view)).sum();
        let is_even = factors.iter().all(|factor| *factor == factors[0]);
        let together =
            |order: &[usize]| order.iter().enumerate().all(|(at, channel)| *channel == order[0] + at);
        let are_maps = parts.iter().all(|(view, _)| matches!(self.net.shape(view.node), Shape::Map { .. }));
        let fits = depths[0] == depths[1] && are_maps && parts.iter().all(|(_, order)| together(order));
        if !fits || is_even && len <= MOST_NUMBERS {
            return Ok(None);
        }
        let mut nodes = Vec::with_capacity(parts.len());
        for (at, (view, order)) in parts.iter().enumerate() {
            let (start, end) = (order[0], order[0] + order.len());
            let mut node = view.node;
            if (start, end) != (0, self.net.shape(node).width()) {
                node = self.push(Op::Channels { start, end }, &[node])?;
            }
            if at == 0 && factors.iter().any(|factor| *factor != 1.0) {
                let weight = (0..d).map(|channel| narrow(factors[channel / depths[1]])).collect();
                let weight = self.param(None, "factors", &[d], Rc::new(weight));
                node = self.push(Op::Scale { weight }, &[node])?;
            }
            nodes.push(node);
        }
        match nodes.as_slice() {
            [only] => Ok(Some(*only)),
            _ => Ok(Some(self.push(Op::Concat, &nodes)?)),
        }
    }

    /// Constant queries (heads…, n, depth) as tokens (n, d), seen as they are given.
    pub(super) fn constant_tokens(&mut self, constant: &Constant) -> Result<View, Stop> {
        let constant = self.loaded(constant)?;
        let Data::Floats(data) = &constant.data else {
            return Err(Stop::Unknown("has queries that are no floats"));
        };
        let rank = constant.shape.len();
        if rank < 2 {
            return Err(Stop::Unknown("has queries that are no matrix"));
        }
        let order = [vec![rank - 2], (0..rank - 2).collect(), vec![rank - 1]].concat();
        let strides = steps(&constant.shape);
        let shape: Vec<usize> = order.iter().map(|at| constant.shape[*at]).collect();
        let turned = gather(data, &walk(&shape, &order.iter().map(|at| strides[*at]).collect::<Vec<_>>()));
        let (n, d) = (shape[0], shape[1..].iter().product::<usize>());
        let value = self.param(None, "queries", &[1, n, d], Rc::new(turned));
        let title = format!("{}/queries", self.title);
        let node = self.net.push(&title, Op::Constant { value }, &[])?;
        let view = View::of(node, Shape::Tokens { prefix: n, places: 0, width: d });
        let back: Vec<usize> = (1..rank - 1).chain([0, rank - 1]).collect();
        let view = view.reshaped(&shape).and_then(|view| view.turned(&back));
        view.ok_or(Stop::Unknown("has queries that are not known"))
    }
}
