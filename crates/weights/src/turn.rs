//! Axes of stored tensors in our order.

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
        _ => return None,
    })
}

/// data: of [`stored_shape`]; gives `expected`, row-major.
pub(crate) fn turned(turn: Turn, expected: &[usize], data: &[f32]) -> Vec<f32> {
    match places(turn, expected) {
        Some(place) => (0..data.len()).map(|at| data[place(at)]).collect(),
        None => unreachable!("stored_shape knows no such shape"),
    }
}

/// A tensor of ours as files keep it: the way back of what reading does. A depthwise convolution has one multiplier then.
/// `None` where no tensor of that shape is kept so.
pub fn stored(turn: Turn, tensor: &Tensor) -> Option<Tensor> {
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
