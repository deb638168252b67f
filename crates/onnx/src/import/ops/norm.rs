//! Normalisation: of batches, and of channels, which many files spell out.

use super::Given;
use crate::import::{
    constant::Data,
    function::Binary,
    importer::{Importer, Stop, live},
    model::Node,
    value::{Factor, Live, Moment, Pending, Stage, Value},
    view::{Axis, View},
};
use network::{Op, ParamId, Shape};
use std::rc::Rc;

impl Importer<'_> {
    pub(super) fn batch_norm(&mut self, node: &Node) -> Given {
        if node.int("training_mode").unwrap_or(0) != 0 {
            return Err(Stop::Unknown("works out statistics of its batch"));
        }
        if node.int("spatial").unwrap_or(1) != 1 {
            return Err(Stop::Unknown("has statistics for every place"));
        }
        let view = self.view_at(node, 0)?;
        if view.rank() < 2 {
            return Err(Stop::Unknown("reads what has no channels"));
        }
        let view = self.ordered(&view, 1)?;
        let channels = view.length(Axis::Channel);
        let mut params = Vec::new();
        for (at, part) in ["weight", "bias", "running_mean", "running_var"].into_iter().enumerate() {
            let constant = self.floats_at(node, at + 1)?;
            let Data::Floats(numbers) = &constant.data else { continue };
            if numbers.len() != channels {
                return Err(Stop::Unknown("has statistics of another number of channels"));
            }
            params.push(self.param(constant.name.as_ref(), part, &[channels], numbers.clone()));
        }
        let &[weight, bias, mean, variance] = params.as_slice() else {
            return Err(Stop::Unknown("lacks its statistics"));
        };
        let eps = node.float("epsilon").unwrap_or(1e-5);
        Ok(live(self.same(Op::BatchNorm { weight, bias, mean, variance, eps }, &view)?))
    }

    pub(super) fn layer_norm(&mut self, node: &Node) -> Given {
        let view = self.view_at(node, 0)?;
        let axis = super::fold::axis(node.int("axis").unwrap_or(-1), view.rank());
        if axis.map(|axis| axis + 1) != Some(view.rank()) || view.rank() == 0 {
            return Err(Stop::Unknown("normalises channels and places together"));
        }
        let view = self.ordered(&view, view.rank() - 1)?;
        let channels = view.length(Axis::Channel);
        let scale = self.floats_at(node, 1)?;
        let bias = if Self::has(node, 2) { Some(self.floats_at(node, 2)?) } else { None };
        let Data::Floats(numbers) = &scale.data else {
            return Err(Stop::Unknown("has weights that are no floats"));
        };
        let shift = match &bias {
            Some(bias) => match &bias.data {
                Data::Floats(numbers) => numbers.clone(),
                _ => return Err(Stop::Unknown("has weights that are no floats")),
            },
            None => Rc::new(vec![0.0; channels]),
        };
        if numbers.len() != channels || shift.len() != channels {
            return Err(Stop::Unknown("has weights of another number of channels"));
        }
        let weight = self.param(scale.name.as_ref(), "weight", &[channels], numbers.clone());
        let name = bias.and_then(|bias| bias.name);
        let bias = self.param(name.as_ref(), "bias", &[channels], shift);
        let eps = node.float("epsilon").unwrap_or(1e-5);
        Ok(live(self.same(Op::LayerNorm { weight, bias, eps }, &view)?))
    }

    /// A norm by the root of a mean of squares, of what is centred: a layer norm whose summands are still to come.
    pub(super) fn root_mean_square(&mut self, node: &Node) -> Given {
        let unknown = || Stop::Unknown("divides by the root of a mean of squares that are not centred");
        let Value::Moment(Moment { view, stage: Stage::Centred, .. }) = self.value(node, 0)?.clone() else {
            return Err(unknown());
        };
        let axis = super::fold::axis(node.int("axis").unwrap_or(-1), view.rank());
        let (true, Data::Floats(numbers)) =
            (axis.is_some_and(|axis| axis + 1 == view.rank()), self.floats_at(node, 1)?.data)
        else {
            return Err(unknown());
        };
        let name = self.floats_at(node, 1)?.name;
        let eps = f64::from(node.float("epsilon").unwrap_or(1e-5));
        let Value::Live(Live { view, .. }) = self.normalised(&view, eps)? else { return Err(unknown()) };
        if numbers.len() != view.length(Axis::Channel) {
            return Err(unknown());
        }
        let scale = Factor::each(numbers.iter().map(|number| f64::from(*number)).collect(), name);
        let pending = Pending::Affine { scale, shift: Factor::all(0.0) };
        Ok(vec![Value::Live(Live { view, pending })])
    }

    /// The root of each channel's sum of squares, if the sum is over all places of a map.
    pub(super) fn roots(&mut self, view: View, gone: &[usize], keeps: bool) -> Given {
        let is_map = matches!(self.net.shape(view.node), Shape::Map { .. }) && view.is_whole();
        let of_places = |at: usize| view.side(at).is_empty() || view.is_of_places(at) == gone.contains(&at);
        let shape = without(&view.shape(), gone);
        let is_known = is_map && keeps && (0..view.rank()).all(of_places);
        if !is_known || shape.iter().product::<usize>() != view.length(Axis::Channel) {
            return Err(Stop::Unknown(
                "is a norm over other than the channels of each head, or the places of a map",
            ));
        }
        Ok(vec![Value::Moment(Moment { view, stage: Stage::Root, shape })])
    }

    /// A mean of squares is a variance; of roots it is their mean.
    pub(super) fn mean_of(&mut self, moment: &Moment, gone: &[usize], keeps: bool) -> Given {
        let shape = without(&moment.shape, gone);
        let rest: usize = shape.iter().product();
        if moment.stage == Stage::Root && keeps && rest == 1 {
            let view = moment.view.clone();
            return Ok(vec![Value::Moment(Moment { stage: Stage::RootMean, shape, view })]);
        }
        let places = moment.shape.iter().product::<usize>() / moment.view.length(Axis::Channel);
        if moment.stage != Stage::Square || !keeps || rest != places {
            return Err(Stop::Unknown("is a mean of means"));
        }
        Ok(vec![Value::Moment(Moment { stage: Stage::Variance, shape, view: moment.view.clone() })])
    }

    /// A step towards normalised channels, if it is one: an operator of a moment and of what it reads beside.
    pub(super) fn moment(&mut self, op: Binary, a: &Value, b: &Value) -> Result<Option<Value>, Stop> {
        let next = |moment: &Moment, stage| Some(Value::Moment(Moment { stage, ..moment.clone() }));
        Ok(match (op, a, b) {
            (Binary::Subtract, Value::Live(Live { view, .. }), Value::Moment(mean))
                if mean.stage == Stage::Mean && mean.view == *view =>
            {
                let shape = view.shape();
                Some(Value::Moment(Moment { view: view.clone(), stage: Stage::Centred, shape }))
            }
            (Binary::Power, Value::Moment(centred), Value::Constant(two))
                if centred.stage == Stage::Centred =>
            {
                let is_two = self.number(two)? == Some(2.0);
                if is_two { next(centred, Stage::Square) } else { None }
            }
            (Binary::Multiply, Value::Moment(a), Value::Moment(b))
                if a.stage == Stage::Centred && b.stage == Stage::Centred && a.view == b.view =>
            {
                next(a, Stage::Square)
            }
            (Binary::Add, Value::Moment(variance), Value::Constant(eps))
            | (Binary::Add, Value::Constant(eps), Value::Moment(variance))
                if variance.stage == Stage::Variance =>
            {
                let eps = self.number(eps)?;
                eps.and_then(|eps| next(variance, Stage::Widened(eps)))
            }
            (Binary::Power, Value::Moment(widened), Value::Constant(exponent)) => {
                match (widened.stage, self.number(exponent)?) {
                    (Stage::Widened(eps), Some(0.5)) => next(widened, Stage::Deviation(eps)),
                    (Stage::Widened(eps), Some(-0.5)) => next(widened, Stage::Inverse(eps)),
                    _ => None,
                }
            }
            (Binary::Divide, Value::Constant(one), Value::Moment(deviation)) => {
                match (deviation.stage, self.number(one)?) {
                    (Stage::Deviation(eps), Some(1.0)) => next(deviation, Stage::Inverse(eps)),
                    _ => None,
                }
            }
            (Binary::Divide, Value::Moment(centred), Value::Moment(deviation)) => {
                match (centred.stage, deviation.stage) {
                    (Stage::Centred, Stage::Deviation(eps)) if centred.view == deviation.view => {
                        Some(self.normalised(&centred.view.clone(), eps)?)
                    }
                    // Here the first is the root, and the second the mean of roots.
                    (Stage::Root, Stage::RootWidened(eps)) if centred.view == deviation.view => {
                        next(centred, Stage::Response(eps))
                    }
                    _ => None,
                }
            }
            (Binary::Multiply, Value::Moment(a), Value::Moment(b)) => match (a.stage, b.stage) {
                (Stage::Centred, Stage::Inverse(eps)) | (Stage::Inverse(eps), Stage::Centred)
                    if a.view == b.view =>
                {
                    Some(self.normalised(&a.view.clone(), eps)?)
                }
                _ => None,
            },
            (Binary::Add, Value::Moment(mean), Value::Constant(eps))
            | (Binary::Add, Value::Constant(eps), Value::Moment(mean))
                if mean.stage == Stage::RootMean =>
            {
                let eps = self.number(eps)?;
                eps.and_then(|eps| next(mean, Stage::RootWidened(eps)))
            }
            (Binary::Multiply, Value::Live(live), Value::Moment(response))
            | (Binary::Multiply, Value::Moment(response), Value::Live(live)) => {
                let is_nothing = matches!(live.pending, Pending::Nothing);
                let op = |weight, bias, eps| Op::ResponseNorm { weight, bias, eps };
                match response.stage {
                    Stage::Response(eps) if is_nothing && response.view == live.view => {
                        Some(self.plain(&live.view, eps, op)?)
                    }
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// A layer norm whose factors and summands are still to come.
    fn normalised(&mut self, view: &View, eps: f64) -> Result<Value, Stop> {
        self.plain(view, eps, |weight, bias, eps| Op::LayerNorm { weight, bias, eps })
    }

    /// A norm with factors 1 and summands 0.
    fn plain(
        &mut self,
        view: &View,
        eps: f64,
        op: impl Fn(ParamId, ParamId, f32) -> Op,
    ) -> Result<Value, Stop> {
        let channels = view.length(Axis::Channel);
        let weight = self.param(None, "weight", &[channels], Rc::new(vec![1.0; channels]));
        let bias = self.param(None, "bias", &[channels], Rc::new(vec![0.0; channels]));
        let eps = crate::import::function::narrow(eps);
        let view = self.same(op(weight, bias, eps), view)?;
        self.plain_norms.insert(view.node);
        Ok(Value::Live(Live::of(view)))
    }
}

/// A shape whose axes `gone` are sides of 1.
fn without(shape: &[usize], gone: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().map(|(at, side)| if gone.contains(&at) { 1 } else { *side }).collect()
}
