//! Where the numbers of a tensor lie in its file, and those numbers in order.

use super::{
    dtype::Dtype,
    limits,
    values::{Described, Id, Storage, Values},
};
use crate::numbers::{Number, count};
use std::ops::Range;

/// A tensor whose numbers lie within the file.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) shape: Vec<usize>,
    /// What it is stored as: floats that are read, or something else by its name.
    pub(super) number: Result<Number, &'static str>,
    /// From one number to the next of each axis, in numbers.
    strides: Vec<usize>,
    /// From its first number to its last.
    bytes: Range<usize>,
}

impl Layout {
    /// Checks what a pickle says of a tensor. `locate` gives the bytes of a storage, by the name that the container has for
    /// it. The reason why not is a part of a sentence.
    pub(super) fn new(
        values: &Values<'_>,
        described: &Described,
        locate: &dyn Fn(&Storage) -> Result<Range<usize>, String>,
    ) -> Result<Layout, String> {
        let (storage, offset, shape, strides, dtype) = match *described {
            Described::Strided { storage, offset, shape, strides, dtype } => {
                (&values.storages[storage as usize], offset, shape, strides, dtype)
            }
            Described::Other { what, shape } => {
                let shape =
                    shape.and_then(|id| sides(values, id).ok()).filter(|shape| count(shape).is_some());
                let shape = shape.unwrap_or_default();
                return Ok(Layout { shape, number: Err(what), strides: Vec::new(), bytes: 0..0 });
            }
        };
        let dtype = match dtype {
            None => storage.dtype,
            Some(id) => match values.global(id) {
                Some(("torch", name)) => Dtype::named(name).ok_or("has a dtype that is not known")?,
                _ => return Err("has no dtype".to_owned()),
            },
        };
        let number = match dtype {
            Dtype::Float(number) => Ok(number),
            Dtype::Other(name, _) => Err(name),
        };
        let (shape, mut strides) = (sides(values, shape)?, sides(values, strides)?);
        if shape.len() != strides.len() {
            return Err(format!("has {} sides and {} strides", shape.len(), strides.len()));
        }
        let length = count(&shape).ok_or_else(|| format!("has too large a shape, {shape:?}"))?;
        if length == 0 {
            return Ok(Layout { shape, number, strides, bytes: 0..0 });
        }
        let held = stored(storage, locate(storage)?)?;
        let offset = values.count(offset).and_then(|offset| usize::try_from(offset).ok());
        let bytes = offset.and_then(|offset| within(&shape, &strides, offset, dtype.size(), &held));
        let bytes = bytes.ok_or("reaches beyond what is stored of it")?;
        if length > limits::REPEATED.max(held.len() / dtype.size()) {
            return Err(format!("repeats {} bytes to {length} numbers", held.len()));
        }
        // Nobody goes along an axis of one, so that its stride may be any.
        strides.iter_mut().zip(&shape).filter(|(_, side)| **side == 1).for_each(|(stride, _)| *stride = 0);
        Ok(Layout { shape, number, strides, bytes })
    }

    /// Its numbers, row-major. `file`: the whole file.
    pub(super) fn read(&self, number: Number, file: &[u8]) -> Vec<f32> {
        let bytes = &file[self.bytes.clone()];
        if bytes.is_empty() {
            return Vec::new();
        }
        if self.is_row_major() {
            number.widen(bytes)
        } else {
            number.widen(&self.gather(bytes, number.size()))
        }
    }

    fn is_row_major(&self) -> bool {
        let mut next = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(side, stride)| {
            let fits = *side == 1 || *stride == next;
            next *= side;
            fits
        })
    }

    /// The bytes of its numbers in row-major order; `size`: those of one.
    fn gather(&self, bytes: &[u8], size: usize) -> Vec<u8> {
        let length: usize = self.shape.iter().product();
        let mut gathered = Vec::with_capacity(length * size);
        let (mut index, mut place) = (vec![0; self.shape.len()], 0);
        for _ in 0..length {
            gathered.extend_from_slice(&bytes[place * size..][..size]);
            for ((at, side), stride) in index.iter_mut().zip(&self.shape).zip(&self.strides).rev() {
                *at += 1;
                place += stride;
                if *at < *side {
                    break;
                }
                // The next number of the axis before.
                *at = 0;
                place -= side * stride;
            }
        }
        gathered
    }
}

/// The sides of a shape, or strides: integers that are not negative.
fn sides(values: &Values<'_>, id: Id) -> Result<Vec<usize>, String> {
    let items = values.items(id).ok_or("has no shape")?;
    if items.len() > limits::AXES {
        return Err(format!("has {} axes; at most {} are read", items.len(), limits::AXES));
    }
    let side = |id: &Id| values.count(*id).and_then(|side| usize::try_from(side).ok());
    items
        .iter()
        .map(|id| side(id).ok_or_else(|| "has a shape or strides that are no counts".to_owned()))
        .collect()
}

/// The bytes of a storage, of the whole one that it is a view of.
fn stored(storage: &Storage, whole: Range<usize>) -> Result<Range<usize>, String> {
    let bytes = |count: u64| usize::try_from(count).ok()?.checked_mul(storage.dtype.size());
    let start = bytes(storage.view.unwrap_or(0)).and_then(|start| whole.start.checked_add(start));
    let range = start.and_then(|start| Some(start..start.checked_add(bytes(storage.count)?)?));
    range
        .filter(|range| range.end <= whole.end)
        .ok_or_else(|| format!("needs {} numbers of a storage of {} bytes", storage.count, whole.len()))
}

/// From the first number of a tensor to its last, if they all lie in `held`. No side is zero.
fn within(
    shape: &[usize],
    strides: &[usize],
    offset: usize,
    size: usize,
    held: &Range<usize>,
) -> Option<Range<usize>> {
    let reach = shape
        .iter()
        .zip(strides)
        .try_fold(0_usize, |reach, (side, stride)| reach.checked_add((side - 1).checked_mul(*stride)?))?;
    let start = held.start.checked_add(offset.checked_mul(size)?)?;
    let end = start.checked_add(reach.checked_add(1)?.checked_mul(size)?)?;
    (end <= held.end).then_some(start..end)
}
