//! What is in a picture: a yes or no for every point of the plane around the origin, in units of the figure's radius.

/// A point in the figure's own coordinates.
pub(crate) type Point = (f32, f32);

/// One of the ten classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Checks,
    Cross,
    Disc,
    Dots,
    LetterE,
    LetterK,
    Rings,
    Star,
    Stripes,
    Triangle,
}

impl Class {
    pub(crate) const ALL: [Class; 10] = [
        Class::Checks,
        Class::Cross,
        Class::Disc,
        Class::Dots,
        Class::LetterE,
        Class::LetterK,
        Class::Rings,
        Class::Star,
        Class::Stripes,
        Class::Triangle,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Class::Checks => "checks",
            Class::Cross => "cross",
            Class::Disc => "disc",
            Class::Dots => "dots",
            Class::LetterE => "letter_e",
            Class::LetterK => "letter_k",
            Class::Rings => "rings",
            Class::Star => "star",
            Class::Stripes => "stripes",
            Class::Triangle => "triangle",
        }
    }

    /// Whether the figure covers `p`; `period` is the textures' grain.
    pub(crate) fn covers(self, p: Point, period: f32) -> bool {
        let (x, y) = p;
        let radius = (x * x + y * y).sqrt();
        let cell = |v: f32| (v / period).floor();
        let odd = |v: f32| v.rem_euclid(2.0) >= 1.0;
        match self {
            Class::Checks => within(p, 1.1) && odd(cell(x) + cell(y)),
            Class::Cross => {
                stroke(p, (-1.0, 0.0), (1.0, 0.0), 0.28) || stroke(p, (0.0, -1.0), (0.0, 1.0), 0.28)
            }
            Class::Disc => radius < 0.9,
            Class::Dots => {
                let middle = |v: f32| v - (cell(v) + 0.5) * period;
                let (dx, dy) = (middle(x), middle(y));
                within(p, 1.1) && dx * dx + dy * dy < (0.32 * period) * (0.32 * period)
            }
            Class::LetterE => {
                stroke(p, (-0.6, -0.9), (-0.6, 0.9), 0.2)
                    || [-0.9, 0.0, 0.9].iter().any(|&bar| stroke(p, (-0.6, bar), (0.6, bar), 0.2))
            }
            Class::LetterK => {
                stroke(p, (-0.6, -0.9), (-0.6, 0.9), 0.2)
                    || stroke(p, (-0.6, 0.0), (0.6, -0.9), 0.2)
                    || stroke(p, (-0.3, -0.2), (0.6, 0.9), 0.2)
            }
            Class::Rings => radius < 1.2 && odd(cell(radius)),
            Class::Star => inside(p, &STAR),
            Class::Stripes => within(p, 1.1) && odd(cell(x)),
            Class::Triangle => inside(p, &[(0.0, -1.0), (0.866, 0.5), (-0.866, 0.5)]),
        }
    }
}

/// A five-pointed star, radii 1 and 0.4: cosines and sines of multiples of 36°.
const STAR: [Point; 10] = [
    (0.0, -1.0),
    (0.2351, -0.3236),
    (0.9511, -0.309),
    (0.3804, 0.1236),
    (0.5878, 0.809),
    (0.0, 0.4),
    (-0.5878, 0.809),
    (-0.3804, 0.1236),
    (-0.9511, -0.309),
    (-0.2351, -0.3236),
];

fn within((x, y): Point, side: f32) -> bool {
    x.abs() < side && y.abs() < side
}

/// Within `thickness` of the segment from `a` to `b`.
pub(crate) fn stroke((x, y): Point, a: Point, b: Point, thickness: f32) -> bool {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let along = (((x - a.0) * dx + (y - a.1) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
    let (ex, ey) = (x - a.0 - along * dx, y - a.1 - along * dy);
    ex * ex + ey * ey < thickness * thickness
}

/// Even-odd rule.
fn inside((x, y): Point, polygon: &[Point]) -> bool {
    let mut odd = false;
    for (i, &(ax, ay)) in polygon.iter().enumerate() {
        let (bx, by) = polygon[(i + 1) % polygon.len()];
        if (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax {
            odd = !odd;
        }
    }
    odd
}
