//! A picture in floating point, painted by coverage.

use image::{Rgb, RgbImage};

/// Red, green and blue, each from 0 to 1.
pub(crate) type Colour = [f32; 3];

pub(crate) struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<Colour>,
}

/// Sub-samples a pixel's side: 3×3 make edges smooth enough.
const SUB: u32 = 3;

impl Canvas {
    /// (width, height) pixels, each the colour that `at` gives for its middle.
    pub(crate) fn new(width: u32, height: u32, at: impl Fn(f32, f32) -> Colour) -> Canvas {
        let middles = (0..height).flat_map(|y| (0..width).map(move |x| (x as f32 + 0.5, y as f32 + 0.5)));
        Canvas { width, height, pixels: middles.map(|(x, y)| at(x, y)).collect() }
    }

    /// Paints `colour` wherever `covers` says so, by the share of each pixel that is covered.
    pub(crate) fn paint(&mut self, colour: Colour, covers: impl Fn(f32, f32) -> bool) {
        for y in 0..self.height {
            for x in 0..self.width {
                let sub = |i: u32| (i as f32 + 0.5) / SUB as f32;
                let hits = (0..SUB * SUB)
                    .filter(|i| covers(x as f32 + sub(i % SUB), y as f32 + sub(i / SUB)))
                    .count();
                let share = hits as f32 / (SUB * SUB) as f32;
                let pixel = &mut self.pixels[(y * self.width + x) as usize];
                for (old, new) in pixel.iter_mut().zip(colour) {
                    *old += (new - *old) * share;
                }
            }
        }
    }

    /// Bytes, with whatever `noise` draws added to each value first.
    pub(crate) fn finish(&self, mut noise: impl FnMut() -> f32) -> RgbImage {
        let mut byte = |value: f32| ((value + noise()) * 255.0 + 0.5).clamp(0.0, 255.0) as u8;
        let bytes: Vec<Rgb<u8>> = self.pixels.iter().map(|pixel| Rgb(pixel.map(&mut byte))).collect();
        RgbImage::from_fn(self.width, self.height, |x, y| bytes[(y * self.width + x) as usize])
    }
}
