//! Numbers that are put elsewhere, and hardly changed: maps side by side, as vectors, as tokens.

use super::{
    gemm::{Lane, blocks},
    parallel::each_piece,
};
use std::ops::Range;

/// What is put where.
#[derive(Debug)]
pub(crate) enum Rearrange {
    /// Maps with each one's channels, side by side.
    Concat(Vec<usize>),
    Flatten {
        channels: usize,
    },
    /// Places one after the other, as one vector.
    Rows {
        channels: usize,
    },
    /// (prefix and places, blocks): added to a map's places, or put before them.
    Tokens(Vec<Lane>),
    /// The same for every picture.
    Constant(Vec<Lane>),
    /// One of each picture's places.
    Token(usize),
    /// Some of so many channels.
    Channels {
        channels: usize,
        kept: Range<usize>,
    },
    /// Channels as (groups, c / groups) transposed.
    Shuffle {
        channels: usize,
        groups: usize,
    },
    /// Four neighbours of a map (height, width) as one place.
    Merge {
        size: (usize, usize),
        channels: usize,
    },
}

impl Rearrange {
    /// n pictures; places: of the first map of one picture.
    pub(crate) fn run(&self, n: usize, places: usize, from: &[&[Lane]], to: &mut [Lane]) {
        match self {
            Rearrange::Concat(channels) => {
                let parts: Vec<_> = from.iter().copied().zip(channels.iter().copied()).collect();
                concat(&parts, to);
            }
            Rearrange::Flatten { channels } => flatten(places, *channels, from[0], to),
            Rearrange::Rows { channels } => rows(places, *channels, from[0], to),
            Rearrange::Tokens(table) => tokens(n, table, from[0], to),
            Rearrange::Constant(tokens) => constant(tokens, to),
            Rearrange::Token(index) => token(*index, n, from[0], to),
            Rearrange::Channels { channels: of, kept } => channels(*of, kept.clone(), from[0], to),
            Rearrange::Shuffle { channels, groups } => shuffle(*channels, *groups, from[0], to),
            Rearrange::Merge { size, channels } => merge(*size, *channels, from[0], to),
        }
    }
}

/// Maps one after the other along the channels, pixel by pixel. parts: maps and their channels.
fn concat(parts: &[(&[Lane], usize)], to: &mut [Lane]) {
    let channels: usize = parts.iter().map(|(_, channels)| channels).sum();
    each_piece(to, blocks(channels), |pixel, to| {
        let to: &mut [f32] = bytemuck::cast_slice_mut(to);
        let mut at = 0;
        for (from, channels) in parts {
            let from = &from[pixel * blocks(*channels)..][..blocks(*channels)];
            to[at..at + channels].copy_from_slice(&bytemuck::cast_slice(from)[..*channels]);
            at += channels;
        }
        to[at..].fill(0.0);
    });
}

/// Maps of `pixels` to vectors (c · pixels,), row-major as PyTorch flattens.
fn flatten(pixels: usize, channels: usize, from: &[Lane], to: &mut [Lane]) {
    let width = blocks(channels);
    each_piece(to, blocks(channels * pixels), |picture, to| {
        let to: &mut [f32] = bytemuck::cast_slice_mut(to);
        let from = from[picture * pixels * width..].chunks_exact(width).take(pixels);
        for (pixel, from) in from.enumerate() {
            for (channel, x) in bytemuck::cast_slice::<Lane, f32>(from)[..channels].iter().enumerate() {
                to[channel * pixels + pixel] = *x;
            }
        }
        to[channels * pixels..].fill(0.0);
    });
}

/// n maps as tokens: `table` holds what is added to each place, after what stands before them as it is.
fn tokens(n: usize, table: &[Lane], from: &[Lane], to: &mut [Lane]) {
    let map = from.len() / n;
    let prefix = table.len() - map;
    each_piece(to, table.len(), |picture, to| {
        let from = &from[picture * map..][..map];
        let (before, to) = to.split_at_mut(prefix);
        before.copy_from_slice(&table[..prefix]);
        for ((to, from), added) in to.iter_mut().zip(from).zip(&table[prefix..]) {
            *to = Lane(std::array::from_fn(|i| from.0[i] + added.0[i]));
        }
    });
}

/// The same tokens for every picture.
fn constant(value: &[Lane], to: &mut [Lane]) {
    to.chunks_exact_mut(value.len()).for_each(|to| to.copy_from_slice(value));
}

/// One of each picture's places.
fn token(index: usize, n: usize, from: &[Lane], to: &mut [Lane]) {
    let (map, width) = (from.len() / n, to.len() / n);
    for (to, from) in to.chunks_exact_mut(width).zip(from.chunks_exact(map)) {
        to.copy_from_slice(&from[index * width..][..width]);
    }
}

/// Some of so many channels of every place.
fn channels(of: usize, kept: Range<usize>, from: &[Lane], to: &mut [Lane]) {
    each_piece(to, blocks(kept.len()), |place, to| {
        let to: &mut [f32] = bytemuck::cast_slice_mut(to);
        let from: &[f32] = bytemuck::cast_slice(&from[place * blocks(of)..][..blocks(of)]);
        let (to, rest) = to.split_at_mut(kept.len());
        to.copy_from_slice(&from[kept.clone()]);
        rest.fill(0.0);
    });
}

/// Channels of every place as (groups, each) transposed.
fn shuffle(channels: usize, groups: usize, from: &[Lane], to: &mut [Lane]) {
    let (width, each) = (blocks(channels), channels / groups);
    each_piece(to, width, |place, to| {
        let to: &mut [f32] = bytemuck::cast_slice_mut(to);
        let from: &[f32] = bytemuck::cast_slice(&from[place * width..][..width]);
        let (to, rest) = to.split_at_mut(channels);
        for (group, from) in from[..channels].chunks_exact(each).enumerate() {
            to[group..].iter_mut().step_by(groups).zip(from).for_each(|(to, x)| *to = *x);
        }
        rest.fill(0.0);
    });
}

/// Four neighbours of maps (height, width) as one place, channels one after the other: upper left, lower left, upper
/// right, lower right.
fn merge(size: (usize, usize), channels: usize, from: &[Lane], to: &mut [Lane]) {
    let (height, width) = size;
    let (blocks_in, blocks_out) = (blocks(channels), blocks(4 * channels));
    let (rows, columns) = (height.div_ceil(2), width.div_ceil(2));
    each_piece(to, blocks_out, |place, to| {
        let from = &from[place / (rows * columns) * height * width * blocks_in..];
        let to: &mut [f32] = bytemuck::cast_slice_mut(to);
        to.fill(0.0);
        for (part, (dy, dx)) in [(0, 0), (1, 0), (0, 1), (1, 1)].into_iter().enumerate() {
            let (y, x) = (place / columns % rows * 2 + dy, place % columns * 2 + dx);
            if y < height && x < width {
                let place: &[f32] = bytemuck::cast_slice(&from[(y * width + x) * blocks_in..][..blocks_in]);
                to[part * channels..][..channels].copy_from_slice(&place[..channels]);
            }
        }
    });
}

/// Places of `channels`, one after the other, as one vector.
fn rows(places: usize, channels: usize, from: &[Lane], to: &mut [Lane]) {
    let width = blocks(channels);
    each_piece(to, blocks(channels * places), |picture, to| {
        let (to, rest) = bytemuck::cast_slice_mut::<Lane, f32>(to).split_at_mut(channels * places);
        let from = from[picture * places * width..].chunks_exact(width);
        for (to, from) in to.chunks_exact_mut(channels).zip(from) {
            to.copy_from_slice(&bytemuck::cast_slice::<Lane, f32>(from)[..channels]);
        }
        rest.fill(0.0);
    });
}
