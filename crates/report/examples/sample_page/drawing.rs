//! Pictures of made-up animals.

use crate::world::{Chance, World};

/// The row's picture as a data URI: a body and a head in the colour of its class, on some ground.
pub(crate) fn thumbnail(world: &World, row: usize) -> String {
    let mut chance = Chance::new(row as u64 * 31 + 5);
    let class = world.samples.truth[row] as usize;
    let hue = class * 360 / world.classes.len();
    let (ground, light) = (70 + chance.below(90), 55 + chance.below(30));
    let (x, y, long) =
        (40 + chance.below(16), 52 + chance.below(14), 20 + 3 * world.kinds[class] + chance.below(5));
    let tall = 12 + chance.below(6);
    let svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 96 96'>\
        <rect width='96' height='96' fill='hsl({ground},25%,{light}%)'/>\
        <rect y='{}' width='96' height='40' fill='hsl({ground},22%,{}%)'/>\
        <ellipse cx='{x}' cy='{y}' rx='{long}' ry='{tall}' fill='hsl({hue},45%,42%)'/>\
        <circle cx='{}' cy='{}' r='{}' fill='hsl({hue},45%,48%)'/>\
        <circle cx='{}' cy='{}' r='2' fill='#111'/></svg>",
        66 + chance.below(8),
        light - 14,
        x + long,
        y - tall,
        9 + chance.below(5),
        x + long + 3,
        y - tall - 2,
    );
    format!(
        "data:image/svg+xml,{}",
        svg.replace('%', "%25").replace('#', "%23").replace('<', "%3C").replace('>', "%3E")
    )
}
