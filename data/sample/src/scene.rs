//! One picture: a clutter of colours, the figure somewhere on it, noise over all.

use crate::{
    canvas::{Canvas, Colour},
    class::{Class, stroke},
    stream::Stream,
};
use image::RgbImage;

/// Renders one picture of `class`.
pub(crate) fn render(class: Class, stream: &mut Stream) -> RgbImage {
    let (width, height) = (stream.whole(80, 128), stream.whole(80, 128));
    let size = |part: f32| part * width.min(height) as f32;
    let (w, h) = (width as f32, height as f32);

    // A gradient between two colours, in any direction.
    let [from, to] = [stream.colour(), stream.colour()];
    let (gx, gy) = stream.direction();
    let mut canvas = Canvas::new(width, height, |x, y| {
        let t = 0.5 + ((x / w - 0.5) * gx + (y / h - 0.5) * gy) * 0.7;
        std::array::from_fn(|c| from[c] + (to[c] - from[c]) * t)
    });
    for _ in 0..stream.whole(2, 5) {
        let a = (stream.between(0.0, w), stream.between(0.0, h));
        let (dx, dy) = stream.direction();
        let length = size(stream.between(0.1, 0.3));
        let (b, thickness, colour) =
            ((a.0 + dx * length, a.1 + dy * length), size(stream.between(0.01, 0.04)), stream.colour());
        canvas.paint(colour, |x, y| stroke((x, y), a, b, thickness));
    }

    let radius = size(stream.between(0.24, 0.42));
    let middle = (stream.between(radius, w - radius), stream.between(radius, h - radius));
    let (cos, sin) = stream.direction();
    let period = stream.between(0.28, 0.5);
    let colour = distinct(stream, from, to);
    canvas.paint(colour, |x, y| {
        let (dx, dy) = ((x - middle.0) / radius, (y - middle.1) / radius);
        class.covers((dx * cos + dy * sin, dy * cos - dx * sin), period)
    });

    let strength = stream.between(0.02, 0.12);
    canvas.finish(|| (stream.between(0.0, 1.0) + stream.between(0.0, 1.0) - 1.0) * strength)
}

/// A colour that can be told from both others; the brighter of the two sides at random.
fn distinct(stream: &mut Stream, a: Colour, b: Colour) -> Colour {
    let distance = |p: Colour, q: Colour| (0..3).map(|c| (p[c] - q[c]) * (p[c] - q[c])).sum::<f32>();
    loop {
        let colour = stream.colour();
        // 0.1 is a difference of 0.18 in every channel; a random colour clears it twice about three times in four.
        if distance(colour, a) > 0.1 && distance(colour, b) > 0.1 {
            return colour;
        }
    }
}
