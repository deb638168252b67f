//! What an ONNX value shows of a node of ours.
//!
//! ONNX files turn, cut and fold their tensors all the time: to put heads apart, to bring channels to the end, to flatten
//! maps. Nothing is computed by that. A [`View`] follows it: every side of the ONNX tensor is a product of strides through
//! the node's axes.
//!
//! **Invariant:** the batch is one picture, so sides of 1 mean nothing and hold no stride.

mod places;

use network::{NodeId, Shape};

/// An axis of a node's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Axis {
    Channel,
    Row,
    Column,
    Token,
}

/// Steps along an axis; always more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stride {
    pub(super) axis: Axis,
    pub(super) step: usize,
    pub(super) count: usize,
}

/// An ONNX tensor of one picture, as sides that walk through a node's axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) node: NodeId,
    /// Lengths of the node's axes, by [`Axis`]; 1 where it has none.
    lengths: [usize; 4],
    /// Where in each axis the view begins.
    starts: [usize; 4],
    /// By how much each axis is moved: what lies at `i` of it shows up at `i - moved`, and wraps around.
    moved: [usize; 4],
    /// Outer strides first.
    sides: Vec<Vec<Stride>>,
}

impl View {
    /// Of a whole node, after the batch: a map as (c, h, w), tokens as (n, d), a vector as (d,).
    pub(super) fn of(node: NodeId, shape: Shape) -> View {
        let (lengths, axes): ([usize; 4], &[Axis]) = match shape {
            Shape::Map { channels, height, width } => {
                ([channels, height, width, 1], &[Axis::Channel, Axis::Row, Axis::Column])
            }
            Shape::Vector(d) => ([d, 1, 1, 1], &[Axis::Channel]),
            // No model that is imported reads texts.
            Shape::Sequence { width } => ([width, 1, 1, 1], &[Axis::Token, Axis::Channel]),
            Shape::Tokens { prefix, places, width } => {
                ([width, 1, 1, prefix + places], &[Axis::Token, Axis::Channel])
            }
        };
        let whole = |axis: &Axis| {
            let count = lengths[*axis as usize];
            let stride = Stride { axis: *axis, step: 1, count };
            if count > 1 { vec![stride] } else { Vec::new() }
        };
        let sides = std::iter::once(Vec::new()).chain(axes.iter().map(whole)).collect();
        View { node, lengths, starts: [0; 4], moved: [0; 4], sides }
    }

    /// The same view of another node, whose channels are `channels`, and which has the same places.
    pub(super) fn on(&self, node: NodeId) -> View {
        View { node, ..self.clone() }
    }

    /// The ONNX shape.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.sides.iter().map(|side| count(side)).collect()
    }

    pub(super) fn rank(&self) -> usize {
        self.sides.len()
    }

    pub(super) fn side(&self, at: usize) -> &[Stride] {
        &self.sides[at]
    }

    pub(super) fn length(&self, axis: Axis) -> usize {
        self.lengths[axis as usize]
    }

    pub(super) fn start(&self, axis: Axis) -> usize {
        self.starts[axis as usize]
    }

    /// By how much an axis is moved.
    pub(super) fn moved(&self, axis: Axis) -> usize {
        self.moved[axis as usize]
    }

    /// Whether both walk through axes of the same lengths in the same way.
    pub(super) fn is_like(&self, other: &View) -> bool {
        View { node: other.node, ..self.clone() } == *other
    }

    /// Whether both do, but for how many channels there are.
    pub(super) fn has_places_of(&self, other: &View) -> bool {
        let places = [Axis::Row, Axis::Column, Axis::Token];
        places
            .iter()
            .all(|axis| self.length(*axis) == other.length(*axis) && self.moved(*axis) == other.moved(*axis))
    }

    /// The same numbers under another shape; `None` where a side would begin in the middle of a stride.
    pub(super) fn reshaped(&self, shape: &[usize]) -> Option<View> {
        let mut strides = self.sides.iter().flatten().copied().collect::<Vec<_>>().into_iter();
        let mut open: Option<Stride> = None;
        let mut sides = Vec::with_capacity(shape.len());
        for &wanted in shape {
            let (mut side, mut rest) = (Vec::new(), wanted);
            if wanted == 0 {
                return None;
            }
            while rest > 1 {
                let stride = open.take().or_else(|| strides.next())?;
                if rest.is_multiple_of(stride.count) {
                    side.push(stride);
                    rest /= stride.count;
                } else if stride.count.is_multiple_of(rest) {
                    let inner = stride.count / rest;
                    side.push(Stride { step: stride.step * inner, count: rest, ..stride });
                    open = Some(Stride { count: inner, ..stride });
                    rest = 1;
                } else {
                    return None;
                }
            }
            sides.push(joined(side));
        }
        (open.is_none() && strides.next().is_none()).then_some(View { sides, ..self.clone() })
    }

    /// Sides in another order.
    pub(super) fn turned(&self, order: &[usize]) -> Option<View> {
        let mut seen = vec![false; self.rank()];
        for at in order {
            *seen.get_mut(*at).filter(|seen| !**seen)? = true;
        }
        (order.len() == self.rank())
            .then(|| View { sides: order.iter().map(|at| self.sides[*at].clone()).collect(), ..self.clone() })
    }

    /// `count` numbers of a side from `start` on, `step` apart.
    pub(super) fn sliced(&self, at: usize, start: usize, count: usize, step: usize) -> Option<View> {
        let side = &self.sides[at];
        let last = start.checked_add(count.checked_sub(1)?.checked_mul(step)?)?;
        if last >= self::count(side) {
            return None;
        }
        let mut view = self.clone();
        match side.as_slice() {
            [] => {}
            [only] => {
                view.starts[only.axis as usize] += start * only.step;
                view.sides[at] = stride(Stride { step: only.step * step, count, ..*only });
            }
            // Whole rounds of what lies within, or one part of one round.
            [outer, within @ ..] => {
                let round = self::count(within);
                if step == 1 && start.is_multiple_of(round) && count.is_multiple_of(round) {
                    view.starts[outer.axis as usize] += start / round * outer.step;
                    let outer = stride(Stride { count: count / round, ..*outer });
                    view.sides[at] = outer.into_iter().chain(within.iter().copied()).collect();
                } else if count == 1 {
                    let mut rest = start;
                    for stride in side.iter().rev() {
                        view.starts[stride.axis as usize] += rest % stride.count * stride.step;
                        rest /= stride.count;
                    }
                    view.sides[at] = Vec::new();
                } else {
                    return None;
                }
            }
        }
        Some(view)
    }

    /// Whether every number of the node is seen, once.
    pub(super) fn is_whole(&self) -> bool {
        let seen: usize = self.sides.iter().map(|side| count(side)).product();
        self.starts == [0; 4] && seen == self.lengths.iter().product::<usize>()
    }

    /// Whether it is of a whole node whose channels stand in one side, in their order.
    pub(super) fn is_plain(&self) -> bool {
        let of_channels = |at: &usize| self.sides[*at].iter().any(|stride| stride.axis == Axis::Channel);
        let mut sides = (0..self.rank()).filter(of_channels);
        let one = sides.next().is_none_or(|at| self.is_side(at, &[Axis::Channel]));
        self.is_whole() && one && sides.next().is_none()
    }

    /// Whether all places are seen, of whichever channels.
    pub(super) fn sees_all_places(&self) -> bool {
        [Axis::Row, Axis::Column, Axis::Token].iter().all(|axis| {
            let seen: usize = self.strides_of(*axis).map(|stride| stride.count).product();
            self.start(*axis) == 0 && seen == self.length(*axis)
        })
    }

    fn strides_of(&self, axis: Axis) -> impl Iterator<Item = &Stride> {
        self.sides.iter().flatten().filter(move |stride| stride.axis == axis)
    }

    /// Whether a side walks through these axes as a whole, one in the other, and nothing else.
    pub(super) fn is_side(&self, at: usize, axes: &[Axis]) -> bool {
        let expected = axes.iter().filter(|axis| self.length(**axis) > 1);
        let whole = |axis: &Axis| Stride { axis: *axis, step: 1, count: self.length(*axis) };
        axes.iter().all(|axis| self.start(*axis) == 0 && self.moved(*axis) == 0)
            && expected.map(whole).eq(self.sides[at].iter().copied())
    }

    /// Whether the sides after the batch are a map's: (c, h, w).
    pub(super) fn is_map(&self) -> bool {
        self.rank() == 4
            && self.sides[0].is_empty()
            && self.length(Axis::Token) == 1
            && self.is_side(1, &[Axis::Channel])
            && self.is_side(2, &[Axis::Row])
            && self.is_side(3, &[Axis::Column])
    }

    /// Whether the sides after the batch are a map's places, row by row, and its channels.
    pub(super) fn is_rows(&self) -> bool {
        self.rank() == 3 && self.is_side(1, &[Axis::Row, Axis::Column]) && self.is_side(2, &[Axis::Channel])
    }

    /// Whether the sides after the batch are a map's (h, w, c).
    pub(super) fn is_map_with_channels_last(&self) -> bool {
        !self.is_map() && self.turned(&[0, 3, 1, 2]).is_some_and(|view| view.is_map())
    }

    /// Whether a side walks through channels alone.
    pub(super) fn is_of_channels(&self, at: usize) -> bool {
        self.sides[at].iter().all(|stride| stride.axis == Axis::Channel)
    }

    /// Whether a side walks through places alone, and there are some.
    pub(super) fn is_of_places(&self, at: usize) -> bool {
        !self.sides[at].is_empty() && self.sides[at].iter().all(|stride| stride.axis != Axis::Channel)
    }

    /// The channels that some sides, one in the other, walk through, in that order.
    pub(super) fn channels(&self, sides: &[usize]) -> Vec<usize> {
        let strides = sides.iter().flat_map(|at| &self.sides[*at]);
        let strides = strides.filter(|stride| stride.axis == Axis::Channel);
        strides.fold(vec![self.start(Axis::Channel)], |channels, stride| {
            let steps = |from: &usize| {
                let from = *from;
                (0..stride.count).map(move |at| from + at * stride.step)
            };
            channels.iter().flat_map(steps).collect()
        })
    }

    /// The same sides over a node that has other channels: `at` walks through all of them, no other side through any.
    pub(super) fn with_channels(&self, node: NodeId, channels: usize, at: usize) -> View {
        let mut view = self.on(node);
        view.lengths[Axis::Channel as usize] = channels;
        view.starts[Axis::Channel as usize] = 0;
        for (place, side) in view.sides.iter_mut().enumerate() {
            side.retain(|stride| stride.axis != Axis::Channel);
            if place == at {
                side.extend(stride(Stride { axis: Axis::Channel, step: 1, count: channels }));
            }
        }
        view
    }

    /// Sides that hold no places any more, which are gone from the node.
    pub(super) fn without_places(&self, node: NodeId, keep: impl Fn(usize) -> bool) -> View {
        let mut view = self.on(node);
        let channels = self.length(Axis::Channel);
        view.lengths = [channels, 1, 1, 1];
        view.starts = [self.starts[0], 0, 0, 0];
        view.moved = [0; 4];
        let sides = view.sides.into_iter().enumerate().filter(|(at, _)| keep(*at));
        view.sides = sides
            .map(|(_, side)| side.into_iter().filter(|stride| stride.axis == Axis::Channel).collect())
            .collect();
        view
    }

    /// Sides given one by one.
    pub(super) fn with_sides(&self, sides: Vec<Vec<Stride>>) -> View {
        View { sides, ..self.clone() }
    }

    /// Where a side walks through a part of channels that were shuffled: the groups, and the same of the shuffled node.
    pub(super) fn shuffled(&self) -> Option<(usize, View)> {
        let channels = self.length(Axis::Channel);
        let is_part = |side: &Vec<Stride>| match side.as_slice() {
            [outer, inner] => {
                let along = [outer.axis, inner.axis].iter().all(|axis| *axis == Axis::Channel);
                along && outer.step == 1 && inner.step * inner.count == channels && outer.count < inner.step
            }
            _ => false,
        };
        let at = self.sides.iter().position(is_part)?;
        let (count, inner) = (self.sides[at][0].count, self.sides[at][1]);
        let mut view = self.clone();
        // Channel a + b · each has become a · groups + b.
        view.starts[Axis::Channel as usize] *= inner.count;
        view.sides[at] = vec![Stride { axis: Axis::Channel, step: 1, count: count * inner.count }];
        Some((inner.count, view))
    }

    /// The same sides over a node of only those channels that they walk through, which lay `step` apart.
    pub(super) fn narrowed(&self, node: NodeId, channels: usize, step: usize) -> View {
        let mut view = self.on(node);
        view.lengths[Axis::Channel as usize] = channels;
        view.starts[Axis::Channel as usize] = 0;
        let strides = view.sides.iter_mut().flatten().filter(|stride| stride.axis == Axis::Channel);
        strides.for_each(|stride| stride.step /= step);
        view
    }
}

/// How many numbers a side has.
pub(super) fn count(side: &[Stride]) -> usize {
    side.iter().map(|stride| stride.count).product()
}

fn stride(stride: Stride) -> Vec<Stride> {
    if stride.count > 1 { vec![stride] } else { Vec::new() }
}

/// Strides that follow one another as one would are one.
fn joined(side: Vec<Stride>) -> Vec<Stride> {
    let mut joined: Vec<Stride> = Vec::with_capacity(side.len());
    for stride in side {
        match joined.last_mut() {
            Some(outer) if outer.axis == stride.axis && outer.step == stride.step * stride.count => {
                outer.step = stride.step;
                outer.count *= stride.count;
            }
            _ => joined.push(stride),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use network::{Assembly, Op};

    /// A view of a map of 6 channels and 2×4 places.
    fn map() -> View {
        let mut net = Assembly::new("net", (2, 4));
        let node = net.push("x", Op::Input { channels: 6 }, &[]).unwrap();
        View::of(node, net.shape(node))
    }

    #[test]
    fn views_follow_what_turns_and_folds() {
        let view = map();
        assert!(view.is_map() && view.is_plain());
        // To heads and back: (1, 2, 3, 8) to (1, 8, 2, 3), then tokens of 6.
        let heads = view.reshaped(&[1, 2, 3, 8]).unwrap().turned(&[0, 3, 1, 2]).unwrap();
        assert_eq!(heads.shape(), [1, 8, 2, 3]);
        assert!(heads.is_side(1, &[Axis::Row, Axis::Column]));
        let tokens = heads.reshaped(&[1, 8, 6]).unwrap();
        assert!(tokens.is_side(2, &[Axis::Channel]) && tokens.is_plain() && !tokens.is_map());
        assert_eq!(tokens.turned(&[0, 2, 1]).unwrap().reshaped(&[1, 6, 2, 4]).unwrap(), view);
        // No side begins in the middle of a stride.
        assert_eq!(heads.reshaped(&[1, 3, 16]), None);
        assert_eq!(view.reshaped(&[1, 6, 9]), None);
        assert_eq!(view.turned(&[0, 1, 1, 2]), None);
    }

    #[test]
    fn parts_know_which_channels_they_show() {
        let heads = map().reshaped(&[1, 2, 3, 8]).unwrap();
        assert_eq!(heads.sliced(1, 1, 1, 1).unwrap().channels(&[1, 2]), [3, 4, 5]);
        assert_eq!(heads.sliced(2, 0, 2, 2).unwrap().channels(&[1, 2]), [0, 2, 3, 5]);
        let shuffled = heads.turned(&[0, 2, 1, 3]).unwrap().reshaped(&[1, 6, 8]).unwrap();
        assert_eq!(shuffled.channels(&[1]), [0, 3, 1, 4, 2, 5]);
        assert!(shuffled.is_whole() && !shuffled.is_plain());
        let part = shuffled.sliced(1, 2, 4, 1).unwrap();
        assert_eq!(part.channels(&[1]), [1, 4, 2, 5]);
        let (groups, same) = part.shuffled().unwrap();
        assert_eq!((groups, same.channels(&[1])), (2, vec![2, 3, 4, 5]));
        assert_eq!(shuffled.sliced(1, 1, 4, 1), None);
        assert_eq!(map().sliced(2, 1, 2, 1), None);
    }
}
