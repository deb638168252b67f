//! Numbers worked out number by number, along axes, and as products of matrices.

use super::{
    super::{
        constant::{Constant, Data, broadcast, gather, places},
        element::{binary, unary},
        function::{Binary, narrow},
    },
    Fold, Unfolded, axis,
};
use std::rc::Rc;

impl Fold<'_> {
    pub(super) fn cast(&mut self) -> Result<Constant, Unfolded> {
        let input = self.input(0)?.clone();
        let to_float = match self.node.op.as_str() {
            "Cast" => is_float(self.node.int("to").unwrap_or(1)),
            _ => matches!(self.input(1)?.data, Data::Floats(_)),
        };
        self.spend(&input.shape)?;
        let to_bool = self.node.int("to") == Some(9);
        Ok(match (&input.data, to_float) {
            (Data::Floats(data), false) => {
                #[expect(clippy::cast_possible_truncation, reason = "as casts go")]
                let integer = |x: &f32| if to_bool { i64::from(*x != 0.0) } else { *x as i64 };
                Constant::integers(input.shape, data.iter().map(integer).collect())
            }
            (Data::Integers(data), true) => {
                Constant::floats(input.shape, data.iter().map(|x| *x as f32).collect())
            }
            (Data::Integers(data), false) if to_bool => {
                Constant::integers(input.shape, data.iter().map(|x| i64::from(*x != 0)).collect())
            }
            _ => input,
        })
    }

    pub(super) fn element_wise(&mut self) -> Result<Constant, Unfolded> {
        if let Some(function) = unary(self.node) {
            let input = self.input(0)?.clone();
            self.spend(&input.shape)?;
            return match &input.data {
                Data::Floats(data) => {
                    let values = data.iter().map(|x| narrow(function.of(f64::from(*x)))).collect();
                    Ok(Constant::floats(input.shape, values))
                }
                Data::Integers(data) => self.integer_function(&input, data),
                Data::Stored(_) => Err(Unfolded::Wrong),
            };
        }
        match self.node.op.as_str() {
            "Neg" | "Not" => {
                let input = self.input(0)?.clone();
                if let Data::Integers(data) = &input.data {
                    self.spend(&input.shape)?;
                    let is_not = self.node.op == "Not";
                    let value = |x: &i64| if is_not { i64::from(*x == 0) } else { x.wrapping_neg() };
                    return Ok(Constant::integers(input.shape.clone(), data.iter().map(value).collect()));
                }
                let data = self.floats(0)?;
                self.spend(&input.shape)?;
                Ok(Constant::floats(input.shape, data.iter().map(|x| -x).collect()))
            }
            _ => self.of_two(),
        }
    }

    fn integer_function(&self, input: &Constant, data: &[i64]) -> Result<Constant, Unfolded> {
        match self.node.op.as_str() {
            "Abs" => {
                Ok(Constant::integers(input.shape.clone(), data.iter().map(|x| x.wrapping_abs()).collect()))
            }
            "Floor" | "Ceil" | "Round" => Ok(input.clone()),
            _ => Err(Unfolded::Wrong),
        }
    }

    fn of_two(&mut self) -> Result<Constant, Unfolded> {
        let (a, b) = (self.input(0)?.clone(), self.input(1)?.clone());
        let shape = broadcast(&a.shape, &b.shape).ok_or(Unfolded::Wrong)?;
        self.spend(&shape)?;
        let (at_a, at_b) = (places(&a.shape, &shape), places(&b.shape, &shape));
        match (&a.data, &b.data) {
            (Data::Floats(a), Data::Floats(b)) => {
                let (a, b) = (gather(a, &at_a), gather(b, &at_b));
                let pairs = || a.iter().zip(&b);
                if let Some(compared) = compare(&self.node.op) {
                    let truth = |(a, b): (&f32, &f32)| i64::from(a.partial_cmp(b).is_some_and(compared));
                    return Ok(Constant::integers(shape, pairs().map(truth).collect()));
                }
                let function = binary(&self.node.op).ok_or(Unfolded::Unknown)?;
                let value = |(a, b): (&f32, &f32)| narrow(function.of(f64::from(*a), f64::from(*b)));
                Ok(Constant::floats(shape, pairs().map(value).collect()))
            }
            (Data::Integers(a), Data::Integers(b)) => {
                let (a, b) = (gather(a, &at_a), gather(b, &at_b));
                let op = self.node.op.clone();
                let value = |(a, b): (&i64, &i64)| integer(&op, *a, *b);
                let values = a.iter().zip(&b).map(value).collect::<Option<_>>().ok_or(Unfolded::Unknown)?;
                Ok(Constant::integers(shape, values))
            }
            // A power whose exponent is a whole number.
            (Data::Floats(a), Data::Integers(b)) if self.node.op == "Pow" => {
                let (a, b) = (gather(a, &at_a), gather(b, &at_b));
                let value = |(a, b): (&f32, &i64)| narrow(f64::from(*a).powf(*b as f64));
                Ok(Constant::floats(shape, a.iter().zip(&b).map(value).collect()))
            }
            _ => Err(Unfolded::Wrong),
        }
    }

    pub(super) fn clip(&mut self) -> Result<Constant, Unfolded> {
        let input = self.input(0)?.clone();
        self.spend(&input.shape)?;
        match &input.data {
            Data::Floats(data) => {
                let end = |at: usize, name: &str, none: f32| {
                    self.floats(at)
                        .ok()
                        .and_then(|end| end.first().copied())
                        .or_else(|| self.node.float(name))
                        .unwrap_or(none)
                };
                let (low, high) = (end(1, "min", f32::MIN), end(2, "max", f32::MAX));
                Ok(Constant::floats(input.shape, data.iter().map(|x| x.max(low).min(high)).collect()))
            }
            Data::Integers(data) => {
                let end = |at: usize, none: i64| {
                    self.integers(at).ok().and_then(|end| end.first().copied()).unwrap_or(none)
                };
                let (low, high) = (end(1, i64::MIN), end(2, i64::MAX));
                Ok(Constant::integers(input.shape, data.iter().map(|x| (*x).max(low).min(high)).collect()))
            }
            Data::Stored(_) => Err(Unfolded::Wrong),
        }
    }

    pub(super) fn reduce(&mut self) -> Result<Constant, Unfolded> {
        let input = self.input(0)?.clone();
        let rank = input.shape.len();
        let list = self.integers(1).ok().map(|list| list.to_vec());
        let list = list.or_else(|| self.node.ints("axes").map(<[i64]>::to_vec));
        let gone: Vec<usize> = match list {
            Some(list) if !list.is_empty() => {
                list.iter().map(|at| axis(*at, rank)).collect::<Option<_>>().ok_or(Unfolded::Wrong)?
            }
            _ => (0..rank).collect(),
        };
        let keeps = self.node.int("keepdims").unwrap_or(1) == 1;
        let (kept, shape): (Vec<usize>, Vec<usize>) = (
            (0..rank).map(|at| if gone.contains(&at) { 1 } else { input.shape[at] }).collect(),
            (0..rank)
                .filter(|at| keeps || !gone.contains(at))
                .map(|at| if gone.contains(&at) { 1 } else { input.shape[at] })
                .collect(),
        );
        self.spend(&input.shape)?;
        let targets = places(&kept, &input.shape);
        let len: usize = kept.iter().product();
        let op = self.node.op.clone();
        match &input.data {
            Data::Integers(data) => {
                let mut sums: Vec<Option<i64>> = vec![None; len];
                for (target, x) in targets.iter().zip(data.iter()) {
                    sums[*target] = Some(match (op.as_str(), sums[*target]) {
                        (_, None) => *x,
                        ("ReduceProd", Some(sum)) => sum.wrapping_mul(*x),
                        ("ReduceMax", Some(sum)) => sum.max(*x),
                        ("ReduceMin", Some(sum)) => sum.min(*x),
                        (_, Some(sum)) => sum.wrapping_add(*x),
                    });
                }
                if op == "ReduceMean" {
                    return Err(Unfolded::Unknown);
                }
                let empty = i64::from(op == "ReduceProd");
                Ok(Constant::integers(shape, sums.into_iter().map(|sum| sum.unwrap_or(empty)).collect()))
            }
            Data::Floats(data) => {
                let mut sums: Vec<Option<f64>> = vec![None; len];
                for (target, x) in targets.iter().zip(data.iter()) {
                    let x = f64::from(*x);
                    sums[*target] = Some(match (op.as_str(), sums[*target]) {
                        (_, None) => x,
                        ("ReduceProd", Some(sum)) => sum * x,
                        ("ReduceMax", Some(sum)) => sum.max(x),
                        ("ReduceMin", Some(sum)) => sum.min(x),
                        (_, Some(sum)) => sum + x,
                    });
                }
                let share = if op == "ReduceMean" { data.len().max(1) / len.max(1) } else { 1 };
                let value = |sum: Option<f64>| narrow(sum.unwrap_or_default() / share as f64);
                Ok(Constant::floats(shape, sums.into_iter().map(value).collect()))
            }
            Data::Stored(_) => Err(Unfolded::Wrong),
        }
    }

    pub(super) fn product(&mut self) -> Result<Constant, Unfolded> {
        let (a, b) = (self.floats(0)?, self.floats(1)?);
        let (left, right) = (self.input(0)?.shape.clone(), self.input(1)?.shape.clone());
        let ([lead @ .., k], [rows, columns]) = (left.as_slice(), right.as_slice()) else {
            return Err(Unfolded::Unknown);
        };
        if k != rows {
            return Err(Unfolded::Wrong);
        }
        let shape = [lead, &[*columns]].concat();
        let len = self.spend(&shape)?;
        // Each number is a sum of so many.
        self.spend(&[len, *k])?;
        let mut data = vec![0.0_f32; len];
        for (row, out) in data.chunks_exact_mut((*columns).max(1)).enumerate() {
            for (at, out) in out.iter_mut().enumerate() {
                let term = |k: usize| f64::from(a[row * rows + k]) * f64::from(b[k * columns + at]);
                *out = narrow((0..*rows).map(term).sum());
            }
        }
        Ok(Constant { shape, data: Data::Floats(Rc::new(data)), name: None })
    }
}

/// Whether a `TensorProto.DataType` is of floats.
pub(in super::super) fn is_float(dtype: i64) -> bool {
    [1, 10, 11, 16].contains(&dtype)
}

fn compare(op: &str) -> Option<fn(std::cmp::Ordering) -> bool> {
    Some(match op {
        "Equal" => std::cmp::Ordering::is_eq,
        "Greater" => std::cmp::Ordering::is_gt,
        "GreaterOrEqual" => std::cmp::Ordering::is_ge,
        "Less" => std::cmp::Ordering::is_lt,
        "LessOrEqual" => std::cmp::Ordering::is_le,
        _ => return None,
    })
}

fn integer(op: &str, a: i64, b: i64) -> Option<i64> {
    if let Some(compared) = compare(op) {
        return Some(i64::from(compared(a.cmp(&b))));
    }
    Some(match op {
        "Mod" => a.checked_rem_euclid(b)?,
        "And" => i64::from(a != 0 && b != 0),
        "Or" => i64::from(a != 0 || b != 0),
        "Xor" => i64::from((a != 0) != (b != 0)),
        _ => match binary(op)? {
            Binary::Add => a.wrapping_add(b),
            Binary::Subtract => a.wrapping_sub(b),
            Binary::Multiply => a.wrapping_mul(b),
            // Towards zero.
            Binary::Divide => a.checked_div(b)?,
            Binary::Power => a.checked_pow(u32::try_from(b).ok()?)?,
            Binary::Min => a.min(b),
            Binary::Max => a.max(b),
        },
    })
}
