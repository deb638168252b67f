//! Shapes: asked for, made and changed.

use super::{
    super::constant::{Constant, broadcast, places, steps, walk},
    Fold, Unfolded, axis,
};

impl Fold<'_> {
    pub(super) fn shape(&self) -> Result<Constant, Unfolded> {
        shape_of(self.node, &self.input(0)?.shape).ok_or(Unfolded::Wrong)
    }

    pub(super) fn constant_of_shape(&mut self) -> Result<Constant, Unfolded> {
        let sides = self.integers(0)?;
        let shape: Vec<usize> = sides
            .iter()
            .map(|side| usize::try_from(*side))
            .collect::<Result<_, _>>()
            .map_err(|_| Unfolded::Wrong)?;
        let len = self.spend(&shape)?;
        Ok(match self.inputs.get(1).and_then(Option::as_ref).map(|value| &value.data) {
            Some(super::Data::Integers(value)) => {
                Constant::integers(shape, vec![value.first().copied().unwrap_or_default(); len])
            }
            Some(super::Data::Floats(value)) => {
                Constant::floats(shape, vec![value.first().copied().unwrap_or_default(); len])
            }
            _ => Constant::floats(shape, vec![0.0; len]),
        })
    }

    pub(super) fn range(&mut self) -> Result<Constant, Unfolded> {
        if let Ok(starts) = self.floats(0) {
            let (limits, deltas) = (self.floats(1)?, self.floats(2)?);
            let [start, limit, delta] =
                [starts, limits, deltas].map(|list| list.first().copied().unwrap_or_default());
            let count = ((f64::from(limit) - f64::from(start)) / f64::from(delta)).ceil();
            let count = usable(count).ok_or(Unfolded::TooLarge)?;
            self.spend(&[count])?;
            return Ok(Constant::floats(
                vec![count],
                (0..count).map(|at| start + at as f32 * delta).collect(),
            ));
        }
        let lists = [self.integers(0)?, self.integers(1)?, self.integers(2)?];
        let [start, limit, delta] = lists.map(|list| list.first().copied().unwrap_or_default());
        if delta == 0 {
            return Err(Unfolded::Wrong);
        }
        let room = i128::from(limit) - i128::from(start);
        let count = (room.unsigned_abs()).div_ceil(i128::from(delta).unsigned_abs());
        let count = if (room < 0) == (delta < 0) && room != 0 { count } else { 0 };
        let count = usize::try_from(count).map_err(|_| Unfolded::TooLarge)?;
        self.spend(&[count])?;
        let value = |at: usize| start.wrapping_add(delta.wrapping_mul(at as i64));
        Ok(Constant::list((0..count).map(value).collect()))
    }

    /// What reshaping operators make of a shape.
    pub(super) fn new_shape(&self, shape: &[usize]) -> Option<Vec<usize>> {
        let second = self.integers(1).ok();
        reshaped(self.node, shape, second.as_ref().map(|list| list.as_slice()))
    }

    pub(super) fn transpose(&mut self) -> Result<Constant, Unfolded> {
        let input = self.input(0)?.clone();
        let order = order(self.node, input.shape.len()).ok_or(Unfolded::Wrong)?;
        self.spend(&input.shape)?;
        let strides = steps(&input.shape);
        let shape: Vec<usize> = order.iter().map(|at| input.shape[*at]).collect();
        let strides: Vec<usize> = order.iter().map(|at| strides[*at]).collect();
        let mut turned = self.picked(shape.clone(), &walk(&shape, &strides))?;
        turned.name = input.name;
        Ok(turned)
    }

    /// `Expand` and `Tile`.
    pub(super) fn repeat(&mut self) -> Result<Constant, Unfolded> {
        let (input, second) = (self.input(0)?.clone(), self.integers(1)?);
        let sides: Vec<usize> = second
            .iter()
            .map(|side| usize::try_from(*side))
            .collect::<Result<_, _>>()
            .map_err(|_| Unfolded::Wrong)?;
        if self.node.op == "Expand" {
            let to = broadcast(&input.shape, &sides).ok_or(Unfolded::Wrong)?;
            self.spend(&to)?;
            return self.picked(to.clone(), &places(&input.shape, &to));
        }
        if sides.len() != input.shape.len() {
            return Err(Unfolded::Wrong);
        }
        let to: Option<Vec<usize>> = input.shape.iter().zip(&sides).map(|(a, b)| a.checked_mul(*b)).collect();
        let to = to.ok_or(Unfolded::TooLarge)?;
        self.spend(&to)?;
        let strides = steps(&input.shape);
        let mut places = vec![0];
        for (at, side) in to.iter().enumerate() {
            let inner = input.shape[at];
            let next = places.iter().flat_map(|place| {
                let place = *place;
                let stride = strides[at];
                (0..*side).map(move |step| place + step % inner * stride)
            });
            places = next.collect();
        }
        self.picked(to, &places)
    }
}

/// What `Shape` gives.
pub(in super::super) fn shape_of(node: &super::Node, shape: &[usize]) -> Option<Constant> {
    let rank = i64::try_from(shape.len()).ok()?;
    let clamped = |at: i64| usize::try_from((if at < 0 { at + rank } else { at }).clamp(0, rank)).ok();
    let (start, end) = (clamped(node.int("start").unwrap_or(0))?, clamped(node.int("end").unwrap_or(rank))?);
    let sides = shape.get(start..end.max(start))?;
    Some(Constant::list(sides.iter().map(|side| i64::try_from(*side)).collect::<Result<_, _>>().ok()?))
}

/// The order that `Transpose` brings axes to.
pub(in super::super) fn order(node: &super::Node, rank: usize) -> Option<Vec<usize>> {
    let Some(order) = node.ints("perm") else { return Some((0..rank).rev().collect()) };
    let order: Vec<usize> = order.iter().map(|at| axis(*at, rank)).collect::<Option<_>>()?;
    let mut seen = vec![false; rank];
    order.iter().for_each(|at| seen[*at] = true);
    (order.len() == rank && seen.iter().all(|seen| *seen)).then_some(order)
}

/// What `Reshape`, `Flatten`, `Squeeze` and `Unsqueeze` make of a shape; `second` is the node's second input.
pub(in super::super) fn reshaped(
    node: &super::Node,
    shape: &[usize],
    second: Option<&[i64]>,
) -> Option<Vec<usize>> {
    let rank = shape.len();
    let list = second.or_else(|| node.ints(if node.op == "Reshape" { "shape" } else { "axes" }));
    match node.op.as_str() {
        "Flatten" => {
            let at = node.int("axis").unwrap_or(1);
            let at = if at == i64::try_from(rank).ok()? { rank } else { axis(at, rank)? };
            Some(vec![shape[..at].iter().product(), shape[at..].iter().product()])
        }
        "Squeeze" => {
            let gone: Vec<usize> = match list {
                Some(axes) => axes.iter().map(|at| axis(*at, rank)).collect::<Option<_>>()?,
                None => (0..rank).filter(|at| shape[*at] == 1).collect(),
            };
            gone.iter().all(|at| shape[*at] == 1).then_some(())?;
            Some((0..rank).filter(|at| !gone.contains(at)).map(|at| shape[at]).collect())
        }
        "Unsqueeze" => {
            let axes = list?;
            let rank = rank.checked_add(axes.len()).filter(|rank| *rank <= 16)?;
            let new: Vec<usize> = axes.iter().map(|at| axis(*at, rank)).collect::<Option<_>>()?;
            let mut rest = shape.iter().copied();
            let sides = (0..rank).map(|at| if new.contains(&at) { Some(1) } else { rest.next() });
            sides.collect()
        }
        _ => {
            let list = list?;
            let keeps_zeros = node.int("allowzero") == Some(1);
            let mut sides = Vec::with_capacity(list.len());
            let mut open = None;
            for (at, side) in list.iter().enumerate() {
                sides.push(match side {
                    0 if !keeps_zeros => *shape.get(at)?,
                    -1 if open.is_none() => {
                        open = Some(at);
                        1
                    }
                    side => usize::try_from(*side).ok()?,
                });
            }
            let len: usize = shape.iter().product();
            let known = sides.iter().try_fold(1_usize, |len, side| len.checked_mul(*side))?;
            if let Some(at) = open {
                (known > 0 && len.is_multiple_of(known)).then_some(())?;
                sides[at] = len / known;
                return Some(sides);
            }
            (known == len).then_some(sides)
        }
    }
}

/// A count that is one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
fn usable(count: f64) -> Option<usize> {
    if count.is_nan() || count > 1e9 { None } else { Some(count.max(0.0) as usize) }
}
