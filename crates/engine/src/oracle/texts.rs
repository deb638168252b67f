//! What only networks of texts do.

use super::operations::attend;
use candle_core::{DType, Device, Result, Tensor, bail};
use network::{Distances, Rotary, TextAttention};

/// Over parts of a text's tokens (1, n, d), as long as the weight.
pub(super) fn rms_norm(x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor> {
    let parts = x.to_dtype(DType::F64)?.reshape(((), weight.elem_count()))?;
    let spread = (parts.sqr()?.mean_keepdim(1)? + f64::from(eps))?.sqrt()?;
    let normed = parts.broadcast_div(&spread)?.broadcast_mul(&weight.to_dtype(DType::F64)?)?;
    normed.reshape(x.dims())?.to_dtype(DType::F32)
}

/// Heads of a text's tokens (1, n, d), each turned by the angles of its place.
pub(super) fn rotary(x: &Tensor, how: &Rotary) -> Result<Tensor> {
    let (_, n, d) = x.dims3()?;
    let (mut numbers, angles) = (x.flatten_all()?.to_vec1::<f32>()?, how.angles(0..n));
    for (row, angles) in numbers.chunks_exact_mut(d).zip(angles.chunks_exact(how.turned)) {
        for head in row.chunks_exact_mut(how.depth) {
            for pair in 0..how.turned / 2 {
                let ((first, second), (cosine, sine)) =
                    (how.pair(pair), (angles[pair], angles[how.turned / 2 + pair]));
                let (a, b) = (head[first], head[second]);
                (head[first], head[second]) = (a * cosine - b * sine, b * cosine + a * sine);
            }
        }
    }
    Tensor::from_vec(numbers, x.dims(), &Device::Cpu)
}

/// Of a text's tokens, in three values or in one; table: of distances, (rows, heads).
pub(super) fn attention(
    inputs: &[Tensor],
    how: &TextAttention,
    table: Option<(Distances, &Tensor)>,
) -> Result<Tensor> {
    let TextAttention { heads, key_heads, reach, .. } = *how;
    let [q, k, v] = match inputs {
        [joint] => {
            let depth = how.depth(joint.dim(2)?, true);
            let (d, keys) = (heads * depth, key_heads * depth);
            [joint.narrow(2, 0, d)?, joint.narrow(2, d, keys)?, joint.narrow(2, d + keys, keys)?]
        }
        [q, k, v] => [q.clone(), k.clone(), v.clone()],
        _ => bail!("attention of texts reads one value or three"),
    };
    let (_, n, d) = q.dims3()?;
    // Every head of queries has its keys and values beside it.
    let repeated = |x: &Tensor| {
        let x = x.contiguous()?.reshape((n, key_heads, 1, d / heads))?;
        x.repeat((1, 1, heads / key_heads, 1))?.reshape((1, n, d))
    };
    let rows = table.map(|(_, table)| table.to_vec2::<f32>()).transpose()?;
    let bias = |head: usize, query: usize, key: usize| match (table, &rows) {
        _ if !reach.seen(query, n).contains(&key) => f32::NEG_INFINITY,
        (Some((distances, _)), Some(rows)) => {
            rows[distances.row(rows.len(), key as isize - query as isize)][head]
        }
        _ => 0.0,
    };
    let bias = (0..heads * n * n).map(|at| bias(at / (n * n), at / n % n, at % n));
    let bias = Tensor::from_iter(bias, &Device::Cpu)?.reshape((1, heads, n, n))?;
    // Scores are divided by the root of a head's length below.
    let depth = (d / heads) as f64;
    let q = how.scale.map_or(Ok(q.clone()), |scale| q * (f64::from(scale) * depth.sqrt()))?;
    attend(&q, &repeated(&k)?, &repeated(&v)?, heads, Some(&bias))
}
