//! Augmented copies of a picture: torchvision's RandomResizedCrop, RandomHorizontalFlip and ColorJitter, in this order.
//!
//! What is drawn follows from the seed, the view's number and the file's content alone; what is done with it is integers,
//! or numbers that every processor rounds in the same way. So a view's bytes depend on neither order, threads, the file's
//! name nor the machine. Given the same draws they are Pillow's, to the bit: `crop` and `resize`, `ImageOps.mirror`,
//! `ImageEnhance` (`tests/peers/augment.py`).

mod colour;
mod crop;
mod draws;

use crate::image::{
    BadImage, Decode, Picture, Preprocessing,
    decode::Part,
    prepare::{Loaded, decode_for, load, prepare},
    resample::resize,
};
use crate::{Augment, Noticed, Views};
pub use colour::{Change, ChangeKind};
use draws::Draws;
use std::ops::Range;
use store::Digest;

/// Names how copies are made, in content keys: changes whenever their bytes do.
pub const AUGMENTATIONS: &str = "augment-1";

/// The bytes of a file, whose digest is `content` → some of its views, each as [`load`] gives view 0, and what was
/// noticed of it.
///
/// The file is decoded once for all of them, but where it is decoded fast and cropped: then once for view 0, and once, at
/// a size that the smallest crop wants, for the others.
///
/// # Errors
/// As [`load`].
///
/// # Panics
/// Where `how` has no output size, which [`Preprocessing::check`] refuses.
pub fn load_views(
    bytes: &[u8],
    content: &Digest,
    how: &Preprocessing,
    views: &Views,
    wanted: &[u32],
) -> Result<(Vec<Vec<u8>>, Noticed), BadImage> {
    let crops = views.augment.contains(&Augment::Crop);
    if !crops || wanted == [0] {
        let Loaded { pixels, noticed } = load(bytes, how)?;
        let view = |&view: &u32| finish(pixels.clone(), content, how, views, view);
        return Ok((wanted.iter().map(view).collect(), noticed));
    }
    let (width, height) = crop::most_needed(output_size(how));
    let part = decode_for(bytes, how, width, height)?;
    let noticed = part.noticed;
    let (picture, _share) = part.into_parts();
    let view = |&view: &u32| match (view, how.decode) {
        (0, Decode::Exact) => Ok(prepare(&picture, how)),
        (0, Decode::Fast) => load(bytes, how).map(|loaded| loaded.pixels),
        _ => Ok(finish(cropped(&picture, content, how, views, view), content, how, views, view)),
    };
    Ok((wanted.iter().map(view).collect::<Result<_, _>>()?, noticed))
}

/// (width, height) of what leaves here.
fn output_size(how: &Preprocessing) -> (u32, u32) {
    let (height, width) = how.output_size().expect("preprocessing that was checked has one size for all");
    (width, height)
}

/// The part of the picture that was drawn for a view, resized.
fn cropped(picture: &Picture, content: &Digest, how: &Preprocessing, views: &Views, view: u32) -> Vec<u8> {
    let drawn = Drawn::of((picture.width, picture.height), content, views, view);
    let (columns, rows) = drawn.window.unwrap_or((0..picture.width, 0..picture.height));
    let whole = Part::of(picture);
    let part = Picture {
        width: columns.len() as u32,
        height: rows.len() as u32,
        pixels: whole
            .cut(&(columns.start as usize..columns.end as usize), rows.start as usize..rows.end as usize),
    };
    let (width, height) = output_size(how);
    resize(&part, width, height, how.filter).pixels
}

/// Flips and colours a picture of the output's size.
fn finish(mut pixels: Vec<u8>, content: &Digest, how: &Preprocessing, views: &Views, view: u32) -> Vec<u8> {
    let (width, height) = output_size(how);
    let drawn = Drawn::of((width, height), content, views, view);
    if drawn.mirrored {
        mirror(&mut pixels, width as usize);
    }
    drawn.changes.iter().for_each(|change| change.apply(&mut pixels));
    pixels
}

/// What is done to a picture for one of its views.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Columns and rows that are kept of the decoded picture, to be resized to the output's size; none where it is prepared
    /// as it always is.
    pub window: Option<(Range<u32>, Range<u32>)>,
    /// Whether that is mirrored then.
    pub mirrored: bool,
    /// What is done to its colours last, in this order.
    pub changes: Vec<Change>,
}

impl Drawn {
    /// What is done for a view of a picture of `size` (width, height), as it was decoded.
    pub fn of((width, height): (u32, u32), content: &Digest, views: &Views, view: u32) -> Drawn {
        // View 0 is the picture itself.
        let draws = |augment| {
            let wanted = view > 0 && views.augment.contains(&augment);
            wanted.then(|| Draws::new(views.seed, view, content, augment))
        };
        Drawn {
            window: draws(Augment::Crop).map(|mut draws| crop::draw(width, height, &mut draws)),
            mirrored: draws(Augment::Flip).is_some_and(|mut draws| draws.below(2) == 1),
            changes: draws(Augment::Colour)
                .map(|mut draws| colour::draw(&mut draws).into())
                .unwrap_or_default(),
        }
    }
}

/// Pillow's `ImageOps.mirror` of rows of `width` pixels.
fn mirror(pixels: &mut [u8], width: usize) {
    for row in pixels.chunks_exact_mut(width * 3) {
        let (row, _) = row.as_chunks_mut::<3>();
        row.reverse();
    }
}

#[cfg(test)]
mod tests;
