//! Resizing as Pillow's `Image.resize` does it, to the bit: 22-bit fixed-point weights, a horizontal and a vertical
//! pass with bytes between them, a pass that changes nothing left out.
//!
//! Only the rows and columns that are asked for are computed, which changes none of their bits: an output byte depends
//! on its weights and its inputs alone.

mod weights;

use crate::Picture;
use artifact::Filter;
use std::{borrow::Cow, ops::Range};
use weights::{PRECISION, Weights};

/// Bytes a pixel.
const CHANNELS: usize = 3;

/// The picture at another size.
///
/// # Panics
///
/// Where `width` or `height` is 0.
pub fn resize(picture: &Picture, width: u32, height: u32, filter: Filter) -> Picture {
    assert!(width > 0 && height > 0, "a picture has at least one pixel");
    let pixels = resize_window(picture, (width, height), filter, 0..width, 0..height);
    Picture { width, height, pixels }
}

/// The part (`rows`, `columns`) of the picture resized to `size` (width, height): (rows, columns, 3) bytes.
pub(crate) fn resize_window(
    picture: &Picture,
    size: (u32, u32),
    filter: Filter,
    columns: Range<u32>,
    rows: Range<u32>,
) -> Vec<u8> {
    let horizontal =
        (size.0 != picture.width).then(|| Weights::new(picture.width, size.0, columns.clone(), filter));
    let vertical =
        (size.1 != picture.height).then(|| Weights::new(picture.height, size.1, rows.clone(), filter));
    // What the passes will read of the picture.
    let across = horizontal.as_ref().map_or(columns.start as usize..columns.end as usize, Weights::inputs);
    let down = vertical.as_ref().map_or(rows.start as usize..rows.end as usize, Weights::inputs);
    let source = cut(picture, &across, &down);
    let stride = across.len() * CHANNELS;
    match (horizontal, vertical) {
        (None, None) => source.into_owned(),
        (Some(across_by), None) => horizontal_pass(&source, stride, across.start, &across_by),
        (None, Some(down_by)) => vertical_pass(&source, stride, down.start, &down_by),
        (Some(across_by), Some(down_by)) if vertical_first(picture, size) => {
            let lower = vertical_pass(&source, stride, down.start, &down_by);
            horizontal_pass(&lower, stride, across.start, &across_by)
        }
        (Some(across_by), Some(down_by)) => {
            let narrower = horizontal_pass(&source, stride, across.start, &across_by);
            vertical_pass(&narrower, across_by.len() * CHANNELS, down.start, &down_by)
        }
    }
}

/// Since version 13, Pillow takes the vertical pass first where it removes more than twice as many rows as the other
/// removes columns (its pull request 9549); before, never. The bytes between the passes are rounded, so it shows.
fn vertical_first(picture: &Picture, (width, height): (u32, u32)) -> bool {
    let removed = |from: u32, to: u32| i64::from(from) - i64::from(to);
    let rows = removed(picture.height, height);
    rows > 0 && rows > 2 * removed(picture.width, width)
}

/// The pixels of some columns and rows.
fn cut<'p>(picture: &'p Picture, columns: &Range<usize>, rows: &Range<usize>) -> Cow<'p, [u8]> {
    let stride = picture.width as usize * CHANNELS;
    let source = &picture.pixels[rows.start * stride..rows.end * stride];
    if columns.len() * CHANNELS == stride {
        return Cow::Borrowed(source);
    }
    let wanted = columns.start * CHANNELS..columns.end * CHANNELS;
    let mut pixels = Vec::with_capacity(rows.len() * wanted.len());
    for row in source.chunks_exact(stride) {
        pixels.extend_from_slice(&row[wanted.clone()]);
    }
    Cow::Owned(pixels)
}

/// Rows of `stride` bytes, the first pixels of which are column `offset` of the picture → as many rows of
/// `weights.len()` pixels.
fn horizontal_pass(source: &[u8], stride: usize, offset: usize, weights: &Weights) -> Vec<u8> {
    let width = weights.len() * CHANNELS;
    let mut output = vec![0; source.len() / stride * width];
    for (row, out) in source.chunks_exact(stride).zip(output.chunks_exact_mut(width)) {
        for ((first, weights), pixel) in weights.iter().zip(out.chunks_exact_mut(CHANNELS)) {
            let mut sums = [HALF; CHANNELS];
            for (input, weight) in row[(first - offset) * CHANNELS..].chunks_exact(CHANNELS).zip(weights) {
                for (sum, byte) in sums.iter_mut().zip(input) {
                    *sum += i32::from(*byte) * weight;
                }
            }
            for (byte, sum) in pixel.iter_mut().zip(sums) {
                *byte = to_byte(sum);
            }
        }
    }
    output
}

/// Rows of `stride` bytes, the first of which is row `offset` of the picture → `weights.len()` such rows.
fn vertical_pass(source: &[u8], stride: usize, offset: usize, weights: &Weights) -> Vec<u8> {
    let mut output = vec![0; weights.len() * stride];
    let mut sums = vec![0; stride];
    for ((first, weights), out) in weights.iter().zip(output.chunks_exact_mut(stride)) {
        sums.fill(HALF);
        for (row, weight) in source[(first - offset) * stride..].chunks_exact(stride).zip(weights) {
            for (sum, byte) in sums.iter_mut().zip(row) {
                *sum += i32::from(*byte) * weight;
            }
        }
        for (byte, sum) in out.iter_mut().zip(&sums) {
            *byte = to_byte(*sum);
        }
    }
    output
}

/// One half, in the weights' fixed point: where every sum starts, so that dropping the fraction rounds.
const HALF: i32 = 1 << (PRECISION - 1);

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests;
