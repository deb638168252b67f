//! One parameter of a network, and where a file keeps its numbers.

use crate::{
    Tensors, WeightError,
    turn::{stored_shape, turned},
};
use network::Stored;

/// Why a file cannot fill a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A tensor is not there.
    Missing(String),
    /// A tensor is of another shape.
    Shape { tensor: String, expected: Vec<usize>, got: Vec<usize> },
}

/// Whether the file can fill a parameter of that shape; no number is read.
pub(crate) fn check(expected: &[usize], stored: &Stored, file: &dyn Tensors) -> Result<(), Trouble> {
    let shape = |name: &str| file.shape(name).ok_or_else(|| Trouble::Missing(name.to_owned()));
    match stored {
        Stored::Always(_) => Ok(()),
        Stored::As(name) => match shape(name)? {
            got if fits(expected, got) => Ok(()),
            got => Err(misshapen(name, expected, got)),
        },
        Stored::Turned(name, turn) => {
            let got = shape(name)?;
            let wanted = stored_shape(*turn, expected, got).unwrap_or_else(|| expected.to_vec());
            if wanted == got { Ok(()) } else { Err(misshapen(name, &wanted, got)) }
        }
        Stored::Part { name, parts, of } => {
            let (got, mut wanted) = (shape(name)?, expected.to_vec());
            if let Some(rows) = wanted.first_mut() {
                *rows = *rows / parts.len() * of;
            }
            if fits(&wanted, got) { Ok(()) } else { Err(misshapen(name, &wanted, got)) }
        }
        Stored::Rows(parts) => {
            let part_shape = part(expected, parts.len());
            parts.iter().try_for_each(|part| check(&part_shape, part, file))
        }
    }
}

/// The numbers of a parameter, row-major; `None` where a tensor is not there. It was [`check`]ed.
pub(crate) fn read(
    expected: &[usize],
    stored: &Stored,
    file: &dyn Tensors,
) -> Result<Option<Vec<f32>>, WeightError> {
    Ok(match stored {
        Stored::Always(value) => Some(vec![*value; expected.iter().product()]),
        Stored::As(name) => file.read(name)?.map(|tensor| tensor.data),
        Stored::Turned(name, turn) => file.read(name)?.map(|tensor| turned(*turn, expected, &tensor.data)),
        Stored::Part { name, parts, of } => file.read(name)?.map(|mut tensor| {
            let part = tensor.data.len() / of;
            tensor.data.truncate(parts.end * part);
            tensor.data.split_off(parts.start * part)
        }),
        Stored::Rows(parts) => {
            let part_shape = part(expected, parts.len());
            let mut all = Vec::with_capacity(expected.iter().product());
            for part in parts {
                let Some(numbers) = read(&part_shape, part, file)? else { return Ok(None) };
                all.extend(numbers);
            }
            Some(all)
        }
    })
}

/// The shape of one of `count` equal parts along the first axis.
fn part(shape: &[usize], count: usize) -> Vec<usize> {
    let mut part = shape.to_vec();
    if let Some(rows) = part.first_mut() {
        *rows /= count;
    }
    part
}

fn misshapen(name: &str, expected: &[usize], got: &[usize]) -> Trouble {
    Trouble::Shape { tensor: name.to_owned(), expected: expected.to_vec(), got: got.to_vec() }
}

/// Whether a stored shape can fill a slot as it is: equal but for axes of length 1 (a layer scale (c,) where a map is
/// scaled by (c, 1, 1), a 1×1 convolution that is a dense layer), or a convolution over a whole map where a dense layer
/// reads that map flattened (timm's VGG). Both hold the same numbers in the same order.
fn fits(expected: &[usize], stored: &[usize]) -> bool {
    match (expected, stored) {
        (&[out, inputs], &[rows, channels, height, width]) => {
            rows == out && channels.checked_mul(height).and_then(|n| n.checked_mul(width)) == Some(inputs)
        }
        _ => expected.iter().filter(|side| **side != 1).eq(stored.iter().filter(|side| **side != 1)),
    }
}
