//! Pools, and means over all places.

use super::{
    Given,
    conv::{padding, pair, sum},
};
use crate::import::{
    constant::{Constant, Data},
    fold,
    importer::{Importer, Stop, live},
    model::Node,
    value::{Moment, Stage, Value},
    view::{Axis, View},
};
use crate::lower::adaptive;
use network::{Op, Padding, Pair, Pool, Shape};

impl Importer<'_> {
    pub(super) fn pool(&mut self, node: &Node) -> Given {
        let (view, around) = self.map_and_zeros(node)?;
        if pair(node, "dilations")? != Pair::ONE {
            return Err(Stop::Unknown("is a pool of windows with gaps"));
        }
        if node.int("storage_order").unwrap_or(0) != 0
            || node.outputs.iter().skip(1).any(|name| !name.is_empty())
        {
            return Err(Stop::Unknown("gives places beside numbers"));
        }
        if node.ints("kernel_shape").is_none() {
            return Err(Stop::Unknown("has no window"));
        }
        let (kernel, stride) = (pair(node, "kernel_shape")?, pair(node, "strides")?);
        let shape = self.net.shape(view.node);
        let own = padding(node, shape, kernel, stride, Pair::ONE)?;
        let Shape::Map { height, width, .. } = shape else {
            return Err(Stop::Unknown("reads what is no map"));
        };
        let mut pool = Pool {
            kernel,
            stride,
            padding: own,
            ceil: node.int("ceil_mode").unwrap_or(0) == 1,
            count_include_pad: false,
        };
        if node.op == "MaxPool" {
            pool.padding = sum(own, around);
            // Zeros that a node put there may win, where there is nothing greater.
            if around != [0; 4] && !self.is_never_negative(&view) {
                let padded = self.settled(&node.inputs[0])?;
                let id = self.push(Op::MaxPool(Pool { padding: own, ..pool }), &[padded.node])?;
                return Ok(live(View::of(id, self.net.shape(id))));
            }
            let id = self.push(Op::MaxPool(pool), &[view.node])?;
            return Ok(live(View::of(id, self.net.shape(id))));
        }
        pool.count_include_pad = node.int("count_include_pad").unwrap_or(0) == 1 && own != Padding::NONE;
        if around != [0; 4] {
            // Those count, its own only if it says so.
            pool.padding = sum(own, around);
            if own != Padding::NONE && !pool.count_include_pad {
                // Those behind may be there for a last window that sticks out.
                let counts = |pool: Pool| {
                    let [down, across] = pool.window().axes();
                    (down.count(height, pool.ceil), across.count(width, pool.ceil))
                };
                let explicit = counts(pool);
                pool.padding = sum(Padding::NONE, around);
                pool.ceil = true;
                if (own.top, own.left) != (0, 0) || counts(pool) != explicit {
                    return Err(Stop::Unknown("is a pool with two kinds of padding"));
                }
            }
            pool.count_include_pad = true;
        }
        if (kernel, stride, pool.padding) == (Pair::ONE, Pair::ONE, Padding::NONE) {
            return Ok(live(view));
        }
        if (kernel.y, kernel.x) == (height, width) && pool.padding == Padding::NONE {
            return self.mean_of_places(&view);
        }
        let id = self.push(Op::AveragePool(pool), &[view.node])?;
        Ok(live(View::of(id, self.net.shape(id))))
    }

    /// Whether no number of a node is below zero, whatever the picture.
    fn is_never_negative(&self, view: &View) -> bool {
        match self.net.node(view.node).op {
            Op::Activation { function } => function.is_never_negative(),
            _ => false,
        }
    }

    fn mean_of_places(&mut self, view: &View) -> Given {
        let id = self.push(Op::AdaptiveAveragePool { height: 1, width: 1 }, &[view.node])?;
        Ok(live(View::of(id, self.net.shape(id))))
    }

    /// The means over cells of rows, or of columns, that a product with a matrix of shares is; `None` where it is another.
    pub(super) fn cells(
        &mut self,
        view: &View,
        matrix: &Constant,
        of_rows: bool,
    ) -> Result<Option<View>, Stop> {
        let (&[first, second], true, Data::Floats(shares)) =
            (matrix.shape.as_slice(), view.is_map(), &matrix.data)
        else {
            return Ok(None);
        };
        let Shape::Map { height, width, .. } = self.net.shape(view.node) else { return Ok(None) };
        let (cells, own, side) = if of_rows { (first, second, height) } else { (second, first, width) };
        if own != side || shares.len() != cells * side {
            return Ok(None);
        }
        let expected = if of_rows { adaptive::rows(cells, side) } else { adaptive::columns(cells, side) };
        if !shares.iter().zip(&expected).all(|(share, expected)| (share - expected).abs() < 1e-6) {
            return Ok(None);
        }
        let mut size = if of_rows { (cells, width) } else { (height, cells) };
        let mut from = view.node;
        // Rows and then columns are one.
        if let Op::AdaptiveAveragePool { height, width } = self.net.node(from).op {
            let before = self.net.node(from).inputs[0];
            let Shape::Map { height: rows, width: columns, .. } = self.net.shape(before) else {
                return Ok(None);
            };
            if of_rows && height == rows || !of_rows && width == columns {
                (from, size) = (before, if of_rows { (cells, width) } else { (height, cells) });
            }
        }
        let id = self.push(Op::AdaptiveAveragePool { height: size.0, width: size.1 }, &[from])?;
        Ok(Some(View::of(id, self.net.shape(id))))
    }

    /// Every place of a map several times: as many cells as that.
    pub(super) fn resize(&mut self, node: &Node) -> Given {
        let unknown = || Stop::Unknown("resizes a map otherwise than by repeating its places");
        if node.text("mode").unwrap_or("nearest") != "nearest" || node.ints("axes").is_some() {
            return Err(unknown());
        }
        let view = self.view_at(node, 0)?;
        let shape = view.shape();
        let is_last = view.is_map_with_channels_last();
        let view = if is_last { view.turned(&[0, 3, 1, 2]).ok_or_else(unknown)? } else { view };
        let view = self.map(&view)?;
        // Factors stand second in older operators, third in newer ones, where sizes may stand fourth.
        let at = if node.op == "Upsample" || self.opset < 11 { 1 } else { 2 };
        let factors = if Self::has(node, at) { Some(self.floats_at(node, at)?) } else { None };
        let factors = factors.filter(|factors| factors.len() > 0);
        let factors: Vec<f64> = match (&factors, self.list_at(node, 3)?) {
            (Some(Constant { data: Data::Floats(factors), .. }), _) => {
                factors.iter().map(|factor| f64::from(*factor)).collect()
            }
            (_, Some(sizes)) if sizes.len() == shape.len() => {
                sizes.iter().zip(&shape).map(|(size, side)| *size as f64 / *side as f64).collect()
            }
            _ => match node.floats("scales") {
                Some(factors) => factors.iter().map(|factor| f64::from(*factor)).collect(),
                None => return Err(unknown()),
            },
        };
        let whole = |factor: &f64| factor.fract() == 0.0 && (1.0..=64.0).contains(factor);
        let [one, a, b, c] = factors[..] else { return Err(unknown()) };
        let (channels, rows, columns) = if is_last { (c, a, b) } else { (a, b, c) };
        // Where factors are whole, these all read the place that a cell lies in.
        let mode = node.text("coordinate_transformation_mode").unwrap_or("half_pixel");
        let rounding = node.text("nearest_mode").unwrap_or("round_prefer_floor");
        let fits = match (mode, rounding) {
            ("asymmetric", "floor") => true,
            ("half_pixel" | "pytorch_half_pixel" | "half_pixel_symmetric", rounding) => {
                rounding.starts_with("round_prefer")
            }
            _ => node.op == "Upsample" || self.opset < 11,
        };
        if !fits || (one, channels) != (1.0, 1.0) || !whole(&rows) || !whole(&columns) {
            return Err(unknown());
        }
        let (height, width) =
            (view.length(Axis::Row) * rows as usize, view.length(Axis::Column) * columns as usize);
        if height.max(width) > 1 << 14 {
            return Err(Stop::Unknown("makes a map larger than may be"));
        }
        let id = self.push(Op::AdaptiveAveragePool { height, width }, &[view.node])?;
        let view = View::of(id, self.net.shape(id));
        Ok(live(if is_last { view.turned(&[0, 2, 3, 1]).ok_or_else(unknown)? } else { view }))
    }

    pub(super) fn pool_whole(&mut self, node: &Node) -> Given {
        let view = self.view_at(node, 0)?;
        if node.op == "GlobalAveragePool" && view.rank() != 4 {
            let gone: Vec<usize> = (2..view.rank()).collect();
            return self.reduced(&view, &gone, true, true);
        }
        let view = self.map(&view)?;
        if node.op == "GlobalAveragePool" {
            return self.mean_of_places(&view);
        }
        let id = self.maximum(&view)?;
        Ok(live(View::of(id, self.net.shape(id))))
    }

    fn maximum(&mut self, view: &View) -> Result<network::NodeId, Stop> {
        let sides = (view.length(Axis::Row), view.length(Axis::Column));
        self.push(Op::MaxPool(Pool::new(sides, 1)), &[view.node])
    }

    /// Means or maxima over some sides: over all places, or over all channels of each.
    pub(super) fn reduce(&mut self, node: &Node) -> Given {
        let rank = self.value(node, 0)?.shape().len();
        let list = match self.list_at(node, 1)? {
            Some(list) => list,
            None => node.ints("axes").map(<[i64]>::to_vec).unwrap_or_default(),
        };
        let gone: Option<Vec<usize>> = list.iter().map(|at| fold::axis(*at, rank)).collect();
        let mut gone = gone.ok_or(Stop::Unknown("has axes that are not there"))?;
        if gone.is_empty() {
            gone = (0..rank).collect();
        }
        let keeps = node.int("keepdims").unwrap_or(1) == 1;
        let is_mean = node.op == "ReduceMean";
        if let (Value::Moment(moment), true) = (self.value(node, 0)?, is_mean) {
            let moment = moment.clone();
            return self.mean_of(&moment, &gone, keeps);
        }
        let view = self.view_at(node, 0)?;
        if node.op == "ReduceL2" {
            let is_head = matches!(gone[..], [at] if at + 1 == view.rank() && view.is_of_channels(at));
            return if is_head { Self::norms(view, keeps) } else { self.roots(view, &gone, keeps) };
        }
        self.reduced(&view, &gone, keeps, is_mean)
    }

    /// A mean, or the largest, over those sides.
    fn reduced(&mut self, view: &View, gone: &[usize], keeps: bool, is_mean: bool) -> Given {
        let rank = view.rank();
        let sides = |at: &usize| !view.side(*at).is_empty();
        let walked: Vec<usize> = gone.iter().copied().filter(sides).collect();
        if !walked.is_empty() && walked.iter().all(|at| view.is_of_channels(*at)) && is_mean {
            if !keeps {
                return Err(Stop::Unknown("is a mean over channels whose side is dropped"));
            }
            let shape = view.shape();
            let shape = (0..rank).map(|at| if gone.contains(&at) { 1 } else { shape[at] }).collect();
            let seen: usize = walked.iter().map(|at| view.shape()[*at]).product();
            if !view.is_whole() || seen != view.length(Axis::Channel) {
                return Err(Stop::Unknown("is a mean over a part of the channels"));
            }
            return Ok(vec![Value::Moment(Moment { view: view.clone(), stage: Stage::Mean, shape })]);
        }
        if !walked.iter().all(|at| view.is_of_places(*at)) {
            return Err(Stop::Unknown("is over channels and places together"));
        }
        let kept = |at: usize| keeps || !gone.contains(&at);
        // Every place must go.
        if (0..rank).any(|at| !gone.contains(&at) && !view.is_of_channels(at)) {
            return Err(Stop::Unknown("is over some of the places"));
        }
        let op = match self.net.shape(view.node) {
            Shape::Map { .. } if is_mean => Op::AdaptiveAveragePool { height: 1, width: 1 },
            Shape::Map { .. } => {
                Op::MaxPool(Pool::new((view.length(Axis::Row), view.length(Axis::Column)), 1))
            }
            Shape::Tokens { prefix, places, .. } => {
                let seen: usize = walked.iter().map(|at| view.shape()[*at]).product();
                if view.start(Axis::Token) != prefix || seen != places {
                    return Err(Stop::Unknown("is over other tokens than those that are places"));
                }
                let op = if is_mean { Op::GlobalAveragePool } else { Op::GlobalMaxPool };
                let node = self.push(op, &[view.node])?;
                return Ok(live(view.without_places(node, kept)));
            }
            _ => return Err(Stop::Unknown("is over something else than the places of a map")),
        };
        if !view.sees_all_places() {
            return Err(Stop::Unknown("is over a part of a map"));
        }
        let node = self.push(op, &[view.node])?;
        Ok(live(view.without_places(node, kept)))
    }
}
