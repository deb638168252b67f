//! What each operation of a network does to one picture's values, by candle.
//!
//! Tokens are (1, n, d), maps (1, c, h, w), vectors (1, d). Means and variances are taken in f64.

use super::{convolution::convolve, loops, texts};
use candle_core::{D, DType, Device, Result, Tensor, bail};
use network::{Activation, Op, ParamId, Shape, Window, Windows};

/// What an operation needs besides what it reads.
pub(super) struct Around<'a> {
    pub(super) params: &'a [Tensor],
    /// Of a batch norm: what it comes to.
    pub(super) affine: Option<loops::Affine<'a>>,
    /// The shape of the first value that is read, and of what is made.
    pub(super) seen: Option<Shape>,
    pub(super) made: Shape,
}

/// Does what a node says.
pub(super) fn apply(op: &Op, inputs: &[Tensor], around: &Around<'_>) -> Result<Tensor> {
    let param = |id: ParamId| &around.params[id.index()];
    let side = match around.made {
        Shape::Map { height, width, .. } => (height, width),
        _ => (1, 1),
    };
    if let Op::Constant { value } = *op {
        return Ok(param(value).clone());
    }
    let x = inputs.first().ok_or_else(|| candle_core::Error::Msg("reads nothing".to_owned()))?;
    match op {
        Op::Input { .. } | Op::Text | Op::Given { .. } | Op::Constant { .. } | Op::Lookup { .. } => {
            Ok(x.clone())
        }
        Op::Conv { weight, bias, stride, padding, groups, dilation } => {
            let weight = param(*weight);
            let (_, _, rows, columns) = weight.dims4()?;
            let kernel = (rows, columns).into();
            let window = Window { kernel, stride: *stride, padding: *padding, dilation: *dilation };
            convolve(x, weight, bias.map(param), (window, *groups), side)
        }
        Op::BatchNorm { .. } => match &around.affine {
            Some(affine) if x.rank() == 4 => x.apply_op1_no_bwd(affine),
            // Of tokens and vectors channels stand last.
            Some(affine) => {
                let [scale, shift] =
                    [affine.scale, affine.shift].map(|numbers| Tensor::new(numbers, &Device::Cpu));
                x.broadcast_mul(&scale?)?.broadcast_add(&shift?)
            }
            None => candle_core::bail!("has no statistics"),
        },
        Op::Activation { function } => activation(x, *function),
        Op::MaxPool(pool) => x.apply_op1_no_bwd(&loops::MaxPool(*pool, side)),
        Op::AveragePool(pool) => x.apply_op1_no_bwd(&loops::AveragePool(*pool, side)),
        Op::AdaptiveAveragePool { height, width } => {
            x.apply_op1_no_bwd(&loops::AdaptiveAveragePool(*height, *width))
        }
        Op::GlobalAveragePool => match around.seen {
            Some(Shape::Tokens { prefix, .. }) => mean_of_places(x, prefix),
            Some(Shape::Sequence { .. }) => mean_of_places(x, 0),
            _ => x.apply_op1_no_bwd(&loops::GlobalAveragePool),
        },
        Op::GlobalMaxPool => match around.seen {
            Some(Shape::Tokens { prefix, places, .. }) => x.narrow(1, prefix, places)?.max(1),
            Some(Shape::Sequence { .. }) => x.max(1),
            _ => x.flatten_from(2)?.max(2),
        },
        Op::LastToken => x.narrow(1, x.dim(1)? - 1, 1)?.squeeze(1)?.contiguous(),
        Op::Normalize => {
            let wide = x.to_dtype(DType::F64)?;
            let length = wide.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.maximum(1e-12_f64)?;
            wide.broadcast_div(&length)?.to_dtype(DType::F32)
        }
        Op::Flatten => x.flatten_from(1),
        Op::Linear { weight, bias } => linear(x, param(*weight), bias.map(param)),
        Op::Add => x + &inputs[1],
        Op::Multiply => x * &inputs[1],
        Op::Channels { start, end } => x.narrow(channels(x), *start, end - start)?.contiguous(),
        Op::Shuffle { groups } => shuffle(x, *groups),
        Op::Concat => Tensor::cat(inputs, 1),
        Op::LayerNorm { weight, bias, eps } => layer_norm(x, param(*weight), param(*bias), *eps),
        Op::RmsNorm { weight, eps } => texts::rms_norm(x, param(*weight), *eps),
        Op::Rotary(how) => texts::rotary(x, how),
        Op::TextAttention(how) => {
            let table = how.distances.map(|distances| (distances, param(distances.table)));
            texts::attention(inputs, how, table)
        }
        Op::ResponseNorm { weight, bias, eps } => response_norm(x, param(*weight), param(*bias), *eps),
        Op::Scale { weight } => scale(x, param(*weight)),
        Op::Gate => x.broadcast_mul(&inputs[1]),
        Op::Tokens { prefix, positions, grid, interpolation } => {
            let numbers = |id| param(id).flatten_all()?.to_vec1::<f32>();
            let prefix: Vec<Vec<f32>> = prefix.iter().map(|id| numbers(*id)).collect::<Result<_>>()?;
            let prefix: Vec<&[f32]> = prefix.iter().map(Vec::as_slice).collect();
            let (_, d, h, w) = x.dims4()?;
            let table =
                network::positions::table(&prefix, &numbers(*positions)?, d, *grid, (h, w), *interpolation);
            tokens(x, table)
        }
        Op::Token { index } => x.narrow(1, *index, 1)?.squeeze(1)?.contiguous(),
        Op::Attention { heads, bias } => {
            // The places of a map are tokens, row by row.
            let tokens = |x: &Tensor| match x.rank() {
                4 => x.flatten_from(2)?.transpose(1, 2)?.contiguous(),
                _ => Ok(x.clone()),
            };
            let rows = inputs.iter().map(tokens).collect::<Result<Vec<_>>>()?;
            let out = attention(&rows, *heads, bias.map(param))?;
            match x.dims() {
                [_, _, h, w] => {
                    let d = out.dim(2)?;
                    out.transpose(1, 2)?.contiguous()?.reshape((1, d, *h, *w))
                }
                _ => Ok(out),
            }
        }
        Op::WindowAttention { heads, window, shift, bias } => {
            window_attention(x, param(*bias), *heads, *window, *shift)
        }
        Op::MergePatches => merge_patches(x),
    }
}

fn activation(x: &Tensor, function: Activation) -> Result<Tensor> {
    let sigmoid = |x: &Tensor| (x.neg()?.exp()? + 1.0)?.recip();
    let hard = |x: &Tensor| (x + 3.0)?.clamp(0.0_f32, 6.0_f32)? / 6.0;
    match function {
        Activation::Relu => x.relu(),
        Activation::Relu6 => x.apply_op1_no_bwd(&loops::Clip(0.0, 6.0)),
        Activation::Gelu => x.gelu_erf(),
        Activation::GeluTanh => x.gelu(),
        Activation::QuickGelu => x * sigmoid(&(x * 1.702)?)?,
        Activation::Silu => x * sigmoid(x)?,
        Activation::Sigmoid => sigmoid(x),
        Activation::HardSigmoid => hard(x),
        Activation::HardSwish => x * hard(x)?,
        Activation::Tanh => x.tanh(),
        Activation::Softplus => softplus(x),
        Activation::Mish => x * softplus(x)?.tanh()?,
        Activation::LeakyRelu { slope } => x.relu()? - (x.neg()?.relu()? * f64::from(slope))?,
        Activation::Elu { alpha } => x.relu()? + ((x.minimum(0.0_f32)?.exp()? - 1.0)? * f64::from(alpha))?,
        Activation::Clip { low, high } => x.apply_op1_no_bwd(&loops::Clip(low, high)),
    }
}

/// ln(1 + exp(x)), without the powers of large numbers.
fn softplus(x: &Tensor) -> Result<Tensor> {
    x.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?
}

/// The axis of channels of a map, of tokens or of a vector.
fn channels(x: &Tensor) -> usize {
    if x.rank() == 3 { 2 } else { 1 }
}

/// Channels as (groups, c / groups) transposed.
fn shuffle(x: &Tensor, groups: usize) -> Result<Tensor> {
    let (shape, axis) = (x.dims(), channels(x));
    let split = [&shape[..axis], &[groups, shape[axis] / groups], &shape[axis + 1..]].concat();
    x.reshape(split)?.transpose(axis, axis + 1)?.contiguous()?.reshape(shape)
}

/// Over the channels of a map, token or vector.
fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f32) -> Result<Tensor> {
    if x.rank() == 4 {
        // Channels last, as rows of places.
        let (_, c, h, w) = x.dims4()?;
        let rows = x.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        return layer_norm(&rows, weight, bias, eps)?.transpose(1, 2)?.reshape((1, c, h, w));
    }
    let x = x.to_dtype(DType::F64)?;
    let apart = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let spread = (apart.sqr()?.mean_keepdim(D::Minus1)? + f64::from(eps))?.sqrt()?;
    let [weight, bias] = [weight.to_dtype(DType::F64)?, bias.to_dtype(DType::F64)?];
    apart.broadcast_div(&spread)?.broadcast_mul(&weight)?.broadcast_add(&bias)?.to_dtype(DType::F32)
}

/// Of a map, over all places and then over the channels.
fn response_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f32) -> Result<Tensor> {
    let wide = x.to_dtype(DType::F64)?;
    let norms = wide.sqr()?.sum_keepdim(3)?.sum_keepdim(2)?.sqrt()?;
    let shares = norms.broadcast_div(&(norms.mean_keepdim(1)? + f64::from(eps))?)?;
    let channels = |x: &Tensor| x.to_dtype(DType::F64)?.reshape((1, (), 1, 1));
    let factors = shares.mul(&channels(weight)?)?;
    wide.broadcast_mul(&factors)?.broadcast_add(&channels(bias)?)?.to_dtype(DType::F32)
}

/// weight · x + bias, for a vector, tokens or every place of a map.
fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (out, d) = weight.dims2()?;
    match *x.dims() {
        // Places as columns, as they lie.
        [1, _, h, w] => {
            let y = weight.matmul(&x.reshape((d, h * w))?)?.reshape((1, out, h, w))?;
            bias.map_or(Ok(y.clone()), |bias| y.broadcast_add(&bias.reshape((1, out, 1, 1))?))
        }
        [1, n, _] => {
            let y = x.reshape((n, d))?.matmul(&weight.t()?)?.reshape((1, n, out))?;
            bias.map_or(Ok(y.clone()), |bias| y.broadcast_add(bias))
        }
        _ => {
            let y = weight.matmul(&x.t()?)?.t()?;
            bias.map_or(Ok(y.clone()), |bias| y.broadcast_add(bias))
        }
    }
}

/// Every channel times a number of its own.
fn scale(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let weight = weight.flatten_all()?;
    match x.rank() {
        4 => x.broadcast_mul(&weight.reshape((1, (), 1, 1))?),
        _ => x.broadcast_mul(&weight),
    }
}

/// A map (1, d, h, w) with `table` (prefix + h·w, d): what stands before its places, and what is added to them.
fn tokens(x: &Tensor, table: Vec<f32>) -> Result<Tensor> {
    let (_, d, h, w) = x.dims4()?;
    let count = table.len() / d;
    let places = x.flatten_from(2)?.transpose(1, 2)?;
    let before = Tensor::zeros((1, count - h * w, d), DType::F32, &Device::Cpu)?;
    Tensor::cat(&[before, places], 1)? + Tensor::from_vec(table, (1, count, d), &Device::Cpu)?
}

/// The mean over tokens from `prefix` on.
fn mean_of_places(x: &Tensor, prefix: usize) -> Result<Tensor> {
    let count = x.dim(1)?;
    x.narrow(1, prefix, count - prefix)?.to_dtype(DType::F64)?.mean(1)?.to_dtype(DType::F32)
}

/// qkv (1, n, 3d); or q (1, m, d) with kv (1, n, 2d), or (1, n, d).
fn attention(inputs: &[Tensor], heads: usize, bias: Option<&Tensor>) -> Result<Tensor> {
    let [q, k, v] = match inputs {
        [qkv] => {
            let d = qkv.dim(2)? / 3;
            [qkv.narrow(2, 0, d)?, qkv.narrow(2, d, d)?, qkv.narrow(2, 2 * d, d)?]
        }
        [q, kv] => {
            let d = q.dim(2)?;
            // Keys may be the values.
            [q.clone(), kv.narrow(2, 0, d)?, kv.narrow(2, kv.dim(2)? - d, d)?]
        }
        _ => bail!("attention reads one value or two"),
    };
    attend(&q, &k, &v, heads, bias)
}

/// q (g, m, d), k and v (g, n, d); bias (g, heads, m, n).
pub(super) fn attend(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    heads: usize,
    bias: Option<&Tensor>,
) -> Result<Tensor> {
    let (groups, m, d) = q.dims3()?;
    let split = |x: &Tensor| {
        let n = x.dim(1)?;
        x.reshape((groups, n, heads, d / heads))?.transpose(1, 2)?.contiguous()
    };
    let (q, k, v) = (split(&q.contiguous()?)?, split(&k.contiguous()?)?, split(&v.contiguous()?)?);
    let scores = (q.matmul(&k.t()?)? / ((d / heads) as f64).sqrt())?;
    let scores = match bias {
        Some(bias) => scores.broadcast_add(bias)?,
        None => scores,
    };
    let weights = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?)?.exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
    weights.matmul(&v)?.transpose(1, 2)?.reshape((groups, m, d))
}

/// qkv (1, 3d, h, w); table ((2·window - 1)², heads).
fn window_attention(
    qkv: &Tensor,
    table: &Tensor,
    heads: usize,
    window: usize,
    shift: usize,
) -> Result<Tensor> {
    let (_, wide, h, w) = qkv.dims4()?;
    let (d, windows, n) = (wide / 3, Windows::new((h, w), window, shift), window * window);
    let order: Vec<usize> = (0..windows.count()).flat_map(|i| windows.places(i)).collect();
    let index = |places: &[usize]| {
        let places: Vec<u32> = places.iter().map(|place| u32::try_from(*place).unwrap_or(u32::MAX)).collect();
        Tensor::new(places, &Device::Cpu)
    };
    let rows = qkv.flatten_from(2)?.squeeze(0)?.t()?.contiguous()?.index_select(&index(&order)?, 0)?;
    let rows = rows.reshape((windows.count(), n, wide))?;
    let table = table.flatten_all()?.to_vec1::<f32>()?;
    let bias = (0..windows.count()).flat_map(|i| windows.biases(windows.kind(i), heads, &table));
    let bias = Tensor::from_iter(bias, &Device::Cpu)?.reshape((windows.count(), heads, n, n))?;
    let part = |i: usize| rows.narrow(2, i * d, d);
    let out = attend(&part(0)?, &part(1)?, &part(2)?, heads, Some(&bias))?.reshape((h * w, d))?;
    let mut back = vec![0; h * w];
    order.iter().enumerate().for_each(|(at, place)| back[*place] = at);
    out.index_select(&index(&back)?, 0)?.t()?.reshape((1, d, h, w))
}

/// Four neighbours as one place.
fn merge_patches(x: &Tensor) -> Result<Tensor> {
    let (_, c, h, w) = x.dims4()?;
    let x = x.pad_with_zeros(2, 0, h % 2)?.pad_with_zeros(3, 0, w % 2)?;
    let (h, w) = (h.div_ceil(2), w.div_ceil(2));
    let x = x.contiguous()?.reshape((c, h, 2, w, 2))?;
    let part = |(dy, dx)| x.narrow(2, dy, 1)?.narrow(4, dx, 1)?.contiguous()?.reshape((1, c, h, w));
    let parts: Vec<Tensor> = [(0, 0), (1, 0), (0, 1), (1, 1)].into_iter().map(part).collect::<Result<_>>()?;
    Tensor::cat(&parts, 1)
}
