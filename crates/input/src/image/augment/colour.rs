//! Other brightness, contrast and saturation: torchvision's `ColorJitter`, in whole numbers.
//!
//! Factors are multiples of 1/256. Pillow's `Image.blend` then computes in f32 what 32-bit integers hold exactly, so that
//! its bytes and these are the same, on every processor.

use super::draws::Draws;

/// A factor of 1.
const ONE: i32 = 256;
/// Factors lie between 1 − 77/256 and 1 + 77/256: ColorJitter's 0.3.
const STRENGTH: i32 = 77;

/// One change of all pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of what.
    pub kind: ChangeKind,
    /// In 256ths; 256 changes nothing.
    pub factor: i32,
}

/// What a [`Change`] is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The distance from black.
    Brightness,
    /// The distance from the mean grey.
    Contrast,
    /// The distance from each pixel's grey.
    Saturation,
}

/// All three changes, in a random order.
pub(super) fn draw(draws: &mut Draws) -> [Change; 3] {
    let mut kinds = [ChangeKind::Brightness, ChangeKind::Contrast, ChangeKind::Saturation];
    kinds.swap(2, draws.below(3) as usize);
    kinds.swap(1, draws.below(2) as usize);
    kinds.map(|kind| Change { kind, factor: ONE - STRENGTH + draws.below(2 * STRENGTH as u32 + 1) as i32 })
}

impl Change {
    /// Pillow's `ImageEnhance.Brightness`, `Contrast` or `Color`, of RGB pixels.
    pub(super) fn apply(self, pixels: &mut [u8]) {
        let (pixels, _) = pixels.as_chunks_mut::<3>();
        match self.kind {
            ChangeKind::Brightness => pixels.iter_mut().for_each(|pixel| self.blend(0, pixel)),
            ChangeKind::Contrast => {
                let sum: u64 = pixels.iter().map(|pixel| u64::from(grey(pixel))).sum();
                let count = (pixels.len() as u64).max(1);
                // int(mean + 0.5)
                let mean = ((2 * sum + count) / (2 * count)) as u8;
                pixels.iter_mut().for_each(|pixel| self.blend(mean, pixel));
            }
            ChangeKind::Saturation => pixels.iter_mut().for_each(|pixel| self.blend(grey(pixel), pixel)),
        }
    }

    /// As far away from `from` as the factor says, cut off to a byte.
    fn blend(self, from: u8, pixel: &mut [u8; 3]) {
        let from = i32::from(from);
        for byte in pixel {
            let blended = from * ONE + self.factor * (i32::from(*byte) - from);
            *byte = (blended >> 8).clamp(0, 255) as u8;
        }
    }
}

/// Pillow's `convert("L")`: ITU-R 601-2 in 16-bit fixed point.
fn grey(pixel: &[u8; 3]) -> u8 {
    let [red, green, blue] = pixel.map(u32::from);
    ((red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Augment;
    use store::Digest;

    fn changed(kind: ChangeKind, factor: i32) -> Vec<u8> {
        let mut pixels = vec![10, 20, 30, 200, 100, 50, 255, 255, 255];
        Change { kind, factor }.apply(&mut pixels);
        pixels
    }

    #[test]
    fn changes_are_pillows() {
        // ImageEnhance.…(Image.fromarray(…)).enhance(factor / 256)
        assert_eq!(changed(ChangeKind::Brightness, 179), [6, 13, 20, 139, 69, 34, 178, 178, 178]);
        assert_eq!(changed(ChangeKind::Brightness, 333), [13, 26, 39, 255, 130, 65, 255, 255, 255]);
        for kind in [ChangeKind::Brightness, ChangeKind::Contrast, ChangeKind::Saturation] {
            assert_eq!(changed(kind, ONE), [10, 20, 30, 200, 100, 50, 255, 255, 255]);
        }
        // Greys of 18, 124 and 255, whose mean is 132.
        assert_eq!(changed(ChangeKind::Contrast, 0), [132; 9]);
        assert_eq!(changed(ChangeKind::Saturation, 0), [18, 18, 18, 124, 124, 124, 255, 255, 255]);
    }

    #[test]
    fn every_order_and_factor_is_drawn() {
        let mut draws = Draws::new(5, 1, &Digest::of(b""), Augment::Colour);
        let drawn: Vec<[Change; 3]> = (0..3000).map(|_| draw(&mut draws)).collect();
        let orders: std::collections::BTreeMap<String, usize> =
            drawn.iter().fold(std::collections::BTreeMap::new(), |mut orders, changes| {
                *orders.entry(format!("{:?}", changes.map(|change| change.kind))).or_default() += 1;
                orders
            });
        assert_eq!(orders.len(), 6);
        assert!(orders.values().all(|count| (400..600).contains(count)), "{orders:?}");
        let factors = || drawn.iter().flatten().map(|change| change.factor);
        assert_eq!((factors().min(), factors().max()), (Some(179), Some(333)));
    }
}
