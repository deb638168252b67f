//! Resizing as Pillow's `Image.resize` does it, to the bit: 22-bit fixed-point weights, a horizontal and a vertical
//! pass with bytes between them, a pass that changes nothing left out.
//!
//! Only the rows and columns that are asked for are computed, which changes none of their bits: an output byte depends
//! on its weights and its inputs alone. All is integers, whose sums have the same bits in any order and with any vectors.

pub(crate) mod across;
pub(crate) mod down;
#[cfg(target_arch = "x86_64")]
mod vector;
mod weights;

use crate::image::{Filter, Picture, decode::Part, simd::Isa};
use std::ops::Range;
use weights::{PRECISION, Weights};

/// Bytes a pixel.
pub(crate) const CHANNELS: usize = 3;

/// The picture at another size.
///
/// # Panics
///
/// Where `width` or `height` is 0.
pub fn resize(picture: &Picture, width: u32, height: u32, filter: Filter) -> Picture {
    assert!(width > 0 && height > 0, "a picture has at least one pixel");
    let pixels = resize_window(&Part::of(picture), (width, height), filter, 0..width, 0..height);
    Picture { width, height, pixels }
}

/// The part (`rows`, `columns`) of the picture resized to `size` (width, height): (rows, columns, 3) bytes. Of the
/// picture, `part` has at least what [`inputs`] says for both.
pub(crate) fn resize_window(
    part: &Part<'_>,
    size: (u32, u32),
    filter: Filter,
    columns: Range<u32>,
    rows: Range<u32>,
) -> Vec<u8> {
    resize_by(Isa::best(), part, size, filter, columns, rows)
}

fn resize_by(
    isa: Isa,
    part: &Part<'_>,
    size: (u32, u32),
    filter: Filter,
    columns: Range<u32>,
    rows: Range<u32>,
) -> Vec<u8> {
    let whole = part.whole;
    let horizontal = (size.0 != whole.0).then(|| Weights::new(whole.0, size.0, columns.clone(), filter));
    let vertical = (size.1 != whole.1).then(|| Weights::new(whole.1, size.1, rows.clone(), filter));
    // What the passes will read of the picture.
    let across = horizontal.as_ref().map_or(columns.start as usize..columns.end as usize, Weights::inputs);
    let down = vertical.as_ref().map_or(rows.start as usize..rows.end as usize, Weights::inputs);
    match (horizontal, vertical) {
        (None, None) => part.cut(&across, down),
        (Some(by), None) => across::pass(isa, &Cut { part, columns: across }, down, &by),
        (None, Some(by)) => {
            let stride = across.len() * CHANNELS;
            down::pass(isa, &part.cut(&across, down.clone()), stride, down.start, &by)
        }
        (Some(across_by), Some(down_by)) if vertical_first(whole, size) => {
            let stride = across.len() * CHANNELS;
            let lower = down::pass(isa, &part.cut(&across, down.clone()), stride, down.start, &down_by);
            let lower = Lower { rows: &lower, first: across.start, stride };
            across::pass(isa, &lower, 0..down_by.len(), &across_by)
        }
        (Some(across_by), Some(down_by)) => {
            let narrower = across::pass(isa, &Cut { part, columns: across }, down.clone(), &across_by);
            down::pass(isa, &narrower, across_by.len() * CHANNELS, down.start, &down_by)
        }
    }
}

/// Which of `whole` columns (or rows) the outputs `wanted` of `size` are made of.
pub(crate) fn inputs(whole: u32, size: u32, wanted: Range<u32>, filter: Filter) -> Range<u32> {
    if whole == size || wanted.is_empty() {
        return wanted;
    }
    let of = |output: u32| Weights::new(whole, size, output..output + 1, filter).inputs();
    of(wanted.start).start as u32..of(wanted.end - 1).end as u32
}

/// Since version 13, Pillow takes the vertical pass first where it removes more than twice as many rows as the other
/// removes columns (its pull request 9549); before, never. The bytes between the passes are rounded, so it shows.
fn vertical_first(whole: (u32, u32), (width, height): (u32, u32)) -> bool {
    let removed = |from: u32, to: u32| i64::from(from) - i64::from(to);
    let rows = removed(whole.1, height);
    rows > 0 && rows > 2 * removed(whole.0, width)
}

/// Rows of pixels, which may have to be made.
trait Rows {
    /// The column that a row begins with.
    fn first(&self) -> usize;
    /// Bytes a row.
    fn stride(&self) -> usize;
    /// Writes some rows, which begin `apart` bytes from one another.
    fn read(&self, rows: Range<usize>, out: &mut [u8], apart: usize);
}

/// Some columns of a part of a picture.
struct Cut<'a> {
    part: &'a Part<'a>,
    columns: Range<usize>,
}

impl Rows for Cut<'_> {
    fn first(&self) -> usize {
        self.columns.start
    }

    fn stride(&self) -> usize {
        self.columns.len() * CHANNELS
    }

    fn read(&self, rows: Range<usize>, out: &mut [u8], apart: usize) {
        self.part.read(&self.columns, rows, out, apart);
    }
}

/// What the vertical pass has left.
struct Lower<'a> {
    rows: &'a [u8],
    first: usize,
    stride: usize,
}

impl Rows for Lower<'_> {
    fn first(&self) -> usize {
        self.first
    }

    fn stride(&self) -> usize {
        self.stride
    }

    fn read(&self, rows: Range<usize>, out: &mut [u8], apart: usize) {
        let rows = &self.rows[rows.start * self.stride..rows.end * self.stride];
        for (out, row) in out.chunks_mut(apart).zip(rows.chunks_exact(self.stride)) {
            out[..self.stride].copy_from_slice(row);
        }
    }
}

/// One half, in the weights' fixed point: where every sum starts, so that dropping the fraction rounds.
const HALF: i32 = 1 << (PRECISION - 1);

#[inline(always)]
fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests;
