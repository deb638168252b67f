//! Parts of tensors, and tensors of parts.

use super::{
    super::constant::{Constant, Data, broadcast, gather, places, steps, walk},
    Fold, Folded, Unfolded, axis,
};

/// A part of one axis: where it begins, how many, how far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Part {
    pub(in super::super) axis: usize,
    pub(in super::super) start: usize,
    pub(in super::super) count: usize,
    pub(in super::super) step: i64,
}

impl Fold<'_> {
    pub(super) fn concat(&mut self) -> Result<Constant, Unfolded> {
        let parts: Vec<Constant> =
            self.inputs.iter().flatten().filter(|part| part.shape != [0]).cloned().collect();
        let first = parts.first().or(self.inputs.first().and_then(Option::as_ref)).ok_or(Unfolded::Wrong)?;
        let at = axis(self.node.int("axis").unwrap_or(1), first.shape.len()).ok_or(Unfolded::Wrong)?;
        let mut shape = first.shape.clone();
        let fits = |part: &Constant| {
            part.shape.len() == shape.len()
                && (0..shape.len()).all(|side| side == at || part.shape[side] == shape[side])
        };
        if !parts.iter().all(fits) {
            return Err(Unfolded::Wrong);
        }
        shape[at] = parts
            .iter()
            .try_fold(0_usize, |sum, part| sum.checked_add(part.shape[at]))
            .ok_or(Unfolded::TooLarge)?;
        self.spend(&shape)?;
        let outer: usize = shape[..at].iter().product();
        let floats: Option<Vec<_>> = parts
            .iter()
            .map(|part| if let Data::Floats(data) = &part.data { Some(data) } else { None })
            .collect();
        if let Some(floats) = floats {
            let rows = |row: usize| floats.iter().flat_map(move |data| slice(data, row, outer)).copied();
            return Ok(Constant::floats(shape, (0..outer).flat_map(rows).collect()));
        }
        let integers: Option<Vec<_>> = parts
            .iter()
            .map(|part| if let Data::Integers(data) = &part.data { Some(data) } else { None })
            .collect();
        let integers = integers.ok_or(Unfolded::Wrong)?;
        let rows = |row: usize| integers.iter().flat_map(move |data| slice(data, row, outer)).copied();
        Ok(Constant::integers(shape, (0..outer).flat_map(rows).collect()))
    }

    pub(super) fn slice(&mut self) -> Result<Constant, Unfolded> {
        let lists: Vec<Option<Vec<i64>>> =
            (1..5).map(|at| self.integers(at).ok().map(|list| list.to_vec())).collect();
        let shape = self.input(0)?.shape.clone();
        let parts = parts(self.node, &shape, &lists).ok_or(Unfolded::Wrong)?;
        self.cut(&shape, &parts)
    }

    fn cut(&mut self, shape: &[usize], parts: &[Part]) -> Result<Constant, Unfolded> {
        let strides = steps(shape);
        let mut wanted = shape.to_vec();
        parts.iter().for_each(|part| wanted[part.axis] = part.count);
        self.spend(&wanted)?;
        let mut places = vec![0_usize];
        for (at, side) in wanted.iter().enumerate() {
            let part = parts.iter().find(|part| part.axis == at);
            let (start, step) = part.map_or((0, 1), |part| (part.start as i64, part.step));
            let next = places.iter().flat_map(|place| {
                let (place, stride) = (*place, strides[at]);
                (0..*side).map(move |at| place + (start + at as i64 * step) as usize * stride)
            });
            places = next.collect();
        }
        self.picked(wanted, &places)
    }

    pub(super) fn split(&mut self) -> Folded {
        let shape = self.input(0)?.shape.clone();
        let list = self.integers(1).ok();
        let (at, counts) =
            split(self.node, &shape, list.as_ref().map(|list| list.as_slice())).ok_or(Unfolded::Wrong)?;
        let mut start = 0;
        let mut folded = Vec::with_capacity(counts.len());
        for count in counts {
            folded.push(self.cut(&shape, &[Part { axis: at, start, count, step: 1 }])?);
            start += count;
        }
        Ok(folded)
    }

    pub(super) fn gather(&mut self) -> Result<Constant, Unfolded> {
        let (shape, indices) = (self.input(0)?.shape.clone(), self.integers(1)?);
        let index_shape = self.input(1)?.shape.clone();
        let at = axis(self.node.int("axis").unwrap_or(0), shape.len()).ok_or(Unfolded::Wrong)?;
        let indices: Vec<usize> = indices
            .iter()
            .map(|index| axis(*index, shape[at]))
            .collect::<Option<_>>()
            .ok_or(Unfolded::Wrong)?;
        let (outer, inner) = (&shape[..at], &shape[at + 1..]);
        let wanted = [outer, &index_shape, inner].concat();
        self.spend(&wanted)?;
        let round: usize = inner.iter().product();
        let places = walk(outer, &steps(&shape)[..at]);
        let places = places.iter().flat_map(|place| {
            let place = *place;
            indices.iter().flat_map(move |index| (0..round).map(move |at| place + index * round + at))
        });
        let places: Vec<usize> = places.collect();
        self.picked(wanted, &places)
    }

    /// Parts by tuples of indices, the last side of a table.
    pub(super) fn gather_tuples(&mut self) -> Result<Constant, Unfolded> {
        let (shape, indices) = (self.input(0)?.shape.clone(), self.integers(1)?);
        let table = self.input(1)?.shape.clone();
        let (depth, tuples) = table.split_last().ok_or(Unfolded::Wrong)?;
        if self.node.int("batch_dims").unwrap_or(0) != 0 || !(1..=shape.len()).contains(depth) {
            return Err(Unfolded::Unknown);
        }
        let wanted = [tuples, &shape[*depth..]].concat();
        self.spend(&wanted)?;
        let (round, strides) = (shape[*depth..].iter().product::<usize>(), steps(&shape));
        let mut places = Vec::with_capacity(wanted.iter().product());
        for tuple in indices.chunks_exact(*depth) {
            let mut place = 0;
            for (at, index) in tuple.iter().enumerate() {
                place += axis(*index, shape[at]).ok_or(Unfolded::Wrong)? * strides[at];
            }
            places.extend((0..round).map(|at| place + at));
        }
        self.picked(wanted, &places)
    }

    pub(super) fn choose(&mut self) -> Result<Constant, Unfolded> {
        let conditions = self.integers(0)?;
        let shapes = [0, 1, 2].map(|at| self.input(at).map(|input| input.shape.clone()));
        let [condition, yes, no] = shapes;
        let (condition, yes, no) = (condition?, yes?, no?);
        let shape =
            broadcast(&condition, &yes).and_then(|shape| broadcast(&shape, &no)).ok_or(Unfolded::Wrong)?;
        self.spend(&shape)?;
        let conditions = gather(&conditions, &places(&condition, &shape));
        let (yes, no) = (places(&yes, &shape), places(&no, &shape));
        if let (Ok(a), Ok(b)) = (self.floats(1), self.floats(2)) {
            let value = |at: usize| if conditions[at] != 0 { a[yes[at]] } else { b[no[at]] };
            let values = (0..conditions.len()).map(value).collect();
            return Ok(Constant::floats(shape, values));
        }
        let (a, b) = (self.integers(1)?, self.integers(2)?);
        let value = |at: usize| if conditions[at] != 0 { a[yes[at]] } else { b[no[at]] };
        let values = (0..conditions.len()).map(value).collect();
        Ok(Constant::integers(shape, values))
    }

    pub(super) fn scatter(&mut self) -> Result<Constant, Unfolded> {
        let (input, indices, index_shape) =
            (self.input(0)?.clone(), self.integers(1)?, self.input(1)?.shape.clone());
        let depth = index_shape.last().copied().filter(|depth| (1..=input.shape.len()).contains(depth));
        let depth = depth.ok_or(Unfolded::Wrong)?;
        let round: usize = input.shape[depth..].iter().product();
        let strides = steps(&input.shape);
        self.spend(&input.shape)?;
        let mut targets = Vec::with_capacity(indices.len() / depth);
        for index in indices.chunks_exact(depth) {
            let place = index
                .iter()
                .enumerate()
                .map(|(side, index)| axis(*index, input.shape[side]).map(|index| index * strides[side]));
            targets.push(place.sum::<Option<usize>>().ok_or(Unfolded::Wrong)?);
        }
        if self.input(2)?.len() != targets.len() * round {
            return Err(Unfolded::Wrong);
        }
        if let (Ok(data), Ok(updates)) = (self.floats(0), self.floats(2)) {
            let mut data = data.to_vec();
            for (target, update) in targets.iter().zip(updates.chunks_exact(round.max(1))) {
                data[*target..target + round].copy_from_slice(update);
            }
            return Ok(Constant::floats(input.shape, data));
        }
        let (data, updates) = (self.integers(0)?, self.integers(2)?);
        let mut data = data.to_vec();
        for (target, update) in targets.iter().zip(updates.chunks_exact(round.max(1))) {
            data[*target..target + round].copy_from_slice(update);
        }
        Ok(Constant::integers(input.shape, data))
    }

    pub(super) fn non_zero(&mut self) -> Result<Constant, Unfolded> {
        let (data, shape) = (self.integers(0)?, self.input(0)?.shape.clone());
        let found: Vec<usize> = (0..data.len()).filter(|at| data[*at] != 0).collect();
        self.spend(&[shape.len(), found.len()])?;
        let strides = steps(&shape);
        let rows = strides.iter().zip(&shape);
        let values = rows.flat_map(|(stride, side)| found.iter().map(move |at| (at / stride % side) as i64));
        let values = values.collect();
        Ok(Constant::integers(vec![shape.len(), found.len()], values))
    }
}

/// Row `row` of `outer` equal ones.
fn slice<T>(data: &[T], row: usize, outer: usize) -> &[T] {
    let length = data.len() / outer.max(1);
    &data[row * length..(row + 1) * length]
}

/// What `Slice` takes of a shape. `lists`: starts, ends, axes and steps, where the node reads them.
pub(in super::super) fn parts(
    node: &super::Node,
    shape: &[usize],
    lists: &[Option<Vec<i64>>],
) -> Option<Vec<Part>> {
    let list = |at: usize, name: &str| {
        lists.get(at).cloned().flatten().or_else(|| node.ints(name).map(<[i64]>::to_vec))
    };
    let (starts, ends) = (list(0, "starts")?, list(1, "ends")?);
    let axes = list(2, "axes").unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = list(3, "steps").unwrap_or_else(|| vec![1; starts.len()]);
    (starts.len() == ends.len() && axes.len() == starts.len() && steps.len() == starts.len()).then_some(())?;
    let part = |at: usize| {
        let axis = axis(axes[at], shape.len())?;
        let (side, step) = (i64::try_from(shape[axis]).ok()?, steps[at]);
        let from_end = |place: i64| if place < 0 { place.saturating_add(side) } else { place };
        let (start, count) = if step > 0 {
            let (start, end) = (from_end(starts[at]).clamp(0, side), from_end(ends[at]).clamp(0, side));
            (start, (end - start).max(0).unsigned_abs().div_ceil(step.unsigned_abs()))
        } else if step < 0 {
            let (start, end) =
                (from_end(starts[at]).clamp(-1, side - 1), from_end(ends[at]).clamp(-1, side - 1));
            (start.max(0), (start - end).max(0).unsigned_abs().div_ceil(step.unsigned_abs()))
        } else {
            return None;
        };
        Some(Part { axis, start: usize::try_from(start).ok()?, count: usize::try_from(count).ok()?, step })
    };
    (0..starts.len()).map(part).collect()
}

/// The axis that `Split` cuts, and how long the parts are.
pub(in super::super) fn split(
    node: &super::Node,
    shape: &[usize],
    list: Option<&[i64]>,
) -> Option<(usize, Vec<usize>)> {
    let at = axis(node.int("axis").unwrap_or(0), shape.len())?;
    let (side, outputs) = (shape[at], node.outputs.len());
    let counts: Vec<usize> = match list.or_else(|| node.ints("split")) {
        Some(counts) => counts.iter().map(|count| usize::try_from(*count)).collect::<Result<_, _>>().ok()?,
        None => {
            let count = side.div_ceil(outputs.max(1));
            (0..outputs).map(|part| count.min(side.saturating_sub(part * count))).collect()
        }
    };
    let sum = counts.iter().try_fold(0_usize, |sum, count| sum.checked_add(*count))?;
    (sum == side && counts.len() == outputs).then_some((at, counts))
}
