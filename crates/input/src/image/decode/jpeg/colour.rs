//! From planes to pixels: chroma spread over the pixels that share it, then YCbCr to RGB, as libjpeg does both.

use super::planes::Plane;
use crate::image::simd::{Isa, Kernel};
use std::ops::Range;

/// Y alone, or Y, Cb and Cr, as far as they were wanted.
pub(crate) struct Ycc {
    pub(super) planes: Vec<Plane>,
    pub(super) isa: Isa,
}

impl Ycc {
    /// Writes the RGB bytes of some columns of some rows, which begin `apart` bytes from one another.
    pub(crate) fn read(&self, columns: &Range<usize>, rows: Range<usize>, out: &mut [u8], apart: usize) {
        self.isa.run(Rows { planes: &self.planes, columns, rows, out, apart });
    }
}

struct Rows<'a> {
    planes: &'a [Plane],
    columns: &'a Range<usize>,
    rows: Range<usize>,
    out: &'a mut [u8],
    apart: usize,
}

impl Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: Isa) {
        let Rows { planes, columns, rows, out, apart } = self;
        let mut chroma = [Spread::default(), Spread::default()];
        for (y, out) in rows.zip(out.chunks_mut(apart)) {
            let out = &mut out[..columns.len() * 3];
            let luma = part(planes[0].row(y), planes[0].origin.0, columns);
            match &planes[1..] {
                [cb, cr] => {
                    let [for_cb, for_cr] = &mut chroma;
                    to_rgb(luma, for_cb.row(cb, y, columns), for_cr.row(cr, y, columns), out);
                }
                _ => out.chunks_exact_mut(3).zip(luma).for_each(|(pixel, grey)| pixel.fill(*grey)),
            }
        }
    }
}

/// Some columns of a row that begins with column `first`.
#[inline(always)]
fn part<'r>(row: &'r [u8], first: usize, columns: &Range<usize>) -> &'r [u8] {
    &row[columns.start - first..columns.end - first]
}

/// One row of a chroma plane at the picture's resolution: libjpeg's "fancy" upsampling, in which the nearer sample counts
/// three quarters and the next one a quarter, across and down; beyond the border its last sample goes on.
#[derive(Default)]
struct Spread {
    /// Per sample, with one more at either end: itself, or thrice itself plus its neighbour above or below.
    sums: Vec<u16>,
    spread: Vec<u8>,
}

impl Spread {
    /// Some columns of row `y` of the picture.
    #[inline(always)]
    fn row<'s>(&'s mut self, plane: &'s Plane, y: usize, columns: &Range<usize>) -> &'s [u8] {
        let first = plane.origin.0;
        match plane.spread {
            (1, _) => return part(plane.row(y), first, columns),
            (_, 1) => {
                self.sum(plane.row(y), plane.row(y), |near, _| near);
                self.across::<1, 2, 2>();
            }
            _ => {
                let near = y / 2;
                let far = if y.is_multiple_of(2) {
                    near.saturating_sub(1)
                } else {
                    (near + 1).min(plane.size.1 - 1)
                };
                self.sum(plane.row(near), plane.row(far), |near, far| near * 3 + far);
                self.across::<8, 7, 4>();
            }
        }
        part(&self.spread, first * 2, columns)
    }

    #[inline(always)]
    fn sum(&mut self, near: &[u8], far: &[u8], sum: impl Fn(u16, u16) -> u16) {
        self.sums.resize(near.len() + 2, 0);
        for ((out, near), far) in self.sums[1..].iter_mut().zip(near).zip(far) {
            *out = sum(u16::from(*near), u16::from(*far));
        }
        self.sums[0] = self.sums[1];
        self.sums[near.len() + 1] = self.sums[near.len()];
    }

    /// Two pixels a sample; `LEFT` and `RIGHT` are what the left and the right one are rounded by.
    #[inline(always)]
    fn across<const LEFT: u16, const RIGHT: u16, const BITS: u32>(&mut self) {
        let count = self.sums.len() - 2;
        self.spread.resize(count * 2, 0);
        let (before, here, after) = (&self.sums[..count], &self.sums[1..=count], &self.sums[2..]);
        for (((pair, before), here), after) in
            self.spread.chunks_exact_mut(2).zip(before).zip(here).zip(after)
        {
            pair[0] = ((here * 3 + before + LEFT) >> BITS) as u8;
            pair[1] = ((here * 3 + after + RIGHT) >> BITS) as u8;
        }
    }
}

/// Pixels that are converted together.
const RUN: usize = 64;

/// JFIF's conversion, in libjpeg's 16-bit fixed point.
#[inline(always)]
fn to_rgb(y: &[u8], cb: &[u8], cr: &[u8], out: &mut [u8]) {
    let runs = y.chunks(RUN).zip(cb.chunks(RUN)).zip(cr.chunks(RUN));
    let (mut ys, mut cbs, mut crs) = ([0u8; RUN], [0u8; RUN], [0u8; RUN]);
    for (out, ((y, cb), cr)) in out.chunks_mut(RUN * 3).zip(runs) {
        if let (Ok(y), Ok(cb), Ok(cr), Ok(out)) =
            (y.try_into(), cb.try_into(), cr.try_into(), <&mut [u8; RUN * 3]>::try_from(&mut *out))
        {
            convert(y, cb, cr, out);
        } else {
            ys[..y.len()].copy_from_slice(y);
            cbs[..y.len()].copy_from_slice(cb);
            crs[..y.len()].copy_from_slice(cr);
            let mut run = [0; RUN * 3];
            convert(&ys, &cbs, &crs, &mut run);
            out.copy_from_slice(&run[..out.len()]);
        }
    }
}

#[inline(always)]
fn convert(y: &[u8; RUN], cb: &[u8; RUN], cr: &[u8; RUN], out: &mut [u8; RUN * 3]) {
    let (mut red, mut green, mut blue) = ([0u8; RUN], [0u8; RUN], [0u8; RUN]);
    for i in 0..RUN {
        let (y, cb, cr) = (i32::from(y[i]), i32::from(cb[i]) - 128, i32::from(cr[i]) - 128);
        // 1.40200, 0.34414, 0.71414 and 1.77200.
        red[i] = (y + ((91_881 * cr + 32_768) >> 16)).clamp(0, 255) as u8;
        green[i] = (y + ((-22_554 * cb - 46_802 * cr + 32_768) >> 16)).clamp(0, 255) as u8;
        blue[i] = (y + ((116_130 * cb + 32_768) >> 16)).clamp(0, 255) as u8;
    }
    for (pixel, ((r, g), b)) in out.chunks_exact_mut(3).zip(red.iter().zip(&green).zip(&blue)) {
        pixel[0] = *r;
        pixel[1] = *g;
        pixel[2] = *b;
    }
}
