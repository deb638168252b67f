//! Constant tensors, and what of them is worked out while a graph is read.

use std::rc::Rc;

/// A tensor that is the same for every picture.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) shape: Vec<usize>,
    pub(super) data: Data,
    /// The initializer that it is, or is a turned or folded form of.
    pub(super) name: Option<Rc<str>>,
}

/// Its numbers.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Floats(Rc<Vec<f32>>),
    /// Booleans are 0 and 1.
    Integers(Rc<Vec<i64>>),
    /// The place of an initializer whose numbers nobody needed so far.
    Stored(usize),
}

/// Numbers that constants may have that are worked out, one by one and all together: what keeps a small file from asking
/// for all memory.
pub(super) const MOST_NUMBERS: usize = 1 << 22;

impl Constant {
    pub(super) fn floats(shape: Vec<usize>, data: Vec<f32>) -> Constant {
        Constant { shape, data: Data::Floats(Rc::new(data)), name: None }
    }

    pub(super) fn integers(shape: Vec<usize>, data: Vec<i64>) -> Constant {
        Constant { shape, data: Data::Integers(Rc::new(data)), name: None }
    }

    pub(super) fn list(data: Vec<i64>) -> Constant {
        Constant::integers(vec![data.len()], data)
    }

    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Another shape of as many numbers.
    pub(super) fn reshaped(self, shape: Vec<usize>) -> Constant {
        Constant { shape, ..self }
    }
}

/// The shape that two shapes are brought to, by NumPy's rules.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let side = |shape: &[usize], at: usize| (at + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    (0..rank)
        .map(|at| match (side(a, at), side(b, at)) {
            (a, b) if a == b => Some(a),
            (1, other) | (other, 1) => Some(other),
            _ => None,
        })
        .collect()
}

/// Steps through a tensor of `shape` for every number of a tensor of `to`, to which it is brought.
pub(super) fn places(shape: &[usize], to: &[usize]) -> Vec<usize> {
    let missing = to.len() - shape.len();
    let mut steps = vec![0; to.len()];
    let mut step = 1;
    for at in (0..shape.len()).rev() {
        steps[missing + at] = if shape[at] == 1 { 0 } else { step };
        step *= shape[at];
    }
    walk(to, &steps)
}

/// The place of every number of a tensor of `shape`, row-major, where the sides go by `steps`.
pub(super) fn walk(shape: &[usize], steps: &[usize]) -> Vec<usize> {
    let mut places = vec![0];
    for (side, step) in shape.iter().zip(steps) {
        let mut next = Vec::with_capacity(places.len() * side);
        for place in &places {
            next.extend((0..*side).map(|at| place + at * step));
        }
        places = next;
    }
    places
}

/// How far apart the numbers of each side lie, row-major.
pub(super) fn steps(shape: &[usize]) -> Vec<usize> {
    let mut steps = vec![1; shape.len()];
    for at in (0..shape.len().saturating_sub(1)).rev() {
        steps[at] = steps[at + 1] * shape[at + 1];
    }
    steps
}

/// The numbers at those places.
pub(super) fn gather<T: Copy>(data: &[T], places: &[usize]) -> Vec<T> {
    places.iter().map(|place| data[*place]).collect()
}
