//! Dense layers: products with constant matrices.

use super::Given;
use crate::import::{
    constant::{Constant, Data},
    importer::{Importer, Stop, live},
    model::Node,
    value::{Factor, Live, Pending, Value},
    view::{Axis, View},
};
use network::{Op, Shape};
use std::rc::Rc;

impl Importer<'_> {
    pub(super) fn product(&mut self, node: &Node) -> Given {
        match (self.value(node, 0)?, self.value(node, 1)?) {
            (Value::Constant(_), Value::Constant(_)) => Err(Stop::Unknown(
                "works on constants in a way that is not known; fold them first, as onnxsim does",
            )),
            (_, Value::Constant(_)) => {
                let weight = self.floats_at(node, 1)?;
                let view = self.view_at(node, 0)?;
                if let Some(cells) = self.cells(&view, &weight, false)? {
                    return Ok(live(cells));
                }
                let (weight, rows) = match weight.shape.as_slice() {
                    &[rows, columns] => (turned(&weight, rows, columns)?, rows),
                    [ones @ .., rows, columns] if ones.iter().all(|side| *side == 1) => {
                        (turned(&weight, *rows, *columns)?, *rows)
                    }
                    _ => return Err(Stop::Unknown("is a product with several matrices")),
                };
                Ok(live(self.dense(&view, weight, rows)?))
            }
            (Value::Constant(_), Value::Live(Live { view, .. })) if view.is_map() => {
                let (matrix, view) = (self.floats_at(node, 0)?, self.view_at(node, 1)?);
                match self.cells(&view, &matrix, true)? {
                    Some(cells) => Ok(live(cells)),
                    None => self.product_of_two(node),
                }
            }
            _ => self.product_of_two(node),
        }
    }

    pub(super) fn gemm(&mut self, node: &Node) -> Given {
        if node.int("transA").unwrap_or(0) != 0 {
            return Err(Stop::Unknown("turns what it reads"));
        }
        let weight = self.floats_at(node, 1)?;
        let view = self.view_at(node, 0)?;
        let &[first, second] = weight.shape.as_slice() else {
            return Err(Stop::Unknown("has weights that are no matrix"));
        };
        let is_turned = node.int("transB").unwrap_or(0) != 0;
        let (weight, inputs) =
            if is_turned { (weight, second) } else { (turned(&weight, first, second)?, first) };
        let mut view = self.dense(&view, weight, inputs)?;
        let alpha = f64::from(node.float("alpha").unwrap_or(1.0));
        if alpha != 1.0 {
            view = self.affine(&view, &Factor::all(alpha), &Factor::all(0.0))?;
        }
        if Self::has(node, 2) {
            let bias = self.floats_at(node, 2)?;
            let shift =
                self.per_channel(&view, &bias).ok_or(Stop::Unknown("has a bias that is no vector"))?;
            let beta = f64::from(node.float("beta").unwrap_or(1.0));
            let shift = if beta == 1.0 { shift } else { shift.with(&Factor::all(beta), |a, b| a * b) };
            view = self.affine(&view, &Factor::all(1.0), &shift)?;
        }
        Ok(live(view))
    }

    /// A dense layer over the last side; weight: (out, inputs).
    fn dense(&mut self, view: &View, mut weight: Constant, inputs: usize) -> Result<View, Stop> {
        let last = view.rank().checked_sub(1).ok_or(Stop::Unknown("reads a number"))?;
        if view.shape()[last] != inputs {
            return Err(Stop::Unknown("has weights of another shape than it needs"));
        }
        let out = weight.shape[0];
        let mut view = self.whole(view)?;
        let alone = (0..last).all(|at| view.side(at).is_empty());
        if alone && !view.is_of_channels(last) {
            // A whole map as one vector, in whichever order.
            view = self.flattened(&view, last, &mut weight)?;
        } else {
            view = self.ordered(&view, last)?;
        }
        let Data::Floats(numbers) = &weight.data else {
            return Err(Stop::Unknown("has weights that are no floats"));
        };
        let weight = self.param(weight.name.as_ref(), "weight", &[out, inputs], numbers.clone());
        let node = self.push(Op::Linear { weight, bias: None }, &[view.node])?;
        Ok(view.with_channels(node, out, last))
    }

    /// A map or tokens as a vector, and weights in the order of that.
    fn flattened(&mut self, view: &View, last: usize, weight: &mut Constant) -> Result<View, Stop> {
        if view.moved(Axis::Row) + view.moved(Axis::Column) > 0 {
            return Err(Stop::Unknown("reads a map that was moved as one vector"));
        }
        let shape = self.net.shape(view.node);
        let (axes, steps): (&[Axis], &[usize]) = match shape {
            Shape::Map { height, width, .. } => {
                (&[Axis::Channel, Axis::Row, Axis::Column], &[height * width, width, 1])
            }
            Shape::Tokens { width, .. } => (&[Axis::Token, Axis::Channel], &[width, 1]),
            _ => return Err(Stop::Unknown("reads more than one vector as one")),
        };
        let mut order = vec![0_usize];
        for stride in view.side(last) {
            let at = axes.iter().position(|axis| *axis == stride.axis);
            let step = at.map_or(0, |at| steps[at]) * stride.step;
            order = order.iter().flat_map(|from| (0..stride.count).map(move |at| from + at * step)).collect();
        }
        let node = self.push(Op::Flatten, &[view.node])?;
        if !order.iter().enumerate().all(|(at, from)| at == *from) {
            let Data::Floats(numbers) = &weight.data else {
                return Err(Stop::Unknown("has weights that are no floats"));
            };
            let mut sorted = vec![0.0; numbers.len()];
            for (row, out) in numbers.chunks_exact(order.len()).zip(sorted.chunks_exact_mut(order.len())) {
                order.iter().zip(row).for_each(|(to, value)| out[*to] = *value);
            }
            weight.data = Data::Floats(Rc::new(sorted));
        }
        let length = shape.len();
        let vector = View::of(node, Shape::Vector(length));
        let shape = (0..view.rank()).map(|at| if at == last { length } else { 1 }).collect::<Vec<_>>();
        vector.reshaped(&shape).ok_or(Stop::Unknown("reads a map as no vector"))
    }

    /// The same without what is pending, if only a factor for all is: that factor.
    pub(super) fn scaled(&mut self, name: &str) -> Result<(View, f64), Stop> {
        if let Some(Value::Live(Live { view, pending: Pending::Affine { scale, shift } })) =
            self.values.get(name)
            && let crate::import::value::Values::All(factor) = scale.values
            && shift.is_all(0.0)
        {
            return Ok((view.clone(), factor));
        }
        Ok((self.settled(name)?, 1.0))
    }
}

/// A matrix (rows, columns) as (columns, rows), under the same name.
fn turned(weight: &Constant, rows: usize, columns: usize) -> Result<Constant, Stop> {
    let Data::Floats(numbers) = &weight.data else {
        return Err(Stop::Unknown("has weights that are no floats"));
    };
    let mut data = Vec::with_capacity(numbers.len());
    for column in 0..columns {
        data.extend((0..rows).map(|row| numbers[row * columns + column]));
    }
    Ok(Constant { shape: vec![columns, rows], data: Data::Floats(Rc::new(data)), name: weight.name.clone() })
}
