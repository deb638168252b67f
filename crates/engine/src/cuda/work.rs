//! What steps do, and from that to the launch of a kernel: addresses, numbers of pictures, and how many blocks there are.

use super::{
    Address, Launch,
    arguments::{
        Attention, Copy, Depthwise, Flatten, LayerNorm, Map, Mean, Merge, Normalise, Pool, Products,
        ResponseNorm, Select,
    },
    part::Part,
    plan::{Bases, Constant, Plan, Step},
    products::{self, count, whole},
    texts::TextWork,
};
use crate::Precision;

/// What a step does: the kernel's arguments, without addresses and numbers of pictures.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Normalise {
        arguments: Normalise,
        table: Constant,
        places: usize,
    },
    /// The second value, if any, is added.
    Products {
        arguments: Products,
        kernel: String,
        /// Tiles of columns.
        tiles: usize,
        shared: usize,
        weights: Constant,
        bias: Constant,
        pieces: Constant,
        first: Option<Constant>,
    },
    Depthwise {
        arguments: Depthwise,
        weights: Constant,
        bias: Constant,
    },
    /// Keys and values are the last value, so many numbers right of its places' first.
    Attention {
        arguments: Attention,
        key: usize,
        value: usize,
        windows: Option<ShiftedWindows>,
        /// (heads, queries, keys): added to the scores, where there are no windows.
        bias: Option<Constant>,
    },
    LayerNorm {
        arguments: LayerNorm,
        places: usize,
        weight: Constant,
        bias: Constant,
    },
    ResponseNorm {
        arguments: ResponseNorm,
        weight: Constant,
        bias: Constant,
    },
    Map {
        arguments: Map,
        affine: Option<(Constant, Constant)>,
        second: Second,
    },
    Pool(Pool),
    Mean(Mean),
    Copy {
        arguments: Copy,
        table: Option<Constant>,
    },
    Merge(Merge),
    Flatten(Flatten),
    Select {
        arguments: Select,
        places: usize,
    },
    Text(TextWork),
}

/// What becomes of the second value that a map reads, if it reads one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Second {
    Added,
    /// One place, which multiplies every place.
    Gates,
    /// As many places.
    Multiplies,
}

impl Work {
    /// The same with a result in f32, whatever the network's numbers are, where the kernel can.
    pub(crate) fn in_f32(&self) -> Option<Work> {
        let mut work = self.clone();
        match &mut work {
            Work::Products { arguments, .. } => arguments.out_f32 = 1,
            Work::LayerNorm { arguments, .. } => arguments.out_f32 = 1,
            Work::Mean(arguments) => arguments.out_f32 = 1,
            Work::Copy { arguments, .. } => arguments.out_f32 = 1,
            Work::Text(text) => *text = text.in_f32()?,
            _ => return None,
        }
        Some(work)
    }
}

/// Attention within windows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShiftedWindows {
    pub(crate) places: Constant,
    pub(crate) kinds: Constant,
    pub(crate) bias: Constant,
}

/// A launch that owns what it says.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) kernel: String,
    pub(crate) blocks: usize,
    pub(crate) threads: u32,
    pub(crate) shared: usize,
    pub(crate) arguments: Vec<u8>,
}

impl Prepared {
    /// As a card takes it.
    pub(crate) fn launch(&self) -> Launch<'_> {
        let number = |x: usize| u32::try_from(x).unwrap_or(u32::MAX);
        Launch {
            kernel: &self.kernel,
            blocks: [number(self.blocks), 1, 1],
            threads: self.threads,
            shared: number(self.shared),
            arguments: &self.arguments,
        }
    }
}

/// Threads of a block of the small kernels.
const SMALL: usize = 256;

impl Plan {
    /// The launch of a step for some samples.
    pub(crate) fn prepare(&self, step: &Step, precision: Precision, part: &Part, bases: &Bases) -> Prepared {
        let read = |i: usize| step.from.get(i).map_or(0, |value| self.address(*value, part, bases));
        let constant = |at: Constant| bases.constants + at as Address;
        let maybe = |at: Option<Constant>| at.map_or(0, constant);
        let input = read(0);
        let other = if step.from.len() > 1 { read(step.from.len() - 1) } else { 0 };
        let (n, out) = (self.count(step, part), self.out(step, part, bases));
        let (pictures, suffix) = (whole(n), precision.suffix());
        let small = |kernel: &str, items: usize, arguments: &[u8]| small(precision, kernel, items, arguments);
        match &step.work {
            Work::Normalise { arguments, table, places } => {
                let mut arguments = *arguments;
                (arguments.pixels, arguments.table, arguments.out) = (bases.input, constant(*table), out);
                arguments.places = whole(n * places);
                let blocks = (n * places).div_ceil(PIXELS);
                Prepared { blocks, shared: 9216, ..small("normalise", 0, bytemuck::bytes_of(&arguments)) }
            }
            Work::Products { arguments, kernel, tiles, shared, weights, bias, pieces, first } => {
                let mut arguments = *arguments;
                let places = count(arguments.out_height) * count(arguments.out_width);
                (arguments.input, arguments.residual, arguments.out) = (input, other, out);
                (arguments.weights, arguments.bias) = (constant(*weights), constant(*bias));
                (arguments.pieces, arguments.first) = (constant(*pieces), maybe(*first));
                arguments.rows = whole(n * places);
                Prepared {
                    kernel: kernel.clone(),
                    blocks: products::row_tiles(n * places) * tiles,
                    threads: products::THREADS,
                    shared: *shared,
                    arguments: bytemuck::bytes_of(&arguments).to_vec(),
                }
            }
            Work::Depthwise { arguments, weights, bias } => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out, arguments.pictures) = (input, out, pictures);
                (arguments.weights, arguments.bias) = (constant(*weights), constant(*bias));
                let items = n * depthwise_items(&arguments);
                let bytes = bytemuck::bytes_of(&arguments);
                if matches!(square(&arguments), (5 | 7, 1)) {
                    // Many sums a thread, so fewer threads.
                    let (blocks, threads) = (items.div_ceil(SMALL / 2), 128);
                    Prepared { blocks, threads, ..small("depthwise_wide", 0, bytes) }
                } else {
                    small("depthwise", items, bytes)
                }
            }
            Work::Attention { arguments, key, value, windows, bias } => {
                let mut arguments = *arguments;
                let right = |numbers: usize| (numbers * precision.bytes()) as Address;
                let keys = if other == 0 { input } else { other };
                (arguments.q, arguments.out, arguments.pictures) = (input, out, pictures);
                (arguments.k, arguments.v) = (keys + right(*key), keys + right(*value));
                arguments.bias = bias.map_or(0, constant);
                if let Some(windows) = windows {
                    (arguments.places, arguments.kinds) = (constant(windows.places), constant(windows.kinds));
                    arguments.bias = constant(windows.bias);
                }
                let wide = precision.bytes() == 4;
                let queries = count(arguments.queries).div_ceil(if wide { 32 } else { 64 });
                let depth = count(arguments.depth).next_multiple_of(32);
                Prepared {
                    kernel: format!("attention_{suffix}_{depth}"),
                    blocks: n * count(arguments.groups) * count(arguments.heads) * queries,
                    threads: 128,
                    shared: if wide { 2 * 32 * depth * 4 } else { 5 * 64 * (depth * 2 + 16) },
                    arguments: bytemuck::bytes_of(&arguments).to_vec(),
                }
            }
            Work::LayerNorm { arguments, places, weight, bias } => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out) = (input, out);
                (arguments.weight, arguments.bias) = (constant(*weight), constant(*bias));
                arguments.rows = whole(n * places);
                // Half a warp, or a warp, a row.
                let lanes = if arguments.stride <= 128 { 16 } else { 32 };
                small("layer_norm", n * places * lanes, bytemuck::bytes_of(&arguments))
            }
            Work::ResponseNorm { arguments, weight, bias } => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out) = (input, out);
                (arguments.weight, arguments.bias) = (constant(*weight), constant(*bias));
                // A block a picture.
                Prepared {
                    blocks: n,
                    shared: 8192,
                    ..small("response_norm", 0, bytemuck::bytes_of(&arguments))
                }
            }
            Work::Map { arguments, affine, second } => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out) = (input, out);
                (arguments.scale, arguments.shift) =
                    affine.map_or((0, 0), |(scale, shift)| (constant(scale), constant(shift)));
                let rows = n * count(arguments.places);
                match second {
                    Second::Added => arguments.other = other,
                    Second::Gates => arguments.gate = other,
                    // A gate for every place.
                    Second::Multiplies => (arguments.gate, arguments.places) = (other, 1),
                }
                arguments.rows = whole(rows);
                small("map", rows * count(arguments.stride) / 8, bytemuck::bytes_of(&arguments))
            }
            Work::Pool(arguments) => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out, arguments.pictures) = (input, out, pictures);
                let places = count(arguments.out_height) * count(arguments.out_width);
                small("pool", n * places * count(arguments.stride) / 8, bytemuck::bytes_of(&arguments))
            }
            Work::Mean(arguments) => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out, arguments.pictures) = (input, out, pictures);
                let cells = n * count(arguments.out_height) * count(arguments.out_width);
                let groups = count(arguments.stride) / 8;
                gathering(precision, "mean", cells, groups, bytemuck::bytes_of(&arguments))
            }
            Work::Copy { arguments, table } => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out, arguments.pictures) = (input, out, pictures);
                arguments.table = maybe(*table);
                small("copy", n * copy_items(&arguments), bytemuck::bytes_of(&arguments))
            }
            Work::Merge(arguments) => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out, arguments.pictures) = (input, out, pictures);
                small("merge", n * merge_items(&arguments), bytemuck::bytes_of(&arguments))
            }
            Work::Select { arguments, places } => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out) = (input, out);
                arguments.rows = whole(n * places);
                let items = n * places * count(arguments.out_stride) / 8;
                small("select", items, bytemuck::bytes_of(&arguments))
            }
            Work::Flatten(arguments) => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out, arguments.pictures) = (input, out, pictures);
                small("flatten", n * count(arguments.out_stride) / 8, bytemuck::bytes_of(&arguments))
            }
            Work::Text(work) => self.prepare_text((step, work), precision, part, bases),
        }
    }
}

/// A launch of one of the small kernels: a thread does an item.
pub(crate) fn small(precision: Precision, kernel: &str, items: usize, arguments: &[u8]) -> Prepared {
    Prepared {
        kernel: format!("{kernel}_{}", precision.suffix()),
        blocks: items.div_ceil(SMALL),
        threads: 256,
        shared: 0,
        arguments: arguments.to_vec(),
    }
}

/// The same where blocks join many numbers into each of so many cells' groups of eight.
pub(crate) fn gathering(
    precision: Precision,
    kernel: &str,
    cells: usize,
    groups: usize,
    arguments: &[u8],
) -> Prepared {
    let blocks = cells * groups.div_ceil(groups.next_power_of_two().min(32));
    Prepared { blocks, shared: 8192, ..small(precision, kernel, 0, arguments) }
}

/// Pixels of a block that normalises.
const PIXELS: usize = 2048;

/// Kernel and step of a window that is the same down and across and sees neighbours; else none.
fn square(a: &Depthwise) -> (i32, i32) {
    let alike = a.kernel_y == a.kernel_x && a.step_y == a.step_x && (a.dilation_y, a.dilation_x) == (1, 1);
    if alike { (a.kernel_x, a.step_x) } else { (0, 0) }
}

/// Tiles of four channels, as `depthwise.cu` divides them.
fn depthwise_items(a: &Depthwise) -> usize {
    let (rows, columns) = match square(a) {
        (3 | 5, 1) => (2, 4),
        (7, 1) => (2, 7),
        (3 | 5 | 7, 2) => (1, 4),
        _ => (1, 1),
    };
    let chunks = count(a.stride).div_ceil(64);
    let groups = (count(a.stride) / 4).div_ceil(chunks);
    chunks * groups * count(a.out_height).div_ceil(rows) * count(a.out_width).div_ceil(columns)
}

/// Groups of eight numbers of the result's rows.
fn copy_items(a: &Copy) -> usize {
    let written = if a.fill == 0 { a.out_first + a.channels } else { a.out_stride };
    count(a.rows) * (count(written).div_ceil(8) - count(a.out_first) / 8)
}

fn merge_items(a: &Merge) -> usize {
    count(a.in_height).div_ceil(2) * count(a.in_width).div_ceil(2) * count(a.out_stride) / 8
}
