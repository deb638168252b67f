//! From compressed data to planes of samples: Huffman codes, quantisation, inverse DCT.

use super::{
    Area,
    header::{Component, Header},
    huffman::END,
    idct::Block,
    pool, reduced,
};
use crate::image::simd::{Isa, Kernel};
use std::ops::Range;

/// The samples of one component, as far as they are needed.
pub(super) struct Plane {
    /// The first column and row.
    pub(super) origin: (usize, usize),
    pub(super) stride: usize,
    pub(super) samples: Vec<u8>,
    /// Columns and rows that the whole component has.
    pub(super) size: (usize, usize),
    /// Pixels a sample, across and down.
    pub(super) spread: (usize, usize),
    /// Samples a block, across and down.
    block: usize,
}

impl Drop for Plane {
    fn drop(&mut self) {
        pool::give(std::mem::take(&mut self.samples));
    }
}

impl Plane {
    /// The samples of row `y` of the component.
    pub(super) fn row(&self, y: usize) -> &[u8] {
        let row = &self.samples[(y - self.origin.1) * self.stride..][..self.stride];
        &row[..self.stride.min(self.size.0 - self.origin.0)]
    }
}

/// MCUs, columns and rows of them.
struct Mcus {
    across: usize,
    down: usize,
    columns: Range<usize>,
    rows: Range<usize>,
}

/// The planes for an area of the picture at `eighths` of its size; `None` where the data are corrupt, or some component
/// would have to be spread in a way that is not for us.
pub(super) fn planes(header: &Header<'_>, eighths: usize, area: &Area, isa: Isa) -> Option<Vec<Plane>> {
    let most = header.components[0].blocks;
    let pixels = (most.0 * eighths, most.1 * eighths);
    let mcus = |whole: usize, pixels: usize, wanted: &Range<usize>| {
        let count = whole.div_ceil(pixels / eighths * 8);
        // Samples beside the area have a part in it, where a sample is spread over several pixels.
        count.min(wanted.start.saturating_sub(2) / pixels)..count.min((wanted.end + 2).div_ceil(pixels))
    };
    let mcus = Mcus {
        across: header.size.0.div_ceil(most.0 * 8),
        down: header.size.1.div_ceil(most.1 * 8),
        columns: mcus(header.size.0, pixels.0, &area.columns),
        rows: mcus(header.size.1, pixels.1, &area.rows),
    };
    let mut planes: Vec<Plane> = header
        .components
        .iter()
        .map(|component| plane(header, component, eighths, &mcus))
        .collect::<Option<_>>()?;
    let runs = if header.restart == 0 { 1 } else { (mcus.across * mcus.down).div_ceil(header.restart) };
    if header.data.len() != runs {
        return None;
    }
    isa.run(Scan { header, mcus: &mcus, planes: &mut planes })?;
    Some(planes)
}

fn plane(header: &Header<'_>, component: &Component, eighths: usize, mcus: &Mcus) -> Option<Plane> {
    let most = header.components[0].blocks;
    let (across, down) = component.blocks;
    // As libjpeg has it, components of fewer samples are scaled down less, as long as that spares spreading them.
    let mut block = eighths;
    while block < 8
        && (most.0 * eighths).is_multiple_of(across * block * 2)
        && (most.1 * eighths).is_multiple_of(down * block * 2)
    {
        block *= 2;
    }
    let size = (
        (header.size.0 * across * block).div_ceil(most.0 * 8),
        (header.size.1 * down * block).div_ceil(most.1 * 8),
    );
    let spread = (most.0 * eighths / (across * block), most.1 * eighths / (down * block));
    // libjpeg spreads very narrow planes, and blocks of one sample, without smoothing.
    if spread.0 > 1 && (size.0 <= 2 || eighths == 1) {
        return None;
    }
    let stride = mcus.columns.len() * across * block;
    Some(Plane {
        origin: (mcus.columns.start * across * block, mcus.rows.start * down * block),
        stride,
        // Every block that is needed is written before it is read.
        samples: pool::take(stride * mcus.rows.len() * down * block),
        size,
        spread,
        block,
    })
}

/// The scan, up to the last row that is needed.
struct Scan<'s, 'a> {
    header: &'s Header<'a>,
    mcus: &'s Mcus,
    planes: &'s mut [Plane],
}

impl Kernel for Scan<'_, '_> {
    type Output = Option<()>;

    #[inline(always)]
    fn run(self, isa: Isa) -> Option<()> {
        let Scan { header, mcus, planes } = self;
        let mut bits = header.data.bits(0);
        let (mut run, mut left) = (0, header.restart);
        let mut dc = [0i32; 3];
        let mut block = Block::ZERO;
        for row in 0..mcus.rows.end {
            for column in 0..mcus.across {
                if header.restart > 0 {
                    if left == 0 {
                        if bits.left_over() {
                            return None;
                        }
                        run += 1;
                        (bits, left, dc) = (header.data.bits(run), header.restart, [0; 3]);
                    }
                    left -= 1;
                }
                let needed = mcus.rows.contains(&row) && mcus.columns.contains(&column);
                for ((component, plane), dc) in header.components.iter().zip(&mut *planes).zip(&mut dc) {
                    let (across, down) = component.blocks;
                    for y in 0..down {
                        for x in 0..across {
                            *dc += component.dc.read(&mut bits)?;
                            // libjpeg keeps coefficients in 16 bits; what that would do is for it to say.
                            i16::try_from(*dc).ok()?;
                            if !needed {
                                skip(component, &mut bits)?;
                                continue;
                            }
                            let flat = read(component, *dc, &mut bits, &mut block)?;
                            let (c, r) = (column - mcus.columns.start, row - mcus.rows.start);
                            plane.put(c * across + x, r * down + y, &block, flat, isa);
                        }
                    }
                }
                if bits.overrun() {
                    return None;
                }
            }
        }
        // Of what lies below the last row that is needed nothing is known.
        (mcus.rows.end < mcus.down || !bits.left_over()).then_some(())
    }
}

/// Zigzag → row · 8 + column.
#[rustfmt::skip]
const NATURAL: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A block; whether there is nothing but its DC coefficient.
#[inline(always)]
fn read(component: &Component, dc: i32, bits: &mut super::bits::Bits<'_>, block: &mut Block) -> Option<bool> {
    *block = Block::ZERO;
    block.values[0] = dc * component.quantization[0];
    let mut sum = block.values[0].unsigned_abs();
    let mut place = 0u32;
    while place < 63 {
        let (value, step) = component.ac.read(bits)?;
        place += step;
        if value == 0 {
            match step {
                END => break,
                // Sixteen zeros, of which the last may be the block's.
                _ if place <= 63 => continue,
                _ => return None,
            }
        }
        let at = *NATURAL.get(place as usize)?;
        let value = value * component.quantization[place as usize];
        sum += value.unsigned_abs();
        block.values[usize::from(at & 63)] = value;
    }
    block.sum = sum;
    Some(sum == block.values[0].unsigned_abs())
}

/// Over the AC coefficients of a block that is not needed.
#[inline(always)]
fn skip(component: &Component, bits: &mut super::bits::Bits<'_>) -> Option<()> {
    let mut place = 0;
    while place < 63 {
        let (value, step) = component.ac.read(bits)?;
        if value == 0 && step == END {
            break;
        }
        place += step;
        if place > 63 {
            return None;
        }
    }
    Some(())
}

impl Plane {
    /// Block (x, y) of those that are there.
    #[inline(always)]
    fn put(&mut self, x: usize, y: usize, block: &Block, flat: bool, isa: Isa) {
        let at = y * self.block * self.stride + x * self.block;
        let rows = self.samples[at..].chunks_mut(self.stride);
        match self.block {
            8 if flat => {
                let sample = reduced::one(block);
                rows.take(8).for_each(|row| row[..8].fill(sample));
            }
            8 => rows.zip(isa.idct(block)).for_each(|(row, line)| row[..8].copy_from_slice(&line)),
            4 => rows.zip(reduced::four(block)).for_each(|(row, line)| row[..4].copy_from_slice(&line)),
            2 => rows.zip(reduced::two(block)).for_each(|(row, line)| row[..2].copy_from_slice(&line)),
            _ => rows.take(1).for_each(|row| row[0] = reduced::one(block)),
        }
    }
}
