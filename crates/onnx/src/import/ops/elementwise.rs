//! Functions of each number, sums and products.

use super::Given;
use crate::import::{
    constant::{Constant, Data, broadcast},
    element::{binary, unary},
    function::{Binary, Function},
    importer::{Importer, Stop, live},
    model::Node,
    value::{Factor, Live, Pending, Sequence, Stage, Value, Values},
    view::{Axis, View},
};
use network::{Activation, Op, Shape};
use std::rc::Rc;

impl Importer<'_> {
    pub(super) fn function_of_one(&mut self, node: &Node) -> Given {
        let Some(function) = unary(node) else {
            return Err(Stop::Unknown("is an operator that is not known"));
        };
        if let Value::Moment(moment) = self.value(node, 0)? {
            let stage = match (moment.stage, node.op.as_str()) {
                (Stage::Widened(eps), "Sqrt") => Some(Stage::Deviation(eps)),
                (Stage::Deviation(eps), "Reciprocal") => Some(Stage::Inverse(eps)),
                _ => None,
            };
            if let Some(stage) = stage {
                let moment = super::Value::Moment(crate::import::value::Moment { stage, ..moment.clone() });
                return Ok(vec![moment]);
            }
        }
        let live = self.functional(node, 0)?;
        let inner = live.pending.function().unwrap_or_else(|| Rc::new(Function::X));
        self.pending(live.view, Function::One(function, inner))
    }

    /// What a node reads at that place, with nothing pending that is no function of each number.
    fn functional(&mut self, node: &Node, at: usize) -> Result<Live, Stop> {
        if let Value::Live(live) = self.value(node, at)?
            && live.pending.function().is_some_and(|function| !function.is_long())
        {
            return Ok(live.clone());
        }
        self.view_at(node, at).map(Live::of)
    }

    fn pending(&mut self, view: View, function: Function) -> Given {
        Ok(vec![Value::Live(Live { view, pending: Pending::Function(Rc::new(function)) })])
    }

    pub(super) fn clip(&mut self, node: &Node) -> Given {
        if let Value::Norms(norms) = self.value(node, 0)? {
            let norms = norms.clone();
            return self.least_norms(node, &norms);
        }
        let live = self.functional(node, 0)?;
        let mut function = live.pending.function().unwrap_or_else(|| Rc::new(Function::X));
        for (at, name, op) in [(1, "min", Binary::Max), (2, "max", Binary::Min)] {
            let end = match self.constant_at(node, at)? {
                Some(constant) => {
                    self.number(&constant)?.ok_or(Stop::Unknown("has ends that are no numbers")).map(Some)?
                }
                None => node.float(name).map(f64::from),
            };
            // The ends of f32 themselves stand for none.
            if let Some(end) = end.filter(|end| end.abs() < f64::from(f32::MAX)) {
                function = Rc::new(Function::Two(op, function, Rc::new(Function::Number(end))));
            }
        }
        Ok(vec![Value::Live(Live { view: live.view, pending: Pending::Function(function) })])
    }

    pub(super) fn negative(&mut self, node: &Node) -> Given {
        let minus = Value::Constant(Constant::floats(Vec::new(), vec![-1.0]));
        let value = self.value(node, 0)?.clone();
        self.combined(node, Binary::Multiply, &value, &minus, [0, 0])
    }

    /// x where it is positive, else a slope times x: max(x, 0) - slope · max(-x, 0).
    pub(super) fn prelu(&mut self, node: &Node) -> Given {
        let slope = self.floats_at(node, 1)?;
        if let Some(slope) = self.number(&slope)? {
            let live = self.functional(node, 0)?;
            let inner = live.pending.function().unwrap_or_else(|| Rc::new(Function::X));
            let slope = crate::import::function::narrow(slope);
            let function = super::super::function::Unary::Known(Activation::LeakyRelu { slope });
            return self.pending(live.view, Function::One(function, inner));
        }
        let view = self.view_at(node, 0)?;
        let view = self.whole(&view)?;
        let slopes = self.per_channel(&view, &slope).ok_or(Stop::Unknown("has slopes for places"))?;
        let relu =
            |this: &mut Self, view: &View| this.same(Op::Activation { function: Activation::Relu }, view);
        let above = relu(self, &view)?;
        let turned = self.affine(&view, &Factor::all(-1.0), &Factor::all(0.0))?;
        let below = relu(self, &turned)?;
        let slopes = slopes.with(&Factor::all(-1.0), |a, b| a * b);
        let below = self.affine(&below, &slopes, &Factor::all(0.0))?;
        let node = self.push(Op::Add, &[above.node, below.node])?;
        Ok(live(view.on(node)))
    }

    /// Of two values, or of more where the operator takes them.
    pub(super) fn of_two(&mut self, node: &Node) -> Given {
        let op = binary(&node.op).ok_or(Stop::Unknown("is an operator that is not known"))?;
        let a = self.value(node, 0)?.clone();
        match node.inputs.len() {
            1 => Ok(vec![a]),
            2 => {
                let b = self.value(node, 1)?.clone();
                self.combined(node, op, &a, &b, [0, 1])
            }
            _ => Err(Stop::Unknown("is of more than two values")),
        }
    }

    /// `at`: the places where the node reads these.
    fn combined(&mut self, node: &Node, op: Binary, a: &Value, b: &Value, at: [usize; 2]) -> Given {
        let shape = broadcast(&a.shape(), &b.shape()).ok_or(Stop::Unknown("is of shapes that do not fit"))?;
        if let Some(moment) = self.moment(op, a, b)? {
            return Ok(vec![moment]);
        }
        match (a, b) {
            (Value::Norms(norms), Value::Constant(_)) if op == Binary::Max => self.least_norms(node, norms),
            (Value::Live(Live { view, pending: Pending::Nothing }), Value::Norms(norms))
                if op == Binary::Divide && norms.view == *view =>
            {
                self.unit(view)
            }
            (Value::Scores(scores), Value::Constant(constant)) if shape == scores.shape => {
                self.scores(op, scores, constant)
            }
            (Value::Constant(constant), Value::Scores(scores))
                if (op == Binary::Multiply || op == Binary::Add) && shape == scores.shape =>
            {
                self.scores(op, scores, constant)
            }
            (Value::Sequence(sequence), Value::Constant(constant))
            | (Value::Constant(constant), Value::Sequence(sequence))
                if op == Binary::Add =>
            {
                self.positions(sequence, constant)
            }
            (_, Value::Constant(constant)) => self.with_constant(node, at[0], op, constant, false, &shape),
            (Value::Constant(constant), _) => self.with_constant(node, at[1], op, constant, true, &shape),
            _ => self.of_live(node, op),
        }
    }

    /// The one number that a constant is; `None` where there are several.
    pub(super) fn number(&self, constant: &Constant) -> Result<Option<f64>, Stop> {
        let constant = self.loaded(constant)?;
        Ok(match &constant.data {
            Data::Floats(data) if data.len() == 1 => Some(f64::from(data[0])),
            #[expect(clippy::cast_precision_loss, reason = "exponents and the like are small")]
            Data::Integers(data) if data.len() == 1 => Some(data[0] as f64),
            _ => None,
        })
    }

    /// x op constant, or constant op x where it stands `first`.
    fn with_constant(
        &mut self,
        node: &Node,
        at: usize,
        op: Binary,
        constant: &Constant,
        first: bool,
        shape: &[usize],
    ) -> Given {
        let constant = &self.loaded(constant)?;
        let mut live = match self.value(node, at)? {
            Value::Live(live) => live.clone(),
            _ => Live::of(self.view_at(node, at)?),
        };
        if live.view.shape() != shape {
            let view = live.view.reshaped(shape);
            live.view = view.ok_or(Stop::Unknown("repeats what it reads, to fit a constant"))?;
        }
        let Some(mut factor) = self.factor(&live.view, constant)? else {
            return self.with_places(&live, op, constant, shape);
        };
        if let Values::All(number) = factor.values {
            let is_affine = match op {
                Binary::Add | Binary::Subtract | Binary::Multiply => true,
                Binary::Divide => !first,
                _ => false,
            };
            if let Pending::Affine { .. } = live.pending
                && live.pending.function().is_none()
            {
                // Numbers of channels are done first, so that what follows is a function of each number.
                let view = self.view_at(node, at)?;
                live = Live::of(
                    view.reshaped(shape).ok_or(Stop::Unknown("repeats what it reads, to fit a constant"))?,
                );
            }
            if !is_affine || matches!(live.pending, Pending::Function(_)) {
                let live = if live.pending.function().is_some_and(|function| !function.is_long()) {
                    live
                } else {
                    let view = self.view_at(node, at)?;
                    Live::of(if view.shape() == shape {
                        view
                    } else {
                        view.reshaped(shape).unwrap_or(live.view)
                    })
                };
                let (inner, number) = (
                    live.pending.function().unwrap_or_else(|| Rc::new(Function::X)),
                    Rc::new(Function::Number(number)),
                );
                let (a, b) = if first { (number, inner) } else { (inner, number) };
                return self.pending(live.view, Function::Two(op, a, b));
            }
        }
        // A bias belongs to what it is added to, and a factor of channels that follows comes after it.
        let is_factor =
            matches!(op, Binary::Multiply | Binary::Divide) && matches!(factor.values, Values::Each(_));
        let has_bias = matches!(&live.pending, Pending::Affine { scale, shift } if scale.is_all(1.0) && !shift.is_all(0.0));
        let is_dense = matches!(self.net.node(live.view.node).op, Op::Linear { .. } | Op::Conv { .. });
        if matches!(live.pending, Pending::Function(_)) || is_factor && has_bias && is_dense {
            let view = self.view_at(node, at)?;
            live = Live::of(
                view.reshaped(shape).ok_or(Stop::Unknown("repeats what it reads, to fit a constant"))?,
            );
        }
        let Some((scale, shift)) = live.pending.affine() else {
            return Err(Stop::Unknown("is of something that is not known"));
        };
        let minus = |factor: &Factor| factor.with(&Factor::all(-1.0), |a, b| a * b);
        let sum = |a: &Factor, b: &Factor| if a.is_all(0.0) { b.clone() } else { a.with(b, |a, b| a + b) };
        let times = |a: &Factor, b: &Factor| {
            if a.is_all(1.0) {
                b.clone()
            } else if a.is_all(0.0) {
                a.clone()
            } else {
                a.with(b, |a, b| a * b)
            }
        };
        let (scale, shift) = match (op, first) {
            (Binary::Add, _) => (scale, sum(&shift, &factor)),
            (Binary::Subtract, false) => (scale, sum(&shift, &minus(&factor))),
            (Binary::Subtract, true) => (minus(&scale), sum(&minus(&shift), &factor)),
            (Binary::Multiply, _) => (times(&scale, &factor), times(&shift, &factor)),
            (Binary::Divide, false) => {
                factor = factor.with(&Factor::all(1.0), |a, one| one / a);
                (times(&scale, &factor), times(&shift, &factor))
            }
            _ => {
                return Err(Stop::Unknown(
                    "is of channels and numbers of their own in a way that is not known",
                ));
            }
        };
        Ok(vec![Value::Live(Live { view: live.view, pending: Pending::Affine { scale, shift } })])
    }

    /// A constant that differs by channel alone, or not at all.
    fn factor(&self, view: &View, constant: &Constant) -> Result<Option<Factor>, Stop> {
        if let Some(number) = self.number(constant)? {
            return Ok(Some(Factor::all(number)));
        }
        Ok(self.per_channel(view, constant))
    }

    /// A constant with a number of its own for every place: positions of tokens.
    fn with_places(&mut self, live: &Live, op: Binary, constant: &Constant, shape: &[usize]) -> Given {
        let is_nothing = matches!(live.pending, Pending::Nothing);
        let view = if is_nothing {
            live.view.clone()
        } else {
            match &live.pending {
                Pending::Affine { scale, shift } => self.affine(&live.view, scale, shift)?,
                _ => return Err(Stop::Unknown("adds numbers of places to a function")),
            }
        };
        let is_tokens = view.rank() == 3
            && matches!(self.net.shape(view.node), Shape::Map { .. })
            && view.is_side(1, &[Axis::Row, Axis::Column])
            && view.is_side(2, &[Axis::Channel]);
        if op != Binary::Add || !is_tokens || constant.len() != shape.iter().product::<usize>() {
            return Err(Stop::Unknown("has a constant with a number for every place"));
        }
        let (places, positions) = (view, Some(constant.clone()));
        let sequence = Sequence { prefix: Vec::new(), places, positions, shape: shape.to_vec() };
        Ok(vec![Value::Sequence(Rc::new(sequence))])
    }

    /// Positions of tokens that are in the making.
    fn positions(&mut self, sequence: &Sequence, constant: &Constant) -> Given {
        let len: usize = sequence.shape.iter().product();
        if sequence.positions.is_some() || constant.len() != len {
            return Err(Stop::Unknown("adds a constant to tokens that is no position of each"));
        }
        let sequence = Sequence { positions: Some(constant.clone()), ..sequence.clone() };
        Ok(vec![Value::Sequence(Rc::new(sequence))])
    }

    /// Of two values that both depend on the picture.
    fn of_live(&mut self, node: &Node, op: Binary) -> Given {
        if let (Value::Live(a), Value::Live(b)) = (self.value(node, 0)?, self.value(node, 1)?)
            && a.view == b.view
            && let (Some(f), Some(g)) = (a.pending.function(), b.pending.function())
            && !f.is_long()
            && !g.is_long()
        {
            let view = a.view.clone();
            return self.pending(view, Function::Two(op, f, g));
        }
        // What is pending on one of them with numbers of channels is done first; then both may be functions of one.
        let (a, b) = (self.view_at(node, 0)?, self.view_at(node, 1)?);
        if a == b {
            return self.pending(a, Function::Two(op, Rc::new(Function::X), Rc::new(Function::X)));
        }
        let (a, mut b) = (self.whole(&a)?, self.whole(&b)?);
        if op == Binary::Multiply {
            if let Some(view) = self.gate(&a, &b)? {
                return Ok(live(view));
            }
            if let Some(view) = self.gate(&b, &a)? {
                return Ok(live(view));
            }
        }
        if op == Binary::Subtract {
            b = self.affine(&b, &Factor::all(-1.0), &Factor::all(0.0))?;
        }
        let op = match op {
            Binary::Add | Binary::Subtract => Op::Add,
            Binary::Multiply => Op::Multiply,
            _ => return Err(Stop::Unknown("is of two values in a way that is not known")),
        };
        let (a, b) = self.alike(a, b)?;
        let id = self.push(op, &[a.node, b.node])?;
        Ok(live(a.on(id)))
    }

    /// Two views that walk through their nodes alike.
    fn alike(&mut self, a: View, b: View) -> Result<(View, View), Stop> {
        let rank = a.rank().max(b.rank());
        let raised = |view: View| {
            let shape = [vec![1; rank - view.rank()], view.shape()].concat();
            view.reshaped(&shape).ok_or(Stop::Unknown("is of shapes that do not fit"))
        };
        let (mut a, mut b) = (raised(a)?, raised(b)?);
        let is_vector = |this: &Self, view: &View| matches!(this.net.shape(view.node), Shape::Vector(_));
        if is_vector(self, &a) || is_vector(self, &b) {
            (a, b) = (self.vector(&a)?, self.vector(&b)?);
        }
        if a.is_like(&b) {
            return Ok((a, b));
        }
        // Channels in another order on one side.
        if a.shape() == b.shape() && a.has_places_of(&b) {
            for at in 0..rank {
                if a.is_of_channels(at) && !a.side(at).is_empty() && b.is_of_channels(at) {
                    (a, b) = (self.ordered(&a, at)?, self.ordered(&b, at)?);
                }
            }
            if a.is_like(&b) {
                return Ok((a, b));
            }
        }
        Err(Stop::Unknown("is of two values whose places or channels lie differently"))
    }

    /// Every place of a map times numbers of channels, if that is what both are.
    fn gate(&mut self, map: &View, gates: &View) -> Result<Option<View>, Stop> {
        let (Shape::Map { channels, .. }, Shape::Map { channels: of_gates, height: 1, width: 1 }) =
            (self.net.shape(map.node), self.net.shape(gates.node))
        else {
            return Ok(None);
        };
        let missing = map.rank().checked_sub(gates.rank());
        let fits = channels == of_gates
            && !matches!(self.net.shape(map.node), Shape::Map { height: 1, width: 1, .. })
            && missing.is_some_and(|missing| {
                (0..map.rank()).all(|at| {
                    let gates = at.checked_sub(missing).map_or(&[][..], |at| gates.side(at));
                    if map.is_of_channels(at) { map.side(at) == gates } else { gates.is_empty() }
                })
            });
        if !fits {
            return Ok(None);
        }
        let node = self.push(Op::Gate, &[map.node, gates.node])?;
        Ok(Some(map.on(node)))
    }
}
