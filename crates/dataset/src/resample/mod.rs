//! Resizing as Pillow's `Image.resize` does it, to the bit: 22-bit fixed-point weights, the horizontal pass first and
//! rounded to bytes, then the vertical one; a pass that changes nothing is left out.
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
    let vertical =
        (size.1 != picture.height).then(|| Weights::new(picture.height, size.1, rows.clone(), filter));
    // The rows that the vertical pass will read.
    let inputs = vertical.as_ref().map_or(rows.start as usize..rows.end as usize, Weights::inputs);
    let stride = picture.width as usize * CHANNELS;
    let source = &picture.pixels[inputs.start * stride..inputs.end * stride];

    let narrowed: Cow<'_, [u8]> = if size.0 != picture.width {
        let weights = Weights::new(picture.width, size.0, columns.clone(), filter);
        Cow::Owned(horizontal_pass(source, stride, &weights))
    } else if columns == (0..size.0) {
        Cow::Borrowed(source)
    } else {
        let wanted = columns.start as usize * CHANNELS..columns.end as usize * CHANNELS;
        Cow::Owned(source.chunks_exact(stride).flat_map(|row| &row[wanted.clone()]).copied().collect())
    };
    match vertical {
        Some(weights) => vertical_pass(&narrowed, columns.len() * CHANNELS, inputs.start, &weights),
        None => narrowed.into_owned(),
    }
}

/// Rows of `stride` bytes → as many rows of `weights.len()` pixels.
fn horizontal_pass(source: &[u8], stride: usize, weights: &Weights) -> Vec<u8> {
    let width = weights.len() * CHANNELS;
    let mut output = vec![0; source.len() / stride * width];
    for (row, out) in source.chunks_exact(stride).zip(output.chunks_exact_mut(width)) {
        for ((first, weights), pixel) in weights.iter().zip(out.chunks_exact_mut(CHANNELS)) {
            let mut sums = [HALF; CHANNELS];
            for (input, weight) in row[first * CHANNELS..].chunks_exact(CHANNELS).zip(weights) {
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
