//! Places that exporters move, cut into windows, or put together by four.

use super::{Axis, Stride, View, count, stride};
use network::NodeId;

impl View {
    /// Parts of a side that follow one another and go around its axis once: the same numbers, moved.
    pub(in super::super) fn around(parts: &[View], at: usize) -> Option<View> {
        let (first, last) = (parts.first()?, parts.last()?);
        let along = |view: &View| match *view.sides.get(at)?.as_slice() {
            [stride] if stride.step == 1 => Some((stride.axis, stride.count)),
            _ => None,
        };
        // Which axis it is, another part says where one is of a single place.
        let (axis, _) = along(first).or_else(|| along(last))?;
        let length = first.length(axis);
        let mut whole = first.clone();
        whole.starts[axis as usize] = 0;
        whole.sides[at] = stride(Stride { axis, step: 1, count: length });
        let (begin, mut next) = (first.start(axis), first.start(axis));
        let mut sum = 0_usize;
        for part in parts {
            let count = count(part.sides.get(at)?);
            let is_along = count == 1 || along(part) == Some((axis, count));
            let mut same = part.clone();
            same.starts[axis as usize] = 0;
            same.sides[at].clone_from(&whole.sides[at]);
            if !is_along || same != whole || part.start(axis) != next {
                return None;
            }
            sum += count;
            next = (next + count) % length;
        }
        if sum != length || axis == Axis::Channel || axis == Axis::Token {
            return None;
        }
        whole.moved[axis as usize] = (whole.moved[axis as usize] + begin) % length;
        Some(whole)
    }

    /// The side of the squares that a map is cut into, where side `at` walks through the places of each, and one side
    /// before it through the squares, all row by row.
    pub(in super::super) fn window(&self, at: usize) -> Option<usize> {
        let side = count(&self.sides[at]).isqrt();
        let axes = [Axis::Row, Axis::Column];
        let fits = |axis: &Axis| self.length(*axis).is_multiple_of(side) && self.start(*axis) == 0;
        if side < 2 || side * side != count(&self.sides[at]) || !axes.iter().all(fits) {
            return None;
        }
        let of = |step: usize, count: &dyn Fn(Axis) -> usize| -> Vec<Stride> {
            axes.iter().flat_map(|axis| stride(Stride { axis: *axis, step, count: count(*axis) })).collect()
        };
        let (outer, inner) = (of(side, &|axis| self.length(axis) / side), of(1, &|_| side));
        let mut lead =
            self.sides[..at].iter().filter(|side| side.iter().any(|stride| stride.axis != Axis::Channel));
        let squares = lead.next()?;
        (*squares == outer && lead.next().is_none() && self.sides[at] == inner).then_some(side)
    }

    /// Of a node whose places lie as another's, moved as those.
    pub(in super::super) fn moved_as(&self, other: &View) -> View {
        View { moved: other.moved, ..self.clone() }
    }

    /// The side that walks through four neighbours and the channels of each: upper left, lower left, upper right, lower
    /// right.
    pub(in super::super) fn fours(&self) -> Option<usize> {
        let two = |axis| Stride { axis, step: 1, count: 2 };
        let channels = Stride { axis: Axis::Channel, step: 1, count: self.length(Axis::Channel) };
        let wanted = [vec![two(Axis::Column), two(Axis::Row)], stride(channels)].concat();
        let at = self.sides.iter().position(|side| *side == wanted)?;
        let others = self.sides.iter().enumerate().filter(|(side, _)| *side != at);
        let is_even = others.flat_map(|(_, side)| side).all(|stride| stride.step.is_multiple_of(2));
        (is_even && self.is_whole() && self.moved == [0; 4]).then_some(at)
    }

    /// How far apart rows and columns lie that a view of a map walks through, from the first on, where it leaves others
    /// out; and the same view of a map of those.
    pub(in super::super) fn every(&self) -> Option<([usize; 2], View)> {
        let mut view = self.clone();
        let mut steps = [1, 1];
        for (at, axis) in [Axis::Row, Axis::Column].into_iter().enumerate() {
            let mut strides = self.strides_of(axis);
            let length = self.length(axis);
            match (strides.next(), strides.next()) {
                (None, _) if length == 1 => {}
                (Some(only), None) if only.count == length.div_ceil(only.step) => steps[at] = only.step,
                _ => return None,
            }
            view.lengths[axis as usize] = length.div_ceil(steps[at]);
        }
        if self.starts[1..] != [0; 3]
            || self.moved != [0; 4]
            || self.length(Axis::Token) > 1
            || steps == [1, 1]
        {
            return None;
        }
        let strides = view.sides.iter_mut().flatten();
        strides.filter(|stride| stride.axis != Axis::Channel).for_each(|stride| stride.step = 1);
        Some((steps, view))
    }

    /// Whether both walk in the same steps, wherever they begin.
    pub(in super::super) fn has_sides_of(&self, other: &View) -> bool {
        self.lengths == other.lengths && self.sides == other.sides
    }

    /// Every second row and column, from these on.
    pub(in super::super) fn is_every_second(&self, row: usize, column: usize) -> bool {
        let halves = [(Axis::Row, row), (Axis::Column, column)];
        halves.iter().all(|(axis, start)| {
            let half = Stride { axis: *axis, step: 2, count: self.length(*axis) / 2 };
            let strides: Vec<&Stride> = self.strides_of(*axis).collect();
            self.start(*axis) == *start
                && self.length(*axis).is_multiple_of(2)
                && self.moved(*axis) == 0
                && if half.count > 1 { strides == [&half] } else { strides.is_empty() }
        })
    }

    /// The same of a node that has such four as one place: it has four times the channels, and places half as many down and across.
    pub(in super::super) fn of_fours(&self, node: NodeId, at: usize) -> View {
        let mut view = self.on(node);
        view.lengths = [4 * self.lengths[0], self.lengths[1] / 2, self.lengths[2] / 2, 1];
        view.starts = [0; 4];
        view.sides.iter_mut().flatten().filter(|stride| stride.axis != Axis::Channel).for_each(|stride| {
            stride.step /= 2;
        });
        view.sides[at] = vec![Stride { axis: Axis::Channel, step: 1, count: view.lengths[0] }];
        view
    }
}
