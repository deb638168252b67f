//! Operators on numbers of other kinds than f32, and on places.

use candle_core::{DType, Device, Result, Tensor, bail};
use onnx::Element;

/// The longest range: what a band of a resize reads, of a side of millions of pixels.
const LONGEST: f64 = (1 << 20) as f64;

/// f of each f64.
pub(super) fn each(x: &Tensor, f: impl Fn(f64) -> f64) -> Result<Tensor> {
    let values = x.flatten_all()?.to_vec1::<f64>()?;
    Tensor::from_vec(values.into_iter().map(f).collect(), x.shape(), &Device::Cpu)
}

/// The same numbers in another kind.
pub(super) fn cast(x: &Tensor, to: Element) -> Result<Tensor> {
    match to {
        Element::Single => x.to_dtype(DType::F32),
        Element::Double => x.to_dtype(DType::F64),
        Element::Byte => x.to_dtype(DType::U8),
        Element::Integer => x.to_dtype(DType::I64),
        Element::Half | Element::Truth => bail!("casts to {to:?}, which is never written"),
    }
}

/// What is 0 or 1, as comparisons give it.
pub(super) fn truths(x: &Tensor) -> Result<Tensor> {
    if x.dtype() == DType::U8 { Ok(x.clone()) } else { bail!("expected truths, got {:?}", x.dtype()) }
}

/// From `start` on, below `end`.
pub(super) fn range(start: &Tensor, end: &Tensor, step: &Tensor) -> Result<Tensor> {
    let [start, end, step] = [start, end, step].map(Tensor::to_scalar::<f64>);
    let (start, end, step) = (start?, end?, step?);
    let count = ((end - start) / step).ceil();
    if !(1.0..=LONGEST).contains(&count) {
        bail!("expected a range, got {start} to {end} by {step}");
    }
    let values: Vec<f64> = (0..count as usize).map(|at| start + at as f64 * step).collect();
    Tensor::from_vec(values, count as usize, &Device::Cpu)
}

/// Sums along an axis, one number after the other.
pub(super) fn sums(x: &Tensor, axis: usize) -> Result<Tensor> {
    let length = x.dim(axis)?;
    let inner: usize = x.dims().iter().skip(axis + 1).product();
    let mut values = x.flatten_all()?.to_vec1::<f64>()?;
    for block in values.chunks_exact_mut((length * inner).max(1)) {
        for at in inner..block.len() {
            block[at] += block[at - inner];
        }
    }
    Tensor::from_vec(values, x.shape(), &Device::Cpu)
}

/// Of `x` the places along an axis, which the places' own axes take the place of.
pub(super) fn taken(x: &Tensor, axis: usize, places: &Tensor) -> Result<Tensor> {
    let length = x.dim(axis)? as i64;
    let place = |&place: &i64| match if place < 0 { place + length } else { place } {
        place if (0..length).contains(&place) => Ok(place as u32),
        _ => bail!("reads place {place} of {length}"),
    };
    let flat: Vec<i64> = places.flatten_all()?.to_vec1()?;
    let flat = flat.iter().map(place).collect::<Result<Vec<u32>>>()?;
    let count = flat.len();
    let taken = x.contiguous()?.index_select(&Tensor::from_vec(flat, count, &Device::Cpu)?, axis)?;
    let (before, after) = (&x.dims()[..axis], &x.dims()[axis + 1..]);
    taken.reshape([before, places.dims(), after].concat())
}

/// The sides that a list of whole numbers says, one of which may be -1: as long as is left.
pub(super) fn sides(x: &Tensor, sides: &Tensor) -> Result<Vec<usize>> {
    let sides: Vec<i64> = sides.to_vec1()?;
    let known = sides.iter().filter(|side| **side != -1);
    let known = known.map(|side| usize::try_from(*side).ok()).try_fold(1, |product: usize, side| {
        side.and_then(|side| product.checked_mul(side)).filter(|product| *product > 0)
    });
    let Some(known) = known else { bail!("expected sides of one or more, got {sides:?}") };
    if sides.iter().filter(|side| **side == -1).count() > 1 {
        bail!("expected one side that is left open, got {sides:?}");
    }
    let rest = x.elem_count() / known;
    Ok(sides.iter().map(|side| usize::try_from(*side).unwrap_or(rest)).collect())
}

/// The k greatest numbers of each row, the greatest first and of equals the first, and their places.
pub(super) fn greatest(x: &Tensor, k: usize) -> Result<(Tensor, Tensor)> {
    let (n, width) = x.dims2()?;
    if !(1..=width).contains(&k) {
        bail!("expected {k} or more numbers, got {width}");
    }
    let (mut values, mut places) = (Vec::with_capacity(n * k), Vec::with_capacity(n * k));
    for row in x.to_vec2::<f32>()? {
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by(|a, b| row[*b].total_cmp(&row[*a]).then(a.cmp(b)));
        values.extend(order[..k].iter().map(|at| row[*at]));
        places.extend(order[..k].iter().map(|at| *at as i64));
    }
    Ok((Tensor::from_vec(values, (n, k), &Device::Cpu)?, Tensor::from_vec(places, (n, k), &Device::Cpu)?))
}

/// Where each row's greatest number is, of several the first.
pub(super) fn greatest_place(x: &Tensor) -> Result<Tensor> {
    let rows = x.to_vec2::<f32>()?;
    let place = |row: &Vec<f32>| {
        (0..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best }) as i64
    };
    let places: Vec<i64> = rows.iter().map(place).collect();
    let n = places.len();
    Tensor::from_vec(places, n, &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubles(values: &[f64]) -> Tensor {
        Tensor::new(values, &Device::Cpu).unwrap()
    }

    fn whole(values: &[i64]) -> Tensor {
        Tensor::new(values, &Device::Cpu).unwrap()
    }

    #[test]
    fn sums_are_added_along_their_axis() {
        let x = doubles(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape((2, 3)).unwrap();
        let along = |axis| sums(&x, axis).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert_eq!(along(1), [1.0, 3.0, 6.0, 4.0, 9.0, 15.0]);
        assert_eq!(along(0), [1.0, 2.0, 3.0, 5.0, 7.0, 9.0]);
        assert!(sums(&x, 2).is_err());
        // One after the other: (1 + 2⁻⁵³) + 2⁻⁵³ is 1.
        let tiny = f64::EPSILON / 2.0;
        assert_eq!(sums(&doubles(&[1.0, tiny, tiny]), 0).unwrap().to_vec1::<f64>().unwrap()[2], 1.0);
    }

    #[test]
    fn places_are_taken_from_either_end() {
        let x = whole(&[10, 11, 12, 13, 14, 15]).reshape((3, 2)).unwrap();
        let rows = taken(&x, 0, &whole(&[2, -3]).reshape((1, 2)).unwrap()).unwrap();
        assert_eq!(
            (rows.dims(), rows.flatten_all().unwrap().to_vec1::<i64>().unwrap()),
            (&[1, 2, 2][..], vec![14, 15, 10, 11])
        );
        let columns = taken(&x, 1, &whole(&[-1])).unwrap();
        assert_eq!(columns.to_vec2::<i64>().unwrap(), [[11], [13], [15]]);
        for place in [3, -4] {
            assert!(taken(&x, 0, &whole(&[place])).is_err(), "{place}");
        }
    }

    #[test]
    fn one_side_may_be_left_open() {
        let x = doubles(&[0.0; 12]);
        for (given, expected) in [
            (&[3, -1][..], Some(vec![3, 4])),
            (&[12], Some(vec![12])),
            (&[-1, -1], None),
            (&[0, -1], None),
            (&[-2, 6], None),
        ] {
            assert_eq!(sides(&x, &whole(given)).ok(), expected, "{given:?}");
        }
    }

    #[test]
    fn ranges_have_an_end() {
        let one = |value: f64| Tensor::new(value, &Device::Cpu).unwrap();
        let of = |start, end, step| {
            range(&one(start), &one(end), &one(step)).ok().map(|x| x.to_vec1::<f64>().unwrap())
        };
        assert_eq!(of(0.0, 3.0, 1.0), Some(vec![0.0, 1.0, 2.0]));
        assert_eq!(of(1.0, 2.1, 0.5), Some(vec![1.0, 1.5, 2.0]));
        for (start, end, step) in
            [(0.0, 0.0, 1.0), (0.0, 1e9, 1.0), (0.0, 1.0, 0.0), (0.0, f64::NAN, 1.0), (1.0, 0.0, 1.0)]
        {
            assert_eq!(of(start, end, step), None, "{start} {end} {step}");
        }
    }

    #[test]
    fn of_equals_the_first_is_greatest() {
        let x = Tensor::new(&[[1.0_f32, 3.0, 3.0, 2.0], [0.0, 0.0, -1.0, 0.0]], &Device::Cpu).unwrap();
        let (values, places) = greatest(&x, 3).unwrap();
        assert_eq!(values.to_vec2::<f32>().unwrap(), [[3.0, 3.0, 2.0], [0.0, 0.0, 0.0]]);
        assert_eq!(places.to_vec2::<i64>().unwrap(), [[1, 2, 3], [0, 1, 3]]);
        assert_eq!(greatest_place(&x).unwrap().to_vec1::<i64>().unwrap(), [1, 0]);
        assert!(greatest(&x, 5).is_err() && greatest(&x, 0).is_err());
    }
}
