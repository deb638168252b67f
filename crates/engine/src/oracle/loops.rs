//! The operations that candle lacks or does badly, as plain loops over one map inside a `CustomOp`.
//!
//! They are written to be read: each is its definition, with every sum in one fixed order. Maps are (1, c, h, w), f32,
//! contiguous. The engine has inferred every shape before the first of these runs.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, bail};
use network::{Axis, Pool, Window};

/// x · scale[c] + shift[c]: a batch norm whose statistics are frozen.
pub(crate) struct Affine<'a> {
    pub(crate) scale: &'a [f32],
    pub(crate) shift: &'a [f32],
}

/// min(max(x, low), high); what is no number stays none.
pub(crate) struct Clip(pub(crate) f32, pub(crate) f32);

/// The largest value of each window, of the places that are inside the map.
pub(crate) struct MaxPool(pub(crate) Pool, pub(crate) (usize, usize));

/// The mean of each window, of the places that are inside the map, or of its padding as well; summed in f64.
pub(crate) struct AveragePool(pub(crate) Pool, pub(crate) (usize, usize));

/// Means over cells i·h/rows .. ceil((i+1)·h/rows), as PyTorch divides a map; cells may overlap.
pub(crate) struct AdaptiveAveragePool(pub(crate) usize, pub(crate) usize);

/// The mean over all places, summed in f64: (1, c, h, w) to (1, c).
pub(crate) struct GlobalAveragePool;

/// Convolution whose groups are single channels; weight (c, 1, rows, columns).
pub(crate) struct Depthwise {
    pub(crate) window: Window,
    pub(crate) out: (usize, usize),
}

impl CustomOp1 for Affine<'_> {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, [_, h, w]) = map(storage, layout)?;
        let mut out = Vec::with_capacity(x.len());
        for ((places, scale), shift) in x.chunks_exact(h * w).zip(self.scale).zip(self.shift) {
            out.extend(places.iter().map(|x| x * scale + shift));
        }
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

impl CustomOp1 for Clip {
    fn name(&self) -> &'static str {
        "clip"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(storage, layout)?;
        Ok((CpuStorage::F32(x.iter().map(|x| x.clamp(self.0, self.1)).collect()), layout.shape().clone()))
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        // A NaN wins, as in PyTorch.
        let larger = |a: f32, b: f32| if b > a || b.is_nan() { b } else { a };
        windows(storage, layout, self.0, self.1, |seen, _| seen.fold(f32::NEG_INFINITY, larger))
    }
}

impl CustomOp1 for AveragePool {
    fn name(&self) -> &'static str {
        "average-pool"
    }

    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is wanted")]
    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        windows(storage, layout, self.0, self.1, |seen, count| {
            (seen.map(f64::from).sum::<f64>() / count as f64) as f32
        })
    }
}

/// What `reduce` makes of each window's places that are inside the map, row by row, and of how many count for a mean.
fn windows(
    storage: &CpuStorage,
    layout: &Layout,
    pool: Pool,
    (rows, columns): (usize, usize),
    reduce: impl Fn(&mut dyn Iterator<Item = f32>, usize) -> f32,
) -> Result<(CpuStorage, Shape)> {
    let (x, [c, h, w]) = map(storage, layout)?;
    let [down, across] = pool.window().axes();
    // The part of a window that is inside a side of so many places.
    let inside = |at: usize, axis: Axis, side: usize| {
        let start = at * axis.stride;
        start.saturating_sub(axis.before)..(start + axis.kernel).saturating_sub(axis.before).min(side)
    };
    let counted = |at: usize, axis: Axis, side: usize| {
        if pool.count_include_pad {
            // What sticks out of the padding is no part of the window.
            axis.kernel.min(side + axis.before + axis.after - at * axis.stride)
        } else {
            inside(at, axis, side).len()
        }
    };
    let mut out = Vec::with_capacity(c * rows * columns);
    for places in x.chunks_exact(h * w) {
        for row in 0..rows {
            for column in 0..columns {
                let seen = inside(row, down, h).flat_map(|y| &places[y * w..][inside(column, across, w)]);
                out.push(reduce(&mut seen.copied(), counted(row, down, h) * counted(column, across, w)));
            }
        }
    }
    Ok((CpuStorage::F32(out), Shape::from((1, c, rows, columns))))
}

impl CustomOp1 for AdaptiveAveragePool {
    fn name(&self) -> &'static str {
        "adaptive-average-pool"
    }

    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is wanted")]
    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, [c, h, w]) = map(storage, layout)?;
        let AdaptiveAveragePool(rows, columns) = *self;
        let cell =
            |at: usize, side: usize, cells: usize| at * side / cells..((at + 1) * side).div_ceil(cells);
        let mut out = Vec::with_capacity(c * rows * columns);
        for places in x.chunks_exact(h * w) {
            for row in 0..rows {
                for column in 0..columns {
                    let (ys, xs) = (cell(row, h, rows), cell(column, w, columns));
                    let count = ys.len() * xs.len();
                    let sum: f64 = ys.flat_map(|y| &places[y * w..][xs.clone()]).map(|x| f64::from(*x)).sum();
                    out.push((sum / count as f64) as f32);
                }
            }
        }
        Ok((CpuStorage::F32(out), Shape::from((1, c, rows, columns))))
    }
}

impl CustomOp1 for GlobalAveragePool {
    fn name(&self) -> &'static str {
        "global-average-pool"
    }

    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is wanted")]
    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, [c, h, w]) = map(storage, layout)?;
        let mean =
            |places: &[f32]| (places.iter().map(|x| f64::from(*x)).sum::<f64>() / (h * w) as f64) as f32;
        Ok((CpuStorage::F32(x.chunks_exact(h * w).map(mean).collect()), Shape::from((1, c))))
    }
}

impl CustomOp2 for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise"
    }

    fn cpu_fwd(
        &self,
        storage: &CpuStorage,
        layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, [c, h, w]) = map(storage, layout)?;
        let (&[_, _, _, _], weight) = (weight_layout.dims(), values(weight, weight_layout)?) else {
            bail!("expected a weight of rank 4, got {:?}", weight_layout.shape());
        };
        let ((rows, columns), Window { kernel, stride, padding, dilation }) = (self.out, self.window);
        // Padding by hand keeps the inner loop free of cases; the last windows never need more than this.
        let (wide, high) = (padding.left + w + padding.right, padding.top + h + padding.bottom);
        let mut padded = vec![0.0; wide * high];
        let mut out = vec![0.0; c * rows * columns];
        let channels = x.chunks_exact(h * w).zip(weight.chunks_exact(kernel.y * kernel.x));
        for (out, (places, taps)) in out.chunks_exact_mut(rows * columns).zip(channels) {
            for (y, line) in places.chunks_exact(w).enumerate() {
                padded[(y + padding.top) * wide + padding.left..][..w].copy_from_slice(line);
            }
            for (row, line) in out.chunks_exact_mut(columns).enumerate() {
                for (at, tap) in taps.iter().enumerate() {
                    let (dy, dx) = (at / kernel.x * dilation.y, at % kernel.x * dilation.x);
                    let start = (row * stride.y + dy) * wide + dx;
                    let source = &padded[start..start + (columns - 1) * stride.x + 1];
                    if stride.x == 1 {
                        line.iter_mut().zip(source).for_each(|(sum, x)| *sum += tap * x);
                    } else {
                        line.iter_mut()
                            .zip(source.iter().step_by(stride.x))
                            .for_each(|(sum, x)| *sum += tap * x);
                    }
                }
            }
        }
        Ok((CpuStorage::F32(out), Shape::from((1, c, rows, columns))))
    }
}

/// The numbers of a contiguous f32 tensor.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((from, to))) => Ok(&values[from..to]),
        _ => bail!("expected contiguous f32, got {:?}", layout.shape()),
    }
}

/// The same for one map, with its (c, h, w).
pub(crate) fn map<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<(&'a [f32], [usize; 3])> {
    match *layout.dims() {
        [1, c, h, w] if h > 0 && w > 0 => Ok((values(storage, layout)?, [c, h, w])),
        _ => bail!("expected one map (1, c, h, w), got {:?}", layout.shape()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    fn tensor(c: usize, h: usize, w: usize) -> Tensor {
        // 0, 1, 2 … row by row: every expected value below can be worked out by hand.
        Tensor::from_vec((0..c * h * w).map(|i| i as f32).collect(), (1, c, h, w), &Device::Cpu).unwrap()
    }

    fn run(x: &Tensor, op: &impl CustomOp1) -> Vec<f32> {
        x.apply_op1_no_bwd(op).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn max_pools_are_pytorchs() {
        // torch.nn.MaxPool2d(3, 2, padding, ceil_mode=ceil) of the 4×4 map.
        let x = tensor(1, 4, 4);
        assert_eq!(run(&x, &MaxPool(Pool::new(3, 2), (1, 1))), [10.0]);
        assert_eq!(run(&x, &MaxPool(Pool::new(3, 2).ceil(), (2, 2))), [10.0, 11.0, 14.0, 15.0]);
        assert_eq!(run(&x, &MaxPool(Pool::new(3, 2).pad(1), (2, 2))), [5.0, 7.0, 13.0, 15.0]);
        // Padding never wins, not even over negative numbers.
        let x = (tensor(1, 2, 2) - 9.0).unwrap();
        assert_eq!(run(&x, &MaxPool(Pool::new(3, 2).pad(1), (1, 1))), [-6.0]);
    }

    #[test]
    fn averages_are_pytorchs() {
        // torch.nn.AdaptiveAvgPool2d: cells overlap where sides do not divide, and repeat where there are too few places.
        assert_eq!(run(&tensor(1, 3, 3), &AdaptiveAveragePool(2, 2)), [2.0, 3.0, 5.0, 6.0]);
        assert_eq!(run(&tensor(1, 1, 2), &AdaptiveAveragePool(2, 3)), [0.0, 0.5, 1.0, 0.0, 0.5, 1.0]);
        assert_eq!(run(&tensor(2, 2, 2), &GlobalAveragePool), [1.5, 5.5]);
        // torch.nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False).
        assert_eq!(run(&tensor(1, 3, 3), &AveragePool(Pool::new(2, 2).ceil(), (2, 2))), [2.0, 3.5, 6.5, 8.0]);
        // torch.nn.AvgPool2d(2, 2, padding=1) counts padding, and with ceil_mode=True not what sticks out of it.
        let counting = Pool::new(2, 2).pad(1).count_include_pad();
        assert_eq!(run(&tensor(1, 3, 3), &AveragePool(counting, (2, 2))), [0.0, 0.75, 2.25, 6.0]);
        let counting = Pool::new(3, 2).pad(1).ceil().count_include_pad();
        let expected = [10.0 / 9.0, 24.0 / 9.0, 10.0 / 6.0, 51.0 / 9.0, 90.0 / 9.0, 33.0 / 6.0];
        let got = run(&tensor(1, 4, 4), &AveragePool(counting, (3, 3)));
        assert!(got[..6].iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6), "{got:?}");
    }

    #[test]
    fn depthwise_is_candles_grouped_convolution() {
        for (h, w, stride, padding) in [(7, 9, 1, 1), (7, 9, 2, 1), (8, 8, 2, 1), (1, 1, 1, 1), (5, 5, 2, 0)]
        {
            let (x, weight) =
                (tensor(4, h, w), (tensor(4, 3, 3).reshape((4, 1, 3, 3)).unwrap() / 9.0).unwrap());
            let expected = x.conv2d(&weight, padding, stride, 1, 4).unwrap();
            let (_, _, rows, columns) = expected.dims4().unwrap();
            let window =
                Window { stride: stride.into(), padding: padding.into(), ..Pool::new(3, 1).window() };
            let got = x.apply_op2_no_bwd(&weight, &Depthwise { window, out: (rows, columns) }).unwrap();
            let error = ((got - &expected).unwrap().abs().unwrap() / (expected + 1.0).unwrap()).unwrap();
            let largest = error.flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
            assert!(largest < 1e-6, "{h}×{w} by {stride}: {largest}");
        }
    }
}
