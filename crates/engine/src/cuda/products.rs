//! Weights of convolutions and dense layers, laid out for the one kernel that reads them (`kernels/products.cu`).

use super::arguments::{Piece, Products};
use crate::Precision;
use network::Window;
use rayon::prelude::*;

/// Rows of a tile of results.
const ROWS: usize = 128;
/// Bytes of one row's k in a stage.
const DEPTH: usize = 128;
const STAGES: usize = 3;
/// Threads of a block.
pub(crate) const THREADS: u32 = 256;

/// Who makes a product by the tensor cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A warp, from registers; on every card there is.
    Warp,
    /// Four warps together, from shared memory; on cards of compute capability 9.0, which reach their full rate only so.
    Warpgroup,
}

/// A convolution in the words of the kernel.
#[derive(Debug)]
pub(crate) struct Packed {
    /// All but addresses and rows.
    pub(crate) arguments: Products,
    /// Columns of a tile.
    pub(crate) columns: usize,
    /// Tile after tile, step after step, a column's 128 bytes of k.
    pub(crate) weights: Vec<u8>,
    pub(crate) pieces: Vec<Piece>,
    /// By how many numbers each tile of columns reads further right; empty where none does.
    pub(crate) first: Vec<i32>,
}

/// What is multiplied by what.
pub(crate) struct Layer {
    pub(crate) outputs: usize,
    pub(crate) groups: usize,
    /// Input channels of a group.
    pub(crate) depth: usize,
    pub(crate) window: Window,
    /// Rows, columns, and numbers of a place, of the input.
    pub(crate) input: (usize, usize),
    pub(crate) in_stride: usize,
    pub(crate) output: (usize, usize),
    pub(crate) out_stride: usize,
}

/// How a pixel of a picture is stored for a convolution: so many numbers.
///
/// Where two pixels of four 16-bit numbers make 16 bytes, and windows begin at even columns, two pixels are one place of
/// eight channels. Elsewhere a pixel is at least 16 bytes.
pub(crate) fn pixel(precision: Precision, stride: usize, width: usize) -> usize {
    if precision.bytes() == 4 || stride.is_multiple_of(2) && width.is_multiple_of(2) { 4 } else { 8 }
}

impl Layer {
    /// Of maps. number(output, channel in its group, y, x): the weight.
    pub(crate) fn pack(
        &self,
        precision: Precision,
        number: impl Fn(usize, usize, usize, usize) -> f32 + Sync,
    ) -> Packed {
        let each = 16 / precision.bytes();
        let columns = if self.groups > 1 { 32 } else { columns(self.out_stride) };
        let (first, span) = self.spans(columns, each);
        let Window { kernel, dilation, .. } = self.window;
        let places = kernel.y * kernel.x;
        let taps = (0..places).map(|tap| (tap / kernel.x * dilation.y, tap % kernel.x * dilation.x));
        let pieces = taps.flat_map(|(y, x)| {
            (0..span / each).map(move |at| Piece { dy: small(y), dx: small(x), at: whole(at * each) })
        });
        let per_group = self.outputs / self.groups;
        let weight = |output: usize, k: usize| {
            let (tap, channel) = (k / span, first[output / columns] + k % span);
            let channel = channel.checked_sub(output / per_group * self.depth);
            let channel = channel.filter(|channel| *channel < self.depth && tap < places);
            channel.map_or(0.0, |channel| number(output, channel, tap / kernel.x, tap % kernel.x))
        };
        let mut packed = self.lay_out(precision, columns, pieces.collect(), weight);
        if self.groups > 1 {
            packed.first = first.into_iter().map(whole).collect();
        }
        packed
    }

    /// Of a picture whose pixels are stored as [`pixel`] says: three channels.
    pub(crate) fn pack_picture(
        &self,
        precision: Precision,
        number: impl Fn(usize, usize, usize, usize) -> f32 + Sync,
    ) -> Packed {
        let pixel = self.in_stride;
        // Pixels of a place, and of zeros before the window, so that it begins at a whole place.
        let pixels = (16 / precision.bytes() / pixel).max(1);
        let ([down, along], Window { kernel, .. }) = (self.window.axes(), self.window);
        let lead = along.before % pixels;
        let across = (lead + along.extent()).div_ceil(pixels);
        let pieces_of_place = pixels * pixel * precision.bytes() / 16;
        let place = pixels * pixel;
        let pieces = (0..kernel.y * across * pieces_of_place).map(|at| Piece {
            dy: small(at / pieces_of_place / across * down.dilation),
            dx: small(at / pieces_of_place % across),
            at: whole(at % pieces_of_place * (16 / precision.bytes())),
        });
        let weight = |output: usize, k: usize| {
            let (y, x) = (k / (across * place), k % (across * place) / pixel);
            // Between the places of a window are others, which it does not see.
            let seen = x.checked_sub(lead).filter(|x| x % along.dilation == 0).map(|x| x / along.dilation);
            match seen {
                Some(x) if x < kernel.x && y < kernel.y && k % pixel < 3 => number(output, k % pixel, y, x),
                _ => 0.0,
            }
        };
        let mut packed = self.lay_out(precision, columns(self.out_stride), pieces.collect(), weight);
        packed.arguments.in_width = whole(self.input.1 / pixels);
        packed.arguments.in_stride = whole(place);
        packed.arguments.step_x = whole(along.stride / pixels.min(along.stride));
        packed.arguments.pad_x = whole((along.before + lead) / pixels);
        packed
    }

    /// weight(output, k) for every number of every piece.
    fn lay_out(
        &self,
        precision: Precision,
        columns: usize,
        mut pieces: Vec<Piece>,
        weight: impl Fn(usize, usize) -> f32 + Sync,
    ) -> Packed {
        let (real, each) = (pieces.len(), 16 / precision.bytes());
        pieces.resize(real.next_multiple_of(8), Piece::NOWHERE);
        let steps = pieces.len() / 8;
        let tiles = self.out_stride.div_ceil(columns);
        let tile = |tile: usize| {
            let mut bytes = Vec::with_capacity(steps * columns * DEPTH);
            for step in 0..steps {
                for column in 0..columns {
                    let output = tile * columns + column;
                    // Pieces of a row are exchanged by its number.
                    for slot in 0..8 {
                        let piece = step * 8 + (slot ^ (column & 7));
                        let number = |i: usize| {
                            if output < self.outputs && piece < real {
                                precision.weight(weight(output, piece * each + i))
                            } else {
                                0.0
                            }
                        };
                        precision.encode((0..each).map(number), &mut bytes);
                    }
                }
            }
            bytes
        };
        let weights: Vec<Vec<u8>> = (0..tiles).into_par_iter().map(tile).collect();
        Packed {
            arguments: Products {
                steps: whole(steps),
                in_height: whole(self.input.0),
                in_width: whole(self.input.1),
                in_stride: whole(self.in_stride),
                out_height: whole(self.output.0),
                out_width: whole(self.output.1),
                out_stride: whole(self.out_stride),
                columns: whole(self.out_stride),
                step_y: whole(self.window.stride.y),
                step_x: whole(self.window.stride.x),
                pad_y: whole(self.window.padding.top),
                pad_x: whole(self.window.padding.left),
                ..Products::default()
            },
            columns,
            weights: weights.concat(),
            pieces,
            first: Vec::new(),
        }
    }

    /// Where in the input's channels each tile of columns begins to read, and how many: those of its outputs' groups.
    /// Weights of other groups among them are zeros.
    fn spans(&self, columns: usize, each: usize) -> (Vec<usize>, usize) {
        let tiles = self.out_stride.div_ceil(columns);
        if self.groups == 1 {
            return (vec![0; tiles], self.depth.next_multiple_of(each));
        }
        let per_group = self.outputs / self.groups;
        let seen = |tile: usize| {
            let last = ((tile + 1) * columns).min(self.outputs) - 1;
            let start = tile * columns / per_group * self.depth;
            (start / each * each, (last / per_group + 1) * self.depth)
        };
        let seen: Vec<_> = (0..tiles).map(seen).collect();
        let span = seen.iter().map(|(start, end)| end - start).max().unwrap_or(0).next_multiple_of(each);
        let span = span.min(self.in_stride);
        (seen.into_iter().map(|(start, _)| start.min(self.in_stride - span)).collect(), span)
    }
}

impl Packed {
    /// Tiles of columns.
    pub(crate) fn tiles(&self) -> usize {
        count(self.arguments.columns).div_ceil(self.columns)
    }

    /// The kernel's name.
    pub(crate) fn kernel(&self, precision: Precision, unit: Unit) -> String {
        let groups = unit == Unit::Warpgroup && precision.bytes() == 2 && self.columns > 32;
        format!("products_{}_{}{}", precision.multiplied(), self.columns, if groups { "g" } else { "" })
    }

    /// Bytes that a block shares: its stages, in which its results are passed on last. Few steps fill few stages, so that more
    /// blocks have room beside one another.
    pub(crate) fn shared(&self) -> usize {
        let stages = STAGES.min(count(self.arguments.steps)) * (ROWS + self.columns) * DEPTH;
        stages.max(ROWS * (self.columns + 8) * 4)
    }
}

/// Tiles of so many rows.
pub(crate) fn row_tiles(rows: usize) -> usize {
    rows.div_ceil(ROWS)
}

/// Columns of a tile for so many in all: many, unless a quarter of them would be none.
fn columns(all: usize) -> usize {
    match all {
        0..=32 => 32,
        33..=64 => 64,
        _ if all.next_multiple_of(128) * 3 > all.next_multiple_of(64) * 4 - 1 => 64,
        _ => 128,
    }
}

/// A count that a kernel takes; none is larger than a network's shapes, which were checked.
pub(crate) fn whole(x: usize) -> i32 {
    i32::try_from(x).unwrap_or(i32::MAX)
}

/// The count that [`whole`] gave.
pub(crate) fn count(x: i32) -> usize {
    usize::try_from(x).unwrap_or(0)
}

fn small(x: usize) -> i16 {
    i16::try_from(x).unwrap_or(i16::MAX)
}
