//! Attention, as exporters spell it: products, a factor somewhere, a softmax, a product.

use super::Given;
use crate::import::{
    constant::{Constant, Data, gather, steps, walk},
    fold,
    importer::{Importer, Stop, live},
    model::Node,
    value::{Scores, Value},
    view::{Axis, Stride, View, count},
};
use network::{NodeId, Op, ParamId, Shape};
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
        let heads_alone = (0..rank - 2).all(|at| q.is_of_channels(at) && k.is_of_channels(at));
        let is_attention = heads_alone
            && q.is_of_channels(rank - 1)
            && k.is_of_channels(rank - 2)
            && all_places(&q, rank - 2)
            && all_places(&k, rank - 1);
        if !is_attention {
            return Err(Stop::Unknown("is a product of two values that is no attention between places"));
        }
        Ok(vec![Value::Scores(Rc::new(Scores { q, k, scale: q_scale * k_scale, shape }))])
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
            && (0..rank - 2).all(|at| v.is_of_channels(at))
            && v.is_of_channels(rank - 1)
            && all_places(&v, rank - 2);
        if !fits {
            return Err(Stop::Unknown("is a product of shares and values that do not fit"));
        }
        let lead = |view: &View| (0..view.rank() - 2).collect::<Vec<_>>();
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
        let shared = |view: &View| {
            view.node == v.node || self.reads(view).is_some() && self.reads(view) == self.reads(&v)
        };
        let together = parts.iter().all(|(view, _)| shared(view) && view.has_places_of(&v));
        let inputs = if together {
            vec![self.joined(&parts, heads, depths, factor)?]
        } else {
            let q = self.joined(&parts[..1], heads, depths, factor)?;
            vec![q, self.joined(&parts[1..], heads, depths, 1.0)?]
        };
        let id = self.push(Op::Attention { heads }, &inputs)?;
        // As the queries' places lie, and heads before depths.
        let whole = View::of(id, self.net.shape(id));
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
            } else {
                heads_stride(v.side(at))
            });
        }
        let view = whole.with_sides(sides);
        Ok(live(view))
    }

    /// What a dense layer reads whose node a view is of.
    fn reads(&self, view: &View) -> Option<NodeId> {
        let node = self.net.node(view.node);
        matches!(node.op, Op::Linear { .. }).then(|| node.inputs.first().copied()).flatten()
    }

    /// Parts of queries, keys and values, one after the other as channels of one node: each in the order that is given.
    fn joined(
        &mut self,
        parts: &[(View, Vec<usize>)],
        heads: usize,
        depths: [usize; 2],
        factor: f64,
    ) -> Result<NodeId, Stop> {
        let first = parts[0].0.node;
        let is_one = parts.iter().all(|(view, _)| view.node == first);
        let channels = self.net.shape(first).width();
        let order = parts.iter().flat_map(|(_, order)| order);
        let is_plain = is_one
            && depths[0] == depths[1]
            && order.clone().copied().eq(0..channels)
            && (factor - 1.0).abs() < 1e-5;
        if is_plain {
            return Ok(first);
        }
        let source = self.reads(&parts[0].0);
        if source.is_none() || parts.iter().any(|(view, _)| self.reads(view) != source) {
            return self.joined_otherwise(parts, heads, depths, factor);
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
            let factor = if at == 0 { factor } else { 1.0 };
            let scaled = |value: f32| crate::import::function::narrow(f64::from(value) * factor);
            let own = order.len() / heads;
            for head in 0..heads {
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
        heads: usize,
        depths: [usize; 2],
        factor: f64,
    ) -> Result<NodeId, Stop> {
        let mut nodes: Vec<NodeId> = Vec::new();
        parts.iter().for_each(|(view, _)| {
            if !nodes.contains(&view.node) {
                nodes.push(view.node);
            }
        });
        let widths: Vec<usize> = nodes.iter().map(|node| self.net.shape(*node).width()).collect();
        let all = match nodes.as_slice() {
            [one] => *one,
            _ => self.push(Op::Concat, &nodes)?,
        };
        let channels: usize = widths.iter().sum();
        let d = heads * depths[1];
        let len = (parts.len() * d)
            .checked_mul(channels)
            .filter(|len| *len <= super::super::constant::MOST_NUMBERS);
        let mut weight = vec![0.0; len.ok_or(Stop::Unknown("brings too many channels into another order"))?];
        for (at, (view, order)) in parts.iter().enumerate() {
            let place = nodes.iter().position(|node| *node == view.node).unwrap_or_default();
            let before: usize = widths[..place].iter().sum();
            let own = order.len() / heads;
            let factor = if at == 0 { crate::import::function::narrow(factor) } else { 1.0 };
            for (place, channel) in order.iter().enumerate() {
                let row = at * d + place / own * depths[1] + place % own;
                weight[row * channels + before + channel] = factor;
            }
        }
        let weight = self.param(None, "order", &[parts.len() * d, channels], Rc::new(weight));
        let title = format!("{}/qkv", self.title);
        Ok(self.net.push(&title, Op::Linear { weight, bias: None }, &[all])?)
    }

    /// Constant queries (heads…, n, depth) as tokens (n, d), seen as they are given.
    fn constant_tokens(&mut self, constant: &Constant) -> Result<View, Stop> {
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

/// Whether a side walks through all places of a node, row by row.
fn all_places(view: &View, at: usize) -> bool {
    view.is_side(at, &[Axis::Row, Axis::Column, Axis::Token])
}
