//! Convolutions, and zeros around maps.

use super::Given;
use crate::import::{
    constant::{Constant, Data},
    importer::{Importer, Stop, live},
    model::Node,
    value::{Sequence, Value},
    view::View,
};
use network::{Op, Padding, Pair, Shape};
use std::rc::Rc;

/// Far more than any network has.
const MOST: i64 = 1 << 15;

impl Importer<'_> {
    pub(super) fn conv(&mut self, node: &Node) -> Given {
        let (view, around) = self.map_and_zeros(node)?;
        let weight = self.floats_at(node, 1)?;
        let &[out, _, rows, columns] = weight.shape.as_slice() else {
            return Err(Stop::Unknown("is no convolution of a map"));
        };
        let bias = if Self::has(node, 2) { Some(self.floats_at(node, 2)?) } else { None };
        let groups = node.int("group").unwrap_or(1);
        let groups = usize::try_from(groups).ok().filter(|groups| (1..1 << 20).contains(groups));
        let groups = groups.ok_or(Stop::Unknown("has a number of groups that makes no sense"))?;
        let kernel = Pair { y: rows, x: columns };
        let (stride, dilation) = (pair(node, "strides")?, pair(node, "dilations")?);
        let padding = padding(node, self.net.shape(view.node), kernel, stride, dilation)?;
        let padding = sum(padding, around);
        let (Data::Floats(numbers), shape) = (&weight.data, weight.shape.clone()) else {
            return Err(Stop::Unknown("has weights that are no floats"));
        };
        let weight = self.param(weight.name.as_ref(), "weight", &shape, numbers.clone());
        let bias = match bias.map(|bias| (bias.name.clone(), bias.data)) {
            Some((name, Data::Floats(numbers))) if numbers.len() == out => {
                Some(self.param(name.as_ref(), "bias", &[out], numbers))
            }
            Some(_) => return Err(Stop::Unknown("has a bias of another length than it has channels")),
            None => None,
        };
        let id = self.push(Op::Conv { weight, bias, stride, padding, groups, dilation }, &[view.node])?;
        Ok(live(View::of(id, self.net.shape(id))))
    }

    /// The map that a node reads, and zeros around it that a node before put there.
    pub(super) fn map_and_zeros(&mut self, node: &Node) -> Result<(View, [usize; 4]), Stop> {
        if let Value::Padded(view, zeros) = self.value(node, 0)? {
            let (view, zeros) = (view.clone(), *zeros);
            return Ok((self.map(&view)?, zeros));
        }
        let view = self.view_at(node, 0)?;
        Ok((self.map(&view)?, [0; 4]))
    }

    /// Zeros before the places of a map, where tokens are to stand.
    fn room(&mut self, node: &Node, pads: &[i64], axes: &[usize], value: f32) -> Result<Option<Value>, Stop> {
        let Some(tokens) = axes.iter().position(|axis| *axis == 1) else { return Ok(None) };
        let rest = pads.iter().enumerate().any(|(at, pad)| at != tokens && *pad != 0);
        let shape = self.value(node, 0)?.shape();
        let (&[one, places, d], false, true) = (shape.as_slice(), rest, value == 0.0) else {
            return Ok(None);
        };
        let places_of_map = match self.value(node, 0)? {
            Value::Live(live) => live.view.is_rows(),
            _ => false,
        };
        let before = usize::try_from(pads[tokens]).ok().filter(|pad| *pad < 1 << 15);
        let (Some(before), true, 1) = (before, places_of_map, one) else { return Ok(None) };
        let view = self.view_at(node, 0)?;
        if !matches!(self.net.shape(view.node), Shape::Map { .. }) || !self.can_spend(before * d) {
            return Ok(None);
        }
        let prefix = vec![Constant::floats(vec![1, before, d], vec![0.0; before * d])];
        let shape = vec![1, before + places, d];
        Ok(Some(Value::Sequence(Rc::new(Sequence { prefix, places: view, positions: None, shape }))))
    }

    pub(super) fn pad(&mut self, node: &Node) -> Given {
        let mode = node.text("mode").unwrap_or("constant");
        if mode != "constant" {
            return Err(Stop::Unknown("pads with other numbers than zeros"));
        }
        let pads = match self.list_at(node, 1)? {
            Some(pads) => pads,
            None => node.ints("pads").ok_or(Stop::Unknown("lacks its pads"))?.to_vec(),
        };
        let value = match self.constant_at(node, 2)?.map(|value| value.data) {
            Some(Data::Floats(value)) => value.first().copied().unwrap_or(0.0),
            Some(_) => 0.0,
            None => node.float("value").unwrap_or(0.0),
        };
        let rank = self.value(node, 0)?.shape().len();
        let axes = match self.list_at(node, 3)? {
            Some(axes) => {
                axes.iter().map(|at| crate::import::fold::axis(*at, rank)).collect::<Option<Vec<_>>>()
            }
            None => Some((0..rank).collect()),
        };
        let axes = axes.ok_or(Stop::Unknown("pads axes that are not there"))?;
        if pads.len() != 2 * axes.len() {
            return Err(Stop::Unknown("has other pads than its input has sides"));
        }
        if pads.iter().all(|pad| *pad == 0) {
            return Ok(vec![self.value(node, 0)?.clone()]);
        }
        if let Some(tokens) = self.room(node, &pads, &axes, value)? {
            return Ok(vec![tokens]);
        }
        let is_last = match self.value(node, 0)? {
            Value::Live(live) => live.view.is_map_with_channels_last(),
            _ => false,
        };
        let mut around = [0_usize; 4];
        for (at, axis) in axes.iter().enumerate() {
            let ends = [pads[at], pads[at + axes.len()]];
            for (end, pad) in ends.into_iter().enumerate() {
                let slot = match (rank, axis) {
                    _ if pad == 0 => continue,
                    (4, 1) if is_last => 2 * end,
                    (4, 2) if is_last => 2 * end + 1,
                    (4, 2) if !is_last => 2 * end,
                    (4, 3) if !is_last => 2 * end + 1,
                    _ => return Err(Stop::Unknown("pads other sides than rows and columns")),
                };
                let pad = usize::try_from(pad).ok().filter(|pad| *pad < 1 << 15);
                around[slot] = pad.ok_or(Stop::Unknown("cuts where zeros are known"))?;
            }
        }
        if value != 0.0 {
            return Err(Stop::Unknown("pads with other numbers than zeros"));
        }
        if is_last {
            let unknown = Stop::Unknown("pads a map in an order that is not known");
            let view = self.view_at(node, 0)?.turned(&[0, 3, 1, 2]);
            let view = self.padded(&view.ok_or(Stop::Unknown("reads what is no map"))?, around)?;
            return Ok(live(view.turned(&[0, 2, 3, 1]).ok_or(unknown)?));
        }
        let (view, before) = self.map_and_zeros(node)?;
        let both = [0, 1, 2, 3].map(|at| around[at] + before[at]);
        Ok(vec![Value::Padded(view, both)])
    }
}

/// Two numbers of an attribute, 1 and 1 where it is not there.
pub(super) fn pair(node: &Node, name: &str) -> Result<Pair, Stop> {
    match node.ints(name) {
        None | Some([]) => Ok(Pair::ONE),
        Some(&[y, x]) if (1..MOST).contains(&y) && (1..MOST).contains(&x) => {
            Ok(Pair { y: y as usize, x: x as usize })
        }
        Some(_) => Err(Stop::Unknown("has windows that are no rectangles, or make no sense")),
    }
}

/// The zeros around a map of that shape.
pub(super) fn padding(
    node: &Node,
    shape: Shape,
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
) -> Result<Padding, Stop> {
    let Shape::Map { height, width, .. } = shape else { return Err(Stop::Unknown("reads what is no map")) };
    let same = |side: usize, kernel: usize, stride: usize, dilation: usize| {
        let extent = (kernel.max(1) - 1) * dilation + 1;
        ((side.div_ceil(stride) - 1) * stride + extent).saturating_sub(side)
    };
    match node.text("auto_pad").unwrap_or("NOTSET") {
        "VALID" => Ok(Padding::NONE),
        mode @ ("SAME_UPPER" | "SAME_LOWER") => {
            let both =
                [same(height, kernel.y, stride.y, dilation.y), same(width, kernel.x, stride.x, dilation.x)];
            let [small, large] = [both.map(|pad| pad / 2), both.map(|pad| pad - pad / 2)];
            let (before, after) = if mode == "SAME_UPPER" { (small, large) } else { (large, small) };
            Ok(Padding { top: before[0], left: before[1], bottom: after[0], right: after[1] })
        }
        _ => match node.ints("pads") {
            None | Some([]) => Ok(Padding::NONE),
            Some(pads) if pads.len() == 4 && pads.iter().all(|pad| (0..MOST).contains(pad)) => {
                let [top, left, bottom, right] = [0, 1, 2, 3].map(|at| pads[at] as usize);
                Ok(Padding { top, left, bottom, right })
            }
            Some(_) => Err(Stop::Unknown("has pads that make no sense")),
        },
    }
}

/// More zeros around.
pub(super) fn sum(padding: Padding, [top, left, bottom, right]: [usize; 4]) -> Padding {
    Padding {
        top: padding.top + top,
        left: padding.left + left,
        bottom: padding.bottom + bottom,
        right: padding.right + right,
    }
}
