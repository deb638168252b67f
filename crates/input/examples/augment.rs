//! A check's tool, not a user's: what `tests/peers/augment.py` compares with Pillow.
//!
//! `augment LIST PREPROCESSING VIEWS OUT` reads image paths (one a line), a preprocessing and views (JSON both), and writes
//! for image i and each of its views `OUT/i.VIEW.u8` (h, w, 3), and `OUT/i.VIEW.drawn`, a line of what was drawn:
//! `left top right bottom` (or `-`), `mirrored` or `-`, and each change as `KIND FACTOR` with factors in 256ths.

use headstart_input::Views;
use headstart_input::image::{Drawn, Preprocessing, decode, load_views};
use std::{fs, path::Path};
use store::Digest;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [list, how, views, out] = arguments.as_slice() else {
        return Err("usage: augment LIST PREPROCESSING VIEWS OUT".into());
    };
    let how: Preprocessing = serde_json::from_str(&fs::read_to_string(how)?)?;
    let views: Views = serde_json::from_str(&fs::read_to_string(views)?)?;
    for (i, path) in fs::read_to_string(list)?.lines().enumerate() {
        let bytes = fs::read(path)?;
        let (content, picture) = (Digest::of(&bytes), decode(&bytes)?);
        let wanted: Vec<u32> = (0..views.count).collect();
        for (view, pixels) in wanted.iter().zip(load_views(&bytes, &content, &how, &views, &wanted)?.0) {
            let place = Path::new(out).join(format!("{i}.{view}"));
            fs::write(place.with_extension(format!("{view}.u8")), pixels)?;
            let drawn = Drawn::of((picture.width, picture.height), &content, &views, *view);
            let window = drawn.window.map_or("-".to_owned(), |(columns, rows)| {
                format!("{} {} {} {}", columns.start, rows.start, columns.end, rows.end)
            });
            let mirrored = if drawn.mirrored { "mirrored" } else { "-" };
            let change =
                |change: &headstart_input::image::Change| format!(",{:?} {}", change.kind, change.factor);
            let changes: String = drawn.changes.iter().map(change).collect();
            fs::write(
                place.with_extension(format!("{view}.drawn")),
                format!("{window},{mirrored}{changes}\n"),
            )?;
        }
    }
    Ok(())
}
