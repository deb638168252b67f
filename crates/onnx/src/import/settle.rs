//! Brings what is pending into nodes of ours.

use super::{
    constant::{Constant, Data},
    function::{Binary, Function, Unary, narrow},
    importer::{Importer, Stop},
    value::{Factor, Live, Pending, Sequence, Value, Values},
    view::{Axis, View},
};
use network::{Activation, Interpolation, Op, Padding, Pair, Shape};
use std::rc::Rc;

/// Added to the variance of a batch norm that only scales and shifts: too little to show.
const NO_EPS: f32 = 1e-12;

impl Importer<'_> {
    /// The view that a value comes to, nothing pending any more. Whoever reads it next sees the same node.
    pub(super) fn settled(&mut self, name: &str) -> Result<View, Stop> {
        let Some(value) = self.values.get(name) else { return Err(Stop::Unknown("reads what is not there")) };
        if let Value::Live(Live { view, pending: Pending::Nothing }) = value {
            return Ok(view.clone());
        }
        let value = value.clone();
        // It is called as the node that gave it.
        let reader = std::mem::take(&mut self.title);
        self.title = self.titles.get(name).cloned().unwrap_or_else(|| name.to_owned());
        let view = self.view_of(value);
        self.title = reader;
        let view = view?;
        self.values.insert(name.to_owned(), Value::Live(Live::of(view.clone())));
        Ok(view)
    }

    fn view_of(&mut self, value: Value) -> Result<View, Stop> {
        match value {
            Value::Live(Live { view, pending }) => match pending {
                Pending::Nothing => Ok(view),
                Pending::Affine { scale, shift } => self.affine(&view, &scale, &shift),
                Pending::Function(function) => self.function(&view, &function),
            },
            Value::Sequence(sequence) => self.sequence(&sequence),
            Value::Padded(view, pads) => self.padded(&view, pads),
            Value::Unknown(unknown) => Err(Stop::From(unknown)),
            Value::Constant(_) => {
                Err(Stop::Unknown("reads a constant where something of the picture is known"))
            }
            Value::Norms(_) => Err(Stop::Unknown("reads norms of channels")),
            Value::Never(_) => Err(Stop::Unknown("reads truth values")),
            Value::Moment(_) => Err(Stop::Unknown("reads a mean or a variance over channels")),
            Value::Scores(_) | Value::Shares(_) => Err(Stop::Unknown("reads the scores of attention")),
            Value::Softmax(_) => Err(Stop::Unknown("reads a softmax that is no attention's")),
        }
    }

    /// The view of what a node reads at that place.
    pub(super) fn view_at(&mut self, node: &super::model::Node, at: usize) -> Result<View, Stop> {
        let name = node.inputs.get(at).filter(|name| !name.is_empty());
        let name = name.ok_or(Stop::Unknown("lacks something that it should read"))?.clone();
        self.settled(&name)
    }

    /// Every number times a factor, and a summand added, per channel.
    pub(super) fn affine(&mut self, view: &View, scale: &Factor, shift: &Factor) -> Result<View, Stop> {
        if scale.is_all(1.0) && shift.is_all(0.0) {
            return Ok(view.clone());
        }
        let channels = view.length(Axis::Channel);
        let numbers = |factor: &Factor| -> Rc<Vec<f32>> {
            Rc::new(factor.expanded(channels).into_iter().map(narrow).collect())
        };
        let near =
            |a: &Factor, value: f64| matches!(a.values, Values::All(all) if (all - value).abs() < 1e-7);
        if near(scale, 1.0) && near(shift, 0.0) {
            return Ok(view.clone());
        }
        let node = self.net.node(view.node).clone();
        match node.op {
            Op::LayerNorm { eps, .. } if self.plain_norms.contains(&view.node) => {
                let weight = self.param(scale.name.as_ref(), "weight", &[channels], numbers(scale));
                let bias = self.param(shift.name.as_ref(), "bias", &[channels], numbers(shift));
                let node = self.push(Op::LayerNorm { weight, bias, eps }, &node.inputs)?;
                return Ok(view.on(node));
            }
            Op::ResponseNorm { eps, .. } if self.plain_norms.contains(&view.node) => {
                let weight = self.param(scale.name.as_ref(), "weight", &[channels], numbers(scale));
                let bias = self.param(shift.name.as_ref(), "bias", &[channels], numbers(shift));
                let node = self.push(Op::ResponseNorm { weight, bias, eps }, &node.inputs)?;
                return Ok(view.on(node));
            }
            Op::BatchNorm { weight, bias, mean, variance, eps } => {
                let [before, added] = [weight, bias].map(|param| self.filled[param.index()].clone());
                let (scale, shift) = (scale.expanded(channels), shift.expanded(channels));
                let weights = (0..channels).map(|at| narrow(f64::from(before[at]) * scale[at])).collect();
                let biases =
                    (0..channels).map(|at| narrow(f64::from(added[at]) * scale[at] + shift[at])).collect();
                let weight = self.param(None, "weight", &[channels], Rc::new(weights));
                let bias = self.param(None, "bias", &[channels], Rc::new(biases));
                let node = self.push(Op::BatchNorm { weight, bias, mean, variance, eps }, &node.inputs)?;
                return Ok(view.on(node));
            }
            Op::Linear { weight, bias } if scale.is_all(1.0) => {
                let bias = Some(self.summed(bias, shift, channels));
                let node = self.push(Op::Linear { weight, bias }, &node.inputs)?;
                return Ok(view.on(node));
            }
            Op::Conv { weight, bias, stride, padding, groups, dilation } if scale.is_all(1.0) => {
                let bias = Some(self.summed(bias, shift, channels));
                let op = Op::Conv { weight, bias, stride, padding, groups, dilation };
                let node = self.push(op, &node.inputs)?;
                return Ok(view.on(node));
            }
            _ => {}
        }
        let weight = self.param(scale.name.as_ref(), "weight", &[channels], numbers(scale));
        if shift.is_all(0.0) {
            return self.same(Op::Scale { weight }, view);
        }
        let bias = self.param(shift.name.as_ref(), "bias", &[channels], numbers(shift));
        let mean = self.param(None, "running_mean", &[channels], Rc::new(vec![0.0; channels]));
        let variance = self.param(None, "running_var", &[channels], Rc::new(vec![1.0; channels]));
        self.same(Op::BatchNorm { weight, bias, mean, variance, eps: NO_EPS }, view)
    }

    /// A bias with something added.
    fn summed(
        &mut self,
        bias: Option<network::ParamId>,
        shift: &Factor,
        channels: usize,
    ) -> network::ParamId {
        let before = bias.map(|bias| self.filled[bias.index()].clone());
        let added = shift.expanded(channels);
        let sum = |at: usize| narrow(added[at] + before.as_ref().map_or(0.0, |bias| f64::from(bias[at])));
        let name = shift.name.clone().filter(|_| before.is_none());
        self.param(name.as_ref(), "bias", &[channels], Rc::new((0..channels).map(sum).collect()))
    }

    /// A function of every number: one of ours, or the steps that it is spelt in.
    fn function(&mut self, view: &View, function: &Function) -> Result<View, Stop> {
        if let Some((scale, shift)) = function.affine() {
            return self.affine(view, &Factor::all(scale), &Factor::all(shift));
        }
        if let Some(function) = function.known() {
            return self.same(Op::Activation { function }, view);
        }
        let peeled = function.peeled();
        for (core, scale, shift) in &peeled {
            // One of ours of something that bends is none of ours as a whole.
            if matches!(core, Function::One(Unary::Known(_), of) if of.affine().is_none()) {
                continue;
            }
            if let Some((inner, summand, outer, function)) = core.known_between() {
                let view = self.affine(view, &Factor::all(inner), &Factor::all(summand))?;
                let view = self.same(Op::Activation { function }, &view)?;
                return self.affine(&view, &Factor::all(scale * outer), &Factor::all(*shift));
            }
        }
        if let Some((core, scale, shift)) = peeled.last()
            && peeled.len() > 1
        {
            let view = self.function(view, core)?;
            return self.affine(&view, &Factor::all(*scale), &Factor::all(*shift));
        }
        let unknown = Stop::Unknown("is part of a function of numbers that is not known");
        match function {
            Function::X => Ok(view.clone()),
            Function::Number(_) => Err(unknown),
            Function::One(Unary::Known(function), of) => {
                let view = self.function(view, of)?;
                self.same(Op::Activation { function: *function }, &view)
            }
            Function::One(Unary::HardSigmoid(alpha, beta), of) => {
                let view = self.function(view, of)?;
                let view = self.affine(&view, &Factor::all(*alpha), &Factor::all(*beta))?;
                self.same(Op::Activation { function: Activation::Clip { low: 0.0, high: 1.0 } }, &view)
            }
            Function::One(..) => Err(unknown),
            Function::Two(op, a, b) => match (op, &**a, &**b) {
                (Binary::Power, of, Function::Number(2.0)) => {
                    let view = self.function(view, of)?;
                    let node = self.push(Op::Multiply, &[view.node, view.node])?;
                    Ok(view.on(node))
                }
                (Binary::Max, of, Function::Number(low)) | (Binary::Max, Function::Number(low), of) => {
                    self.clipped(view, of, narrow(*low), f32::MAX)
                }
                (Binary::Min, of, Function::Number(high)) | (Binary::Min, Function::Number(high), of) => {
                    self.clipped(view, of, f32::MIN, narrow(*high))
                }
                (Binary::Add | Binary::Multiply | Binary::Subtract, a, b) => {
                    let (a, mut b) = (self.function(view, a)?, self.function(view, b)?);
                    if *op == Binary::Subtract {
                        b = self.affine(&b, &Factor::all(-1.0), &Factor::all(0.0))?;
                    }
                    let op = if *op == Binary::Multiply { Op::Multiply } else { Op::Add };
                    let node = self.push(op, &[a.node, b.node])?;
                    Ok(a.on(node))
                }
                _ => Err(unknown),
            },
        }
    }

    fn clipped(&mut self, view: &View, of: &Function, low: f32, high: f32) -> Result<View, Stop> {
        let view = self.function(view, of)?;
        self.same(Op::Activation { function: Activation::Clip { low, high } }, &view)
    }

    /// A map as tokens, with what stands before them and what is added.
    fn sequence(&mut self, sequence: &Sequence) -> Result<View, Stop> {
        let view = self.whole(&sequence.places)?;
        let Shape::Map { channels: d, height, width } = self.net.shape(view.node) else {
            return Err(Stop::Unknown("puts tokens before, or adds positions to, what is no map"));
        };
        if !view.is_side(1, &[Axis::Row, Axis::Column]) || !view.is_side(2, &[Axis::Channel]) {
            return Err(Stop::Unknown("reads the places of a map in another order than row by row"));
        }
        let mut prefix = Vec::new();
        let mut count = 0;
        for token in &sequence.prefix {
            let token = self.loaded(token)?;
            let Data::Floats(data) = &token.data else {
                return Err(Stop::Unknown("has tokens that are no floats"));
            };
            let k = data.len() / d;
            count += k;
            prefix.push(self.param(token.name.as_ref(), "prefix", &[1, k, d], data.clone()));
        }
        let positions = match &sequence.positions {
            Some(positions) => {
                let positions = self.loaded(positions)?;
                let Data::Floats(data) = &positions.data else {
                    return Err(Stop::Unknown("has positions that are no floats"));
                };
                self.param(positions.name.as_ref(), "positions", &[1, data.len() / d, d], data.clone())
            }
            None => {
                let len = (height * width).checked_mul(d).filter(|len| *len <= super::constant::MOST_NUMBERS);
                let zeros = Rc::new(vec![0.0; len.ok_or(Stop::Unknown("makes tokens of too large a map"))?]);
                self.param(None, "positions", &[1, height * width, d], zeros)
            }
        };
        let op = Op::Tokens {
            prefix,
            positions,
            grid: (height, width),
            interpolation: Interpolation::Antialiased,
        };
        let node = self.push(op, &[view.node])?;
        let whole = View::of(node, Shape::Tokens { prefix: count, places: height * width, width: d });
        whole.reshaped(&sequence.shape).ok_or(Stop::Unknown("gives tokens of a shape that is not known"))
    }

    /// A map with zeros around it, where no convolution or pool takes them: what a convolution of 1×1 gives that changes
    /// nothing else.
    pub(super) fn padded(
        &mut self,
        view: &View,
        [top, left, bottom, right]: [usize; 4],
    ) -> Result<View, Stop> {
        let view = self.map(view)?;
        let channels = view.length(Axis::Channel);
        let weight = self.param(None, "weight", &[channels, 1, 1, 1], Rc::new(vec![1.0; channels]));
        let op = Op::Conv {
            weight,
            bias: None,
            stride: Pair::ONE,
            padding: Padding { top, left, bottom, right },
            groups: channels,
            dilation: Pair::ONE,
        };
        let node = self.push(op, &[view.node])?;
        Ok(View::of(node, self.net.shape(node)))
    }

    /// The numbers of a constant, one for each channel that a view walks through, where it differs by channel alone.
    pub(super) fn per_channel(&self, view: &View, constant: &Constant) -> Option<Factor> {
        let Data::Floats(data) = &constant.data else { return None };
        let missing = view.rank().checked_sub(constant.shape.len())?;
        let sides: Vec<usize> =
            (missing..view.rank()).filter(|at| constant.shape[at - missing] > 1).collect();
        if sides.is_empty() {
            return data.first().map(|value| Factor::all(f64::from(*value)));
        }
        let shape = view.shape();
        let fits = |at: &usize| view.is_of_channels(*at) && shape[*at] == constant.shape[at - missing];
        if !sides.iter().all(fits) {
            return None;
        }
        // Every channel that is seen gets its number; those that are not are not asked for.
        let channels = view.length(Axis::Channel);
        let mut values = vec![0.0; channels];
        let seen = view.channels(&sides);
        let others: Vec<usize> = (0..view.rank()).filter(|at| !sides.contains(at)).collect();
        let mut rest = view.channels(&others);
        let start = view.start(Axis::Channel);
        rest.iter_mut().for_each(|channel| *channel -= start);
        for (channel, value) in seen.iter().zip(data.iter()) {
            for beside in &rest {
                *values.get_mut(channel + beside)? = f64::from(*value);
            }
        }
        let name = constant.name.clone().filter(|_| {
            data.len() == channels && seen.iter().enumerate().all(|(at, channel)| at == *channel)
        });
        let all = data.first().filter(|first| data.iter().all(|value| value == *first) && data.len() > 1);
        Some(match (all, &name) {
            // As one number it may still be part of a function.
            (Some(value), None) => Factor::all(f64::from(*value)),
            _ => Factor { values: Values::Each(Rc::new(values)), name },
        })
    }
}
