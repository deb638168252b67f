//! What each ONNX operator does to tensors, by its definition in opset 17. Every value is contiguous.

use super::{
    super::{convolution::convolve, loops},
    numbers,
};
use candle_core::{D, DType, Device, Result, Tensor, bail};
use network::{Axis, Pool, Window};
use onnx::Operator;

/// Far more numbers than a value of any network that runs on a picture, and few enough to be counted everywhere.
const MOST: usize = 1 << 31;

/// As many inputs as the operator needs have been checked to be there. Gives the node's value, and a second one where it has
/// two.
pub(super) fn apply(operator: &Operator, inputs: &[Tensor]) -> Result<(Tensor, Option<Tensor>)> {
    match (operator, inputs) {
        (Operator::TopK { k }, [x]) => numbers::greatest(x, *k).map(|(x, places)| (x, Some(places))),
        _ => value(operator, inputs).map(|value| (value, None)),
    }
}

fn value(operator: &Operator, inputs: &[Tensor]) -> Result<Tensor> {
    let Some(x) = inputs.first() else { bail!("reads nothing") };
    match (operator, inputs) {
        (Operator::Conv { group, pads, strides, dilations }, [_, weight, bias @ ..]) => {
            let window = Window {
                kernel: (weight.dim(2)?, weight.dim(3)?).into(),
                stride: (*strides).into(),
                padding: (*pads).into(),
                dilation: (*dilations).into(),
            };
            conv(x, weight, bias.first(), *group, window)
        }
        (Operator::BatchNormalization { epsilon }, [_, weight, bias, mean, variance]) => {
            // Channels stand second, whatever comes behind them.
            let c = x.dim(1)?;
            let sides: Vec<usize> = (0..x.rank()).map(|at| if at == 1 { c } else { 1 }).collect();
            let channels = |x: &Tensor| x.to_dtype(DType::F64)?.reshape(sides.clone());
            let scale = (channels(weight)? / (channels(variance)? + f64::from(*epsilon))?.sqrt()?)?;
            let shift = (channels(bias)? - (channels(mean)? * &scale)?)?;
            x.broadcast_mul(&scale.to_dtype(x.dtype())?)?.broadcast_add(&shift.to_dtype(x.dtype())?)
        }
        (Operator::LayerNormalization { epsilon }, [_, scale, bias]) => {
            let x = x.to_dtype(DType::F64)?;
            let apart = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
            let variance = apart.sqr()?.mean_keepdim(D::Minus1)?;
            let x = apart.broadcast_div(&(variance + f64::from(*epsilon))?.sqrt()?)?.to_dtype(DType::F32)?;
            let scaled = broadcast(&x, scale, Tensor::broadcast_mul)?;
            same_shape(broadcast(&scaled, bias, Tensor::broadcast_add)?, &x)
        }
        (Operator::Relu, [_]) => each(x, |x| if x < 0.0 { 0.0 } else { x }),
        (Operator::Sigmoid, [_]) => each(x, |x| 1.0 / (1.0 + (-x).exp())),
        (Operator::HardSigmoid { alpha, beta }, [_]) => each(x, |x| (alpha * x + beta).clamp(0.0, 1.0)),
        (Operator::HardSwish, [_]) => each(x, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        (Operator::Erf, [_]) => x.erf(),
        (Operator::Tanh, [_]) => x.tanh(),
        (Operator::Softplus, [_]) => each(x, |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        (Operator::LeakyRelu { alpha }, [_]) => each(x, |x| if x < 0.0 { alpha * x } else { x }),
        (Operator::Elu { alpha }, [_]) => each(x, |x| if x < 0.0 { alpha * x.exp_m1() } else { x }),
        (Operator::Clip, [_, low, high]) => {
            let (low, high) = (low.to_scalar::<f32>()?, high.to_scalar::<f32>()?);
            each(x, |x| {
                if x < low {
                    low
                } else if x > high {
                    high
                } else {
                    x
                }
            })
        }
        (Operator::MaxPool(window), [_]) => {
            let (pool, out) = pool(x, window)?;
            by_picture(x, |x| x.apply_op1_no_bwd(&loops::MaxPool(pool, out)))
        }
        (Operator::AveragePool(window), [_]) => {
            let (pool, out) = pool(x, window)?;
            by_picture(x, |x| x.apply_op1_no_bwd(&loops::AveragePool(pool, out)))
        }
        (Operator::GlobalAveragePool, [_]) => {
            let (n, c, _, _) = x.dims4()?;
            by_picture(x, |x| x.apply_op1_no_bwd(&loops::GlobalAveragePool))?.reshape((n, c, 1, 1))
        }
        (Operator::Flatten, [_]) => x.flatten_from(1),
        (Operator::Gemm, [_, weight, bias @ ..]) => {
            let y = product(x, &weight.t()?)?;
            let sum = |bias| same_shape(broadcast(&y, bias, Tensor::broadcast_add)?, &y);
            bias.first().map_or(Ok(y.clone()), sum)
        }
        (Operator::MatMul, [_, y]) => product(x, y),
        (Operator::Add, [_, y]) => broadcast(x, y, Tensor::broadcast_add),
        (Operator::Mul, [_, y]) => broadcast(x, y, Tensor::broadcast_mul),
        (Operator::Div, [_, y]) => broadcast(x, y, Tensor::broadcast_div),
        (Operator::Concat { axis }, _) => {
            let numbers = inputs.iter().fold(0, |sum: usize, x| sum.saturating_add(x.elem_count()));
            bounded([numbers])?;
            Tensor::cat(inputs, *axis)
        }
        (Operator::Softmax, [_]) => {
            let powers = x.broadcast_sub(&x.max_keepdim(D::Minus1)?)?.exp()?;
            powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
        }
        (Operator::Transpose { perm }, [_]) => x.permute(perm.as_slice())?.contiguous(),
        (Operator::Reshape { shape }, [_]) => {
            let side = |(at, side): (usize, &usize)| if *side == 0 { x.dim(at) } else { Ok(*side) };
            let sides = shape.iter().enumerate().map(side).collect::<Result<Vec<_>>>()?;
            // candle's own count of them may wrap.
            bounded(sides.iter().copied())?;
            x.reshape(sides)
        }
        (Operator::Pad { pads }, [_]) => pad(x, pads),
        (Operator::Slice { axis, start, end }, [_]) => match end.checked_sub(*start) {
            Some(length @ 1..) => x.narrow(*axis, *start, length)?.contiguous(),
            _ => bail!("expected a slice of something, got {start} to {end}"),
        },
        (Operator::Gather { axis, index }, [_]) => x.narrow(*axis, *index, 1)?.squeeze(*axis)?.contiguous(),
        (Operator::ReduceMean { axis, keeps }, [_]) => {
            let x = x.to_dtype(DType::F64)?;
            let mean = if *keeps { x.mean_keepdim(*axis)? } else { x.mean(*axis)? };
            mean.to_dtype(DType::F32)
        }
        (Operator::ReduceL2 { axes }, [_]) => {
            let squares = x.to_dtype(DType::F64)?.sqr()?;
            let sums = axes.iter().try_fold(squares, |sums, axis| sums.sum_keepdim(*axis))?;
            sums.sqrt()?.to_dtype(DType::F32)
        }
        (Operator::Cast { to }, [_]) => numbers::cast(x, *to),
        (Operator::Shape, [_]) => {
            let sides: Vec<i64> = x.dims().iter().map(|side| *side as i64).collect();
            Tensor::from_vec(sides, x.rank(), &Device::Cpu)
        }
        (Operator::Sub, [_, y]) => broadcast(x, y, Tensor::broadcast_sub),
        (Operator::Min, [_, y]) => broadcast(x, y, Tensor::broadcast_minimum),
        (Operator::Max, [_, y]) => broadcast(x, y, Tensor::broadcast_maximum),
        (Operator::Less, [_, y]) => broadcast(x, y, Tensor::broadcast_lt),
        (Operator::Greater, [_, y]) => broadcast(x, y, Tensor::broadcast_gt),
        (Operator::Equal, [_, y]) => broadcast(x, y, Tensor::broadcast_eq),
        (Operator::And, [_, y]) => numbers::truths(&broadcast(x, y, Tensor::broadcast_mul)?),
        (Operator::Not, [_]) => numbers::truths(x)?.eq(0u8),
        (Operator::Abs, [_]) => numbers::each(x, f64::abs),
        (Operator::Floor, [_]) => numbers::each(x, f64::floor),
        (Operator::Ceil, [_]) => numbers::each(x, f64::ceil),
        (Operator::Round, [_]) => numbers::each(x, f64::round_ties_even),
        (Operator::Log, [_]) => each(x, f32::ln),
        (Operator::Sqrt, [_]) => each(x, f32::sqrt),
        (Operator::Cos, [_]) => each(x, f32::cos),
        (Operator::Sin, [_]) => each(x, f32::sin),
        (Operator::Where, [_, y, z]) => {
            bounded(widened(x.dims(), y.dims()))?;
            let both: Vec<usize> = widened(x.dims(), y.dims()).collect();
            bounded(widened(&both, z.dims()))?;
            let all: Vec<usize> = widened(&both, z.dims()).collect();
            let wide = |x: &Tensor| x.broadcast_as(all.as_slice())?.contiguous();
            numbers::truths(&wide(x)?)?.where_cond(&wide(y)?, &wide(z)?)
        }
        (Operator::Range, [_, end, step]) => numbers::range(x, end, step),
        (Operator::CumSum { axis }, [_]) => numbers::sums(x, *axis),
        (Operator::GatherAt { axis }, [_, places]) => {
            let taken = x.elem_count() / x.dim(*axis)?.max(1);
            bounded([taken, places.elem_count()])?;
            numbers::taken(x, *axis, places)
        }
        (Operator::ReshapeTo, [_, sides]) => {
            let sides = numbers::sides(x, sides)?;
            bounded(sides.iter().copied())?;
            x.reshape(sides)
        }
        (Operator::ReduceMin { axis }, [_]) => x.min_keepdim(*axis),
        (Operator::ReduceMax, [_]) => x.flatten_all()?.max(0),
        (Operator::ReduceMaxOf { axis }, [_]) => x.max(*axis),
        (Operator::ArgMax, [_]) => numbers::greatest_place(x),
        _ => bail!("reads a wrong number of values"),
    }
}

/// f of each number; what is no number stays none.
fn each(x: &Tensor, f: impl Fn(f32) -> f32) -> Result<Tensor> {
    let values = x.flatten_all()?.to_vec1::<f32>()?;
    Tensor::from_vec(values.into_iter().map(f).collect(), x.shape(), &Device::Cpu)
}

/// Refuses a value of those sides that would have too many numbers, before there is room made for it.
fn bounded(sides: impl IntoIterator<Item = usize>) -> Result<()> {
    let numbers = sides.into_iter().try_fold(1, |product: usize, side| product.checked_mul(side));
    match numbers {
        Some(..=MOST) => Ok(()),
        _ => bail!("would have more than {MOST} numbers"),
    }
}

/// The sides of what two shapes are broadcast to, where they can be.
fn widened(a: &[usize], b: &[usize]) -> impl Iterator<Item = usize> {
    let rank = a.len().max(b.len());
    let side = move |of: &[usize], axis: usize| (axis + of.len()).checked_sub(rank).map_or(1, |at| of[at]);
    (0..rank).map(move |axis| side(a, axis).max(side(b, axis)))
}

/// `f` of two values that are broadcast to one shape.
fn broadcast(x: &Tensor, y: &Tensor, f: impl Fn(&Tensor, &Tensor) -> Result<Tensor>) -> Result<Tensor> {
    bounded(widened(x.dims(), y.dims()))?;
    f(x, y)
}

/// What was broadcast onto `x` must not have widened it.
fn same_shape(y: Tensor, x: &Tensor) -> Result<Tensor> {
    if y.dims() == x.dims() { Ok(y) } else { bail!("expected {:?}, got {:?}", x.shape(), y.shape()) }
}

/// `f` of the maps (1, c, h, w) of a batch, one by one.
fn by_picture(x: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let maps = (0..x.dim(0)?).map(|i| f(&x.narrow(0, i, 1)?.contiguous()?));
    Tensor::cat(&maps.collect::<Result<Vec<_>>>()?, 0)
}

fn conv(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, group: usize, window: Window) -> Result<Tensor> {
    let ((_, c, h, w), (out, per_group, _, _)) = (x.dims4()?, weight.dims4()?);
    if group == 0 || per_group.checked_mul(group) != Some(c) || !out.is_multiple_of(group) {
        bail!("expected {group} groups of {c} channels, got a weight {:?}", weight.shape());
    }
    if bias.is_some_and(|bias| bias.dims() != [out]) {
        bail!("expected a bias for each of {out} channels");
    }
    let side = windows((h, w), window, out)?;
    by_picture(x, |x| convolve(x, weight, bias, (window, group), side))
}

/// A pool, and rows and columns of its result. What is padded more at the end only makes room for more windows.
fn pool(x: &Tensor, window: &onnx::Window) -> Result<(Pool, (usize, usize))> {
    let (_, c, h, w) = x.dims4()?;
    let pool = Pool::new(window.kernel, window.strides).pad(window.pads);
    if pool.window().axes().iter().any(|axis| axis.before.max(axis.after) >= axis.kernel) {
        bail!("expected windows that see the map, got {window:?}");
    }
    Ok((pool, windows((h, w), pool.window(), c)?))
}

/// Rows and columns of windows on a map, of which the result has `channels`.
fn windows(map: (usize, usize), window: Window, channels: usize) -> Result<(usize, usize)> {
    let padded = |side: usize, axis: Axis| side.checked_add(axis.before)?.checked_add(axis.after);
    let along =
        |padded: usize, axis: Axis| Some((padded.checked_sub(axis.extent())?).checked_div(axis.stride)? + 1);
    let counted =
        |a: usize, b: usize, c: usize| a.checked_mul(b)?.checked_mul(c).filter(|product| *product <= MOST);
    let sides = || {
        let [down, across] = window.axes();
        let (height, width) = (padded(map.0, down)?, padded(map.1, across)?);
        let sides = (along(height, down)?, along(width, across)?);
        counted(height, width, 1).and(counted(sides.0, sides.1, channels)).map(|_| sides)
    };
    sides().ok_or_else(|| candle_core::Error::Msg(format!("a map {map:?} has no windows {window:?}")))
}

/// Zeros around x, axis by axis.
fn pad(x: &Tensor, pads: &[usize]) -> Result<Tensor> {
    let rank = x.rank();
    if pads.len() != 2 * rank {
        bail!("expected pads before and after {rank} axes, got {pads:?}");
    }
    let mut x = x.clone();
    for (axis, (before, after)) in pads[..rank].iter().zip(&pads[rank..]).enumerate() {
        let rest = x.elem_count() / x.dim(axis)?.max(1);
        let most = before.checked_add(*after).and_then(|more| more.checked_mul(rest));
        if most.is_none_or(|most| most > MOST) {
            bail!("expected a few zeros, got {pads:?}");
        }
        x = x.pad_with_zeros(axis, *before, *after)?;
    }
    Ok(x)
}

/// numpy's `matmul`. A matrix on the right multiplies all rows on the left at once.
fn product(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    if let ([lead @ .., m, _], [other @ .., _, out]) = (x.dims(), y.dims()) {
        bounded(widened(lead, other).chain([*m, *out]))?;
    }
    match (x.dims(), y.dims()) {
        ([lead @ .., d], [_, out]) if lead.len() > 1 => {
            let shape = [lead, &[*out]].concat();
            x.reshape(((), *d))?.matmul(y)?.reshape(shape)
        }
        // candle's products have one or two axes of matrices.
        ([lead @ .., m, d], [other @ .., inner, out]) if lead.len() > 2 && lead == other => {
            let shape = [lead, &[*m, *out]].concat();
            x.reshape(((), *m, *d))?.matmul(&y.reshape(((), *inner, *out))?)?.reshape(shape)
        }
        _ => x.broadcast_matmul(y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zeros of that shape, which take no memory: one number stands for all.
    fn zeros(shape: &[usize]) -> Tensor {
        Tensor::zeros((), DType::F32, &Device::Cpu).unwrap().broadcast_as(shape).unwrap()
    }

    #[test]
    fn values_that_no_memory_holds_are_refused() {
        const SIDE: usize = 1 << 20;
        let (tall, wide, flat) = (zeros(&[SIDE, 1]), zeros(&[1, SIDE]), zeros(&[SIDE]));
        let concat = vec![zeros(&[1, 1 << 30]), zeros(&[1, 1 << 30]), zeros(&[1, 1])];
        let reshape = vec![1 << 32, 1 << 32, SIDE];
        for (operator, inputs) in [
            (Operator::Add, vec![tall.clone(), wide.clone()]),
            (Operator::Mul, vec![flat.clone(), tall.clone()]),
            (Operator::Div, vec![tall.clone(), flat.clone()]),
            (Operator::MatMul, vec![tall.clone(), wide.clone()]),
            (Operator::MatMul, vec![zeros(&[2, SIDE, 1]), zeros(&[2, 1, SIDE])]),
            (Operator::MatMul, vec![zeros(&[SIDE, 1, 1, 1]), zeros(&[SIDE, 1, 1])]),
            (Operator::Gemm, vec![tall.clone(), tall.clone()]),
            (Operator::Gemm, vec![tall.clone(), zeros(&[1, 1]), flat.clone()]),
            (Operator::LayerNormalization { epsilon: 1.0 }, vec![tall.clone(), flat.clone(), flat.clone()]),
            (Operator::Concat { axis: 1 }, concat),
            (Operator::Reshape { shape: reshape }, vec![wide]),
        ] {
            let error = apply(&operator, &inputs).unwrap_err().to_string();
            assert!(error.starts_with("would have more than 2147483648 numbers"), "{operator:?}: {error}");
        }
    }

    #[test]
    fn what_fits_is_not_refused() {
        let [sum, product, joined] = [
            (Operator::Add, [zeros(&[2, 1, 3]), zeros(&[4, 1])]),
            (Operator::MatMul, [zeros(&[5, 2, 4, 3]), zeros(&[5, 2, 3, 6])]),
            (Operator::Concat { axis: 1 }, [zeros(&[2, 3]), zeros(&[2, 4])]),
        ]
        .map(|(operator, inputs)| value(&operator, &inputs.map(|x| x.contiguous().unwrap())).unwrap());
        assert_eq!(
            (sum.dims(), product.dims(), joined.dims()),
            (&[2, 4, 3][..], &[5, 2, 4, 6][..], &[2, 7][..])
        );
    }
}
