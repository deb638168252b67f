//! Stored tensors in our order, and as our numbers.

use crate::Tensor;
use network::Turn;

/// The shape in which a file keeps what is (`expected`) here, or how that is told where it may be several: rows and
/// channels of a flattened map, multipliers of a depthwise convolution.
pub(crate) fn stored_shape(turn: Turn, expected: &[usize], stored: &[usize]) -> Option<Vec<usize>> {
    Some(match (turn, expected) {
        (Turn::Conv, &[out, inputs, height, width]) => vec![height, width, inputs, out],
        (Turn::Depthwise, &[out, 1, height, width]) => {
            // How the outputs come about, channels times multipliers, is the file's business.
            let channels = stored.get(2).copied().filter(|c| *c > 0 && out.is_multiple_of(*c)).unwrap_or(out);
            vec![height, width, channels, out / channels]
        }
        (Turn::Dense, &[out, inputs]) => vec![inputs, out],
        (Turn::Flattened { height, width }, &[out, inputs]) if inputs.is_multiple_of(height * width) => {
            vec![inputs, out]
        }
        (Turn::OfHeads { heads, .. }, &[rows, ..]) if rows.is_multiple_of(heads) => {
            [&[3 * rows], &expected[1..]].concat()
        }
        (Turn::OneLess, &[_]) | (Turn::OverRoot, &[_, _]) => expected.to_vec(),
        _ => return None,
    })
}

/// Where each number of a tensor that is (`shape`) here lies in its stored form.
fn places(turn: Turn, shape: &[usize]) -> Option<Box<dyn Fn(usize) -> usize>> {
    Some(match (turn, shape) {
        // (h, w, in, out) and (h, w, c, m), which is (h, w, 1, out) as it lies.
        (Turn::Conv | Turn::Depthwise, &[out, inputs, height, width]) => {
            let taps = height * width;
            Box::new(move |at| (at % taps * inputs + at / taps % inputs) * out + at / (taps * inputs))
        }
        (Turn::Dense, &[out, inputs]) => Box::new(move |at| at % inputs * out + at / inputs),
        (Turn::Flattened { height, width }, &[out, inputs]) => {
            let taps = height * width;
            let channels = inputs / taps;
            Box::new(move |at| {
                let (row, input) = (at / inputs, at % inputs);
                (input % taps * channels + input / taps) * out + row
            })
        }
        (Turn::OfHeads { heads, part }, &[rows, ..]) if rows.is_multiple_of(heads) => {
            let of_head = shape.iter().product::<usize>() / heads;
            Box::new(move |at| at / of_head * 3 * of_head + part * of_head + at % of_head)
        }
        (Turn::OneLess, &[_]) | (Turn::OverRoot, &[_, _]) => Box::new(|at| at),
        _ => return None,
    })
}

/// data: of [`stored_shape`]; gives `expected`, row-major.
pub(crate) fn turned(turn: Turn, expected: &[usize], data: &[f32]) -> Vec<f32> {
    let number = numbers(turn, expected);
    match places(turn, expected) {
        Some(place) => (0..expected.iter().product()).map(|at| number(data[place(at)])).collect(),
        None => unreachable!("stored_shape knows no such shape"),
    }
}

/// What a stored number stands for.
fn numbers(turn: Turn, shape: &[usize]) -> impl Fn(f32) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounded once, as transformers rounds")]
    let root = (shape.last().copied().unwrap_or(1) as f64).sqrt() as f32;
    move |number| match turn {
        Turn::OneLess => number + 1.0,
        Turn::OverRoot => number * root,
        _ => number,
    }
}

/// A tensor of ours as files keep it: the way back of what reading does. A depthwise convolution has one multiplier then.
/// `None` where no tensor of that shape is kept so, or others are kept with it, or other numbers.
pub fn stored(turn: Turn, tensor: &Tensor) -> Option<Tensor> {
    if matches!(turn, Turn::OfHeads { .. } | Turn::OneLess | Turn::OverRoot) {
        return None;
    }
    let shape = stored_shape(turn, &tensor.shape, &[])?;
    let place = places(turn, &tensor.shape)?;
    let mut data = vec![0.0; tensor.data.len()];
    for (at, value) in tensor.data.iter().enumerate() {
        data[place(at)] = *value;
    }
    Some(Tensor { shape, data })
}

/// A tensor as files keep it, as ours of that shape; `None` where the one cannot be the other.
pub fn restored(turn: Turn, shape: &[usize], kept: &Tensor) -> Option<Tensor> {
    let is_so = stored_shape(turn, shape, &kept.shape)? == kept.shape;
    is_so.then(|| Tensor { shape: shape.to_vec(), data: turned(turn, shape, &kept.data) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What numpy's transpose of `arange` gives.
    #[test]
    fn axes_are_numpys() {
        let data: Vec<f32> = (0..24).map(|x| x as f32).collect();
        // np.arange(24).reshape(1, 2, 3, 4).transpose(3, 2, 0, 1).ravel()[:7]
        assert_eq!(turned(Turn::Conv, &[4, 3, 1, 2], &data)[..7], [0.0, 12.0, 4.0, 16.0, 8.0, 20.0, 1.0]);
        // np.arange(24).reshape(2, 2, 3, 2).transpose(2, 3, 0, 1).reshape(6, 1, 2, 2).ravel()[:5]
        assert_eq!(turned(Turn::Depthwise, &[6, 1, 2, 2], &data)[..5], [0.0, 6.0, 12.0, 18.0, 1.0]);
        assert_eq!(stored_shape(Turn::Depthwise, &[6, 1, 2, 2], &[2, 2, 3, 2]), Some(vec![2, 2, 3, 2]));
        // np.arange(24).reshape(6, 4).T.ravel()[:5]
        assert_eq!(turned(Turn::Dense, &[4, 6], &data)[..5], [0.0, 4.0, 8.0, 12.0, 16.0]);
        // np.arange(24).reshape(2, 1, 3, 4).transpose(3, 2, 0, 1).reshape(4, 6).ravel()[:7]
        let flattened = Turn::Flattened { height: 2, width: 1 };
        assert_eq!(turned(flattened, &[4, 6], &data)[..7], [0.0, 12.0, 4.0, 16.0, 8.0, 20.0, 1.0]);
        assert_eq!(stored_shape(flattened, &[4, 7], &[7, 4]), None);
    }

    #[test]
    fn queries_keys_and_values_are_taken_head_by_head() {
        // np.arange(24).reshape(2, 3, 2, 2)[:, 1].reshape(4, 2).ravel()
        let data: Vec<f32> = (0..24).map(|x| x as f32).collect();
        let keys = Turn::OfHeads { heads: 2, part: 1 };
        assert_eq!(stored_shape(keys, &[4, 2], &[]), Some(vec![12, 2]));
        assert_eq!(turned(keys, &[4, 2], &data), [4.0, 5.0, 6.0, 7.0, 16.0, 17.0, 18.0, 19.0]);
        // Of a bias: np.arange(12).reshape(2, 3, 2)[:, 2].ravel()
        let values = Turn::OfHeads { heads: 2, part: 2 };
        assert_eq!(stored_shape(values, &[4], &[]), Some(vec![12]));
        assert_eq!(turned(values, &[4], &data[..12]), [4.0, 5.0, 10.0, 11.0]);
        assert_eq!(stored_shape(Turn::OfHeads { heads: 3, part: 0 }, &[4], &[]), None);
    }

    #[test]
    fn numbers_may_stand_for_others() {
        assert_eq!(turned(Turn::OneLess, &[2], &[0.25, -1.0]), [1.25, 0.0]);
        assert_eq!(turned(Turn::OverRoot, &[1, 4], &[0.5, 1.0, -1.0, 2.0]), [1.0, 2.0, -2.0, 4.0]);
    }

    #[test]
    fn what_is_stored_is_restored() {
        for (turn, shape) in [
            (Turn::Conv, vec![4, 3, 1, 2]),
            (Turn::Depthwise, vec![6, 1, 2, 2]),
            (Turn::Dense, vec![4, 6]),
            (Turn::Flattened { height: 2, width: 1 }, vec![4, 6]),
        ] {
            let data = (0..24).map(|x| x as f32).collect();
            let ours = Tensor { shape: shape.clone(), data };
            let kept = stored(turn, &ours).unwrap();
            assert_ne!(kept.data, ours.data, "{turn:?}");
            assert_eq!(restored(turn, &shape, &kept), Some(ours), "{turn:?}");
        }
        assert_eq!(stored(Turn::Dense, &Tensor { shape: vec![2], data: vec![1.0, 2.0] }), None);
    }
}
