//! What is done to scores of attention before their softmax: factors, and numbers that are added to them.

use super::Given;
use crate::{
    import::{
        constant::{Constant, Data, MOST_NUMBERS},
        function::Binary,
        importer::{Importer, Stop},
        value::{Added, Scores, Value},
        view::{Axis, count},
    },
    lower::windows,
};
use network::ParamId;
use std::rc::Rc;

/// Numbers that are this much below others hide what they are added to: e⁻⁹⁹ times something is nothing.
const HIDDEN: f32 = -99.0;
/// What stands for minus infinity in a parameter, which is finite.
const UNSEEN: f32 = -1e30;

/// Numbers by how far two places are apart, down and across.
pub(super) struct Relative {
    pub(super) window: usize,
    pub(super) shift: usize,
    /// ((2·window − 1)², heads).
    pub(super) table: Vec<f32>,
}

impl Importer<'_> {
    /// A factor of all scores, or numbers that are added to them.
    pub(super) fn scores(&mut self, op: Binary, scores: &Scores, constant: &Constant) -> Given {
        let unknown = Stop::Unknown("changes scores of attention in a way that is not known");
        let scale = match (op, self.number(constant)?) {
            // What is added to all scores is gone after their softmax.
            (Binary::Add | Binary::Subtract, Some(_)) => scores.scale,
            (Binary::Multiply, Some(number)) if scores.added.is_empty() => scores.scale * number,
            (Binary::Divide, Some(number)) if scores.added.is_empty() && number != 0.0 => {
                scores.scale / number
            }
            (Binary::Multiply, None) if scores.added.is_empty() && scores.factors.is_none() => {
                let Added { sides, numbers, .. } = self.added(scores, constant)?;
                if sides[0] != 1 || sides[2..] != [1, 1] {
                    return Err(unknown);
                }
                let scores = Scores { factors: Some(numbers), ..scores.clone() };
                return Ok(vec![Value::Scores(Rc::new(scores))]);
            }
            (Binary::Add, None) => {
                let mut scores = scores.clone();
                scores.added.push(self.added(&scores, constant)?);
                return Ok(vec![Value::Scores(Rc::new(scores))]);
            }
            _ => return Err(unknown),
        };
        Ok(vec![Value::Scores(Rc::new(Scores { scale, ..scores.clone() }))])
    }

    /// A constant that is brought to the shape of scores.
    fn added(&self, scores: &Scores, constant: &Constant) -> Result<Added, Stop> {
        let unknown = || Stop::Unknown("adds numbers to scores that are of no heads and no pairs of places");
        let constant = self.loaded(constant)?;
        let Data::Floats(numbers) = &constant.data else { return Err(unknown()) };
        let rank = scores.shape.len();
        let missing = rank.checked_sub(constant.shape.len()).ok_or_else(unknown)?;
        let side = |at: usize| at.checked_sub(missing).map_or(1, |at| constant.shape[at]);
        // Sides of 1 may come and go; the others stand as those of the queries do.
        let q = &scores.q;
        let of_q = (0..q.rank() - 2).filter(|at| count(q.side(*at)) > 1);
        let own = (0..rank - 2).filter(|at| scores.shape[*at] > 1);
        let (mut windows, mut heads) = (1, 1);
        let mut seen = [false; 2];
        for (own, of_q) in own.zip(of_q) {
            let (slot, is_heads) = if q.is_of_places(of_q) { (&mut windows, 0) } else { (&mut heads, 1) };
            // One side of each, windows first: so the numbers lie as they are asked for.
            if std::mem::replace(&mut seen[is_heads], true) || is_heads == 0 && seen[1] {
                return Err(unknown());
            }
            *slot = side(own);
        }
        let sides = [windows, heads, side(rank - 2), side(rank - 1)];
        if sides.iter().product::<usize>() != numbers.len() {
            return Err(unknown());
        }
        Ok(Added { sides, numbers: numbers.clone(), name: constant.name.clone() })
    }

    /// What is added to scores, where it goes by how far places of a window are apart, and hides what a window that was
    /// moved has no neighbours in. `None` where it does not.
    pub(super) fn relative(&mut self, scores: &Scores, heads: usize) -> Result<Option<Relative>, Stop> {
        let q = &scores.q;
        let (height, width) = (q.length(Axis::Row), q.length(Axis::Column));
        let whole = (height == width && height > 1 && !scores.added.is_empty()).then_some(height);
        let Some(window) = scores.window.or(whole).filter(|window| *window < 1 << 6) else { return Ok(None) };
        let shifts = (q.moved(Axis::Row), q.moved(Axis::Column));
        let shift = shifts.0.max(shifts.1);
        let expected = [height, width].map(|side| windows::shift(side, window, shift));
        if [shifts.0, shifts.1] != expected || shift >= window {
            return Ok(None);
        }
        let places = window * window;
        let is_alike = shift == 0 && scores.added.iter().all(|added| added.sides[0] == 1);
        let count = if is_alike { 1 } else { height * width / places };
        let pairs = places * places;
        let numbers = count.checked_mul(heads * pairs).filter(|_| count * pairs <= MOST_NUMBERS);
        if !numbers.is_some_and(|numbers| self.can_spend(numbers)) {
            return Err(Stop::Unknown("adds more numbers to scores than may be"));
        }
        let hidden = if shift == 0 {
            vec![0.0; count * pairs]
        } else {
            windows::mask((height, width), window, shifts)
        };
        let row = |pair: usize| windows::relative(pair / places, pair % places, window);
        let mut known = vec![None; (2 * window - 1).pow(2) * heads];
        // What is seen has one number for each distance; then what is hidden is far below that.
        for seen in [true, false] {
            for (at, hidden) in hidden.iter().enumerate().filter(|(_, hidden)| (**hidden == 0.0) == seen) {
                let (of, pair) = (at / pairs, at % pairs);
                for head in 0..heads {
                    let sum = scores.sum([of, head, pair / places, pair % places]);
                    let number: &mut Option<f32> = &mut known[row(pair) * heads + head];
                    let fits = match *number {
                        None => sum.is_finite(),
                        Some(number) if seen => sum == number,
                        Some(number) => *hidden < 0.0 && sum <= number + HIDDEN,
                    };
                    if !fits {
                        return Ok(None);
                    }
                    number.get_or_insert(sum);
                }
            }
        }
        let table = known.into_iter().map(|number| number.unwrap_or(0.0)).collect();
        Ok(Some(Relative { window, shift, table }))
    }

    /// What is added to scores, a number in each head for every pair of places: (heads, queries, keys).
    pub(super) fn pairs(&mut self, scores: &Scores, heads: usize) -> Result<Option<ParamId>, Stop> {
        let rank = scores.shape.len();
        let shape = [heads, scores.shape[rank - 2], scores.shape[rank - 1]];
        let name = match scores.added.as_slice() {
            [] => return Ok(None),
            [only] if only.sides[1..] == shape => only.name.clone(),
            _ => None,
        };
        let len: usize = shape.iter().product();
        if !self.can_spend(len) {
            return Err(Stop::Unknown("adds more numbers to scores than may be"));
        }
        let pairs = shape[1] * shape[2];
        let at = |at: usize| match scores.sum([0, at / pairs, at % pairs / shape[2], at % shape[2]]) {
            f32::NEG_INFINITY => UNSEEN,
            number => number,
        };
        let numbers: Vec<f32> = (0..len).map(at).collect();
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(Stop::Unknown("adds numbers to scores that are not finite"));
        }
        Ok(Some(self.param(name.as_ref(), "bias", &shape, Rc::new(numbers))))
    }
}

impl Scores {
    /// What is added for a window, a head, a query and a key.
    fn sum(&self, at: [usize; 4]) -> f32 {
        let number = |added: &Added| {
            let place = added
                .sides
                .iter()
                .zip(at)
                .fold(0, |place, (side, at)| place * side + if *side == 1 { 0 } else { at });
            added.numbers[place]
        };
        self.added.iter().map(number).sum()
    }
}
