//! Which part of a picture becomes the whole: torchvision's `RandomResizedCrop.get_params`.

use super::draws::Draws;
use std::ops::Range;

/// The least part of the picture's area; the most is all of it. (torchvision's default, 0.08, is for networks that are
/// trained from nothing: a frozen one need not learn what a twelfth of a picture is part of.)
const LEAST_AREA: f64 = 0.35;
/// Width by height lies between this and its inverse, as torchvision has it.
const FLATTEST: f64 = 4.0 / 3.0;
/// Draws of a shape that may not fit, before the middle is taken.
const TRIES: usize = 10;

/// Columns and rows of a part of a picture.
type Window = (Range<u32>, Range<u32>);

/// A window of random area (uniform), shape (uniform in its logarithm) and place (uniform) in a picture of `width` ×
/// `height`.
pub(super) fn draw(width: u32, height: u32, draws: &mut Draws) -> Window {
    let area = f64::from(width) * f64::from(height);
    for _ in 0..TRIES {
        let target = area * (LEAST_AREA + (1.0 - LEAST_AREA) * draws.unit());
        let shape = shape(draws);
        let (own_width, own_height) = (round((target * shape).sqrt()), round((target / shape).sqrt()));
        if (1..=width).contains(&own_width) && (1..=height).contains(&own_height) {
            let top = draws.below(height - own_height + 1);
            let left = draws.below(width - own_width + 1);
            return (left..left + own_width, top..top + own_height);
        }
    }
    middle(width, height)
}

/// The largest window in the middle whose shape is no flatter and no steeper than is drawn.
fn middle(width: u32, height: u32) -> Window {
    let fitting = |other: u32, side: u32| round(f64::from(other) * FLATTEST).clamp(1, side);
    let (own_width, own_height) = (fitting(height, width), fitting(width, height));
    let (left, top) = ((width - own_width) / 2, (height - own_height) / 2);
    (left..left + own_width, top..top + own_height)
}

/// (width, height) that a whole picture must have at least, so that its smallest window of its own shape has no fewer
/// pixels than it is resized to.
pub(super) fn most_needed((width, height): (u32, u32)) -> (u32, u32) {
    let side = |output: u32| (f64::from(output) / LEAST_AREA.sqrt()).ceil() as u32;
    (side(width), side(height))
}

/// FLATTEST^(2u − 1) for a uniform u, bit by bit of u: square roots and products are rounded in the same way on every
/// machine, as exponentials are not.
fn shape(draws: &mut Draws) -> f64 {
    let bits = draws.bits();
    let (mut root, mut shape) = (FLATTEST * FLATTEST, 1.0 / FLATTEST);
    for bit in (0..u32::BITS).rev() {
        root = root.sqrt();
        if bits >> bit & 1 == 1 {
            shape *= root;
        }
    }
    shape
}

/// To the nearest whole number; sides of pictures are far from what a u32 holds.
fn round(value: f64) -> u32 {
    (value + 0.5) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Augment;
    use store::Digest;

    #[test]
    fn windows_lie_within_and_are_of_all_sizes_shapes_and_places() {
        for (width, height) in [(640, 480), (300, 300), (90, 160)] {
            let mut draws = Draws::new(3, 1, &Digest::of(b""), Augment::Crop);
            let windows: Vec<Window> = (0..2000).map(|_| draw(width, height, &mut draws)).collect();
            let (mut areas, mut shapes, mut lefts) = (Vec::new(), Vec::new(), Vec::new());
            for (columns, rows) in &windows {
                assert!(
                    columns.end <= width && rows.end <= height && !columns.is_empty() && !rows.is_empty()
                );
                let (own_width, own_height) = (columns.len() as f64, rows.len() as f64);
                areas.push(own_width * own_height / f64::from(width * height));
                shapes.push(own_width / own_height);
                lefts.push(f64::from(columns.start) / f64::from(width - columns.len() as u32).max(1.0));
            }
            let range = |values: &[f64]| {
                values.iter().fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)))
            };
            let (least, most) = range(&areas);
            assert!((0.34..0.37).contains(&least) && most > 0.74, "{least} to {most}");
            let (steepest, flattest) = range(&shapes);
            assert!(steepest > 0.73 && flattest < 1.37 && flattest / steepest > 1.3);
            let mean = lefts.iter().sum::<f64>() / 2000.0;
            assert!((mean - 0.5).abs() < 0.05, "{mean}");
        }
    }

    #[test]
    fn shapes_are_uniform_in_their_logarithm() {
        let mut draws = Draws::new(3, 1, &Digest::of(b""), Augment::Crop);
        let logs: Vec<f64> = (0..4000).map(|_| shape(&mut draws).ln() / FLATTEST.ln()).collect();
        assert!(logs.iter().all(|log| (-1.000_001..1.000_001).contains(log)));
        let mean = logs.iter().sum::<f64>() / 4000.0;
        let square = logs.iter().map(|log| log * log).sum::<f64>() / 4000.0;
        assert!(mean.abs() < 0.03 && (square - 1.0 / 3.0).abs() < 0.02, "{mean}, {square}");
    }

    #[test]
    fn of_a_strip_the_middle_is_taken() {
        let mut draws = Draws::new(0, 1, &Digest::of(b""), Augment::Crop);
        let window = draw(1000, 9, &mut draws);
        assert_eq!(window, (494..506, 0..9));
        assert_eq!(draw(1, 1, &mut draws), (0..1, 0..1));
        assert_eq!(draw(1, 700, &mut draws), (0..1, 349..350));
    }
}
