//! Dense convolution as matrix products by candle: the windows under some lines of the result are laid out as columns
//! and multiplied by the weight, which is a matrix (out, c·k) as it is stored.
//!
//! candle's own `conv2d` does the same through two transpositions and a weight that is flattened anew at every call.
//! Both are sums of products in f32 through the same `gemm`; the unit test compares them. Measured on 2 threads of Zen 3,
//! busy with other work, in images/s: ResNet-18 3.5 against 2.0, SqueezeNet 1.1 9.7 against 5.3, VGG-16 0.70 against 0.31.

use super::loops::{self, map};
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Storage, Tensor, bail};
use network::Window;

/// Numbers in one layout of windows: 1 MiB, which stays in a core's cache.
const TILE: usize = 1 << 18;

/// A convolution of one map.
pub(crate) fn convolve(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    (window, groups): (Window, usize),
    out: (usize, usize),
) -> Result<Tensor> {
    let (rows, per_group, _, _) = weight.dims4()?;
    if groups == 1 {
        return x.apply_op1_no_bwd(&Convolution { weight, bias, window, out });
    }
    let y = if per_group == 1 && groups == rows {
        x.apply_op2_no_bwd(weight, &loops::Depthwise { window, out })?
    } else {
        let each = rows / groups;
        let group = |group: usize| {
            let weight = weight.narrow(0, group * each, each)?;
            let x = x.narrow(1, group * per_group, per_group)?;
            x.apply_op1_no_bwd(&Convolution { weight: &weight, bias: None, window, out })
        };
        Tensor::cat(&(0..groups).map(group).collect::<Result<Vec<_>>>()?, 1)?
    };
    match bias {
        Some(bias) => y.broadcast_add(&bias.reshape((1, rows, 1, 1))?),
        None => Ok(y),
    }
}

/// Convolution without groups of one map (1, c, h, w) by a weight (out, c, rows, columns).
struct Convolution<'a> {
    weight: &'a Tensor,
    bias: Option<&'a Tensor>,
    window: Window,
    /// Height and width of the result.
    out: (usize, usize),
}

impl CustomOp1 for Convolution<'_> {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, [c, h, w]) = map(storage, layout)?;
        let channels = self.weight.dim(0)?;
        let depth = c * self.window.kernel.y * self.window.kernel.x;
        let weight = self.weight.reshape((channels, depth))?;
        let bias = self.bias.map_or_else(|| Ok(vec![0.0; channels]), Tensor::to_vec1::<f32>)?;
        let (rows, columns) = self.out;
        let lines = (TILE / (depth * columns)).clamp(1, rows);
        let mut out = vec![0.0; channels * rows * columns];
        for first in (0..rows).step_by(lines) {
            let lines = first..(first + lines).min(rows);
            let count = lines.len() * columns;
            let windows = Tensor::from_vec(self.windows(x, [c, h, w], lines), (depth, count), &Device::Cpu)?;
            let product = weight.matmul(&windows)?;
            let (product, _) = product.storage_and_layout();
            let Storage::Cpu(CpuStorage::F32(product)) = &*product else {
                bail!("expected a product in f32 on the CPU");
            };
            let results = out.chunks_exact_mut(rows * columns).zip(product.chunks_exact(count));
            for ((out, product), bias) in results.zip(&bias) {
                let out = &mut out[first * columns..][..count];
                out.iter_mut().zip(product).for_each(|(out, product)| *out = product + bias);
            }
        }
        Ok((CpuStorage::F32(out), Shape::from((1, channels, rows, columns))))
    }
}

impl Convolution<'_> {
    /// (c·k, lines·columns): what the k places of every channel see under every pixel of these lines.
    fn windows(&self, x: &[f32], [c, h, w]: [usize; 3], lines: std::ops::Range<usize>) -> Vec<f32> {
        let columns = self.out.1;
        let Window { kernel, stride, padding, dilation } = self.window;
        let taps = kernel.y * kernel.x;
        let mut windows = vec![0.0; c * taps * lines.len() * columns];
        for (at, seen) in windows.chunks_exact_mut(lines.len() * columns).enumerate() {
            let (channel, tap) = (at / taps, at % taps);
            let (dy, dx) = (tap / kernel.x * dilation.y, tap % kernel.x * dilation.x);
            // Pixels from `start` to `end` see the inside of a line; the others see padding, which is zero already.
            let start = padding.left.saturating_sub(dx).div_ceil(stride.x).min(columns);
            let end = (w + padding.left).saturating_sub(dx).div_ceil(stride.x).clamp(start, columns);
            for (seen, line) in seen.chunks_exact_mut(columns).zip(lines.clone()) {
                let Some(y) = (line * stride.y + dy).checked_sub(padding.top).filter(|y| *y < h) else {
                    continue;
                };
                if start == end {
                    continue;
                }
                let source = &x[(channel * h + y) * w..][..w][start * stride.x + dx - padding.left..];
                if stride.x == 1 {
                    seen[start..end].copy_from_slice(&source[..end - start]);
                } else {
                    let source = source.iter().step_by(stride.x);
                    seen[start..end].iter_mut().zip(source).for_each(|(seen, x)| *seen = *x);
                }
            }
        }
        windows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use network::Pool;

    #[test]
    fn results_are_those_of_candles_conv2d() {
        let numbers =
            |count: usize| (0..count).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect::<Vec<_>>();
        for ((c, h, w), (out, kernel, stride, padding)) in [
            ((3, 20, 17), (8, 7, 2, 3)),
            ((5, 9, 9), (4, 3, 1, 1)),
            ((5, 9, 8), (4, 1, 2, 0)),
            ((5, 6, 9), (4, 1, 1, 0)),
            ((2, 1, 1), (3, 3, 1, 1)),
            ((2, 1, 2), (3, 5, 3, 2)),
            ((2, 11, 11), (3, 3, 2, 0)),
            ((64, 70, 70), (3, 3, 1, 1)),
        ] {
            let x = Tensor::from_vec(numbers(c * h * w), (1, c, h, w), &Device::Cpu).unwrap();
            let weight = numbers(out * c * kernel * kernel);
            let weight = Tensor::from_vec(weight, (out, c, kernel, kernel), &Device::Cpu).unwrap();
            let expected = x.conv2d(&weight, padding, stride, 1, 1).unwrap();
            let (_, _, rows, columns) = expected.dims4().unwrap();
            let bias = Tensor::full(0.5_f32, out, &Device::Cpu).unwrap();
            let window =
                Window { stride: stride.into(), padding: padding.into(), ..Pool::new(kernel, 1).window() };
            let conv = Convolution { weight: &weight, bias: Some(&bias), window, out: (rows, columns) };
            let got = x.apply_op1_no_bwd(&conv).unwrap();
            let error = (got - (expected + 0.5).unwrap()).unwrap().abs().unwrap().flatten_all().unwrap();
            let largest = error.max(0).unwrap().to_scalar::<f32>().unwrap();
            // Sums of up to 576 products of size 1.
            assert!(largest < 1e-4, "{c}×{h}×{w}, {kernel} by {stride}: {largest}");
        }
    }
}
