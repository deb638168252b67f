//! What views are made of, whatever was drawn.

use super::*;
use crate::image::{Filter, Resize, decode};

const ALL: [Augment; 3] = Augment::ALL;

fn files() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    ["jpeg-4-2-0", "jpeg-exif", "png-rgb", "jpeg-cmyk"]
        .map(|name| std::fs::read(format!("{folder}/{name}")).unwrap())
        .into()
}

fn how(decode: Decode) -> Preprocessing {
    Preprocessing {
        resize: Resize::ShorterSide(20),
        crop: Some((16, 18)),
        filter: Filter::Bicubic,
        decode,
        ..Preprocessing::imagenet()
    }
}

fn made(bytes: &[u8], how: &Preprocessing, views: &Views, wanted: &[u32]) -> Vec<Vec<u8>> {
    load_views(bytes, &Digest::of(bytes), how, views, wanted).unwrap().0
}

#[test]
fn view_0_is_the_picture_and_every_view_is_made_alone() {
    for bytes in files() {
        for how in [how(Decode::Exact), how(Decode::Fast)] {
            for augment in [&ALL[..], &ALL[..1], &ALL[2..]] {
                let views = Views::new(5, augment.iter().copied(), 3);
                let all = made(&bytes, &how, &views, &[0, 1, 2, 3, 4]);
                assert_eq!(all[0], load(&bytes, &how).unwrap().pixels);
                for view in 0..5 {
                    assert_eq!(made(&bytes, &how, &views, &[view])[0], all[view as usize]);
                }
                assert_eq!(made(&bytes, &how, &views, &[4, 1]), [all[4].clone(), all[1].clone()]);
                assert!(all.iter().all(|pixels| pixels.len() == 16 * 18 * 3));
            }
        }
    }
    assert_eq!(
        load_views(b"", &Digest::of(b""), &how(Decode::Exact), &Views::new(2, ALL, 0), &[0, 1]),
        Err(BadImage::Empty)
    );
}

#[test]
fn seeds_views_and_contents_make_other_pictures() {
    let bytes = &files()[2];
    let how = how(Decode::Exact);
    let views = |seed| Views::new(3, ALL, seed);
    let first = made(bytes, &how, &views(0), &[1, 2]);
    assert_eq!(first, made(bytes, &how, &views(0), &[1, 2]));
    assert_ne!(first[0], first[1]);
    assert_ne!(first, made(bytes, &how, &views(1), &[1, 2]));
    let renamed = load_views(bytes, &Digest::of(b"another"), &how, &views(0), &[1, 2]).unwrap().0;
    assert_ne!(first, renamed);
}

#[test]
fn flips_are_mirrors_of_half_the_views() {
    let bytes = &files()[2];
    let how = how(Decode::Exact);
    let views = Views::new(200, [Augment::Flip], 0);
    let wanted: Vec<u32> = (0..200).collect();
    let all = made(bytes, &how, &views, &wanted);
    let mut mirrored = all[0].clone();
    mirror(&mut mirrored, 18);
    assert_ne!(mirrored, all[0]);
    assert_eq!(mirrored[..3], all[0][17 * 3..18 * 3]);
    let flipped = all.iter().filter(|pixels| **pixels == mirrored).count();
    assert!(all.iter().all(|pixels| *pixels == mirrored || *pixels == all[0]));
    assert!((75..125).contains(&flipped), "{flipped}");
}

#[test]
fn crops_are_those_of_the_decoded_picture() {
    let bytes = &files()[0];
    let (how, views) = (how(Decode::Exact), Views::new(4, [Augment::Crop], 9));
    let (picture, content) = (decode(bytes).unwrap(), Digest::of(bytes));
    for view in 1..4 {
        let drawn = Drawn::of((picture.width, picture.height), &content, &views, view);
        let (columns, rows) = drawn.window.unwrap();
        let part = Picture::from_fn(columns.len() as u32, rows.len() as u32, |x, y| {
            let at = (((rows.start + y) * picture.width + columns.start + x) * 3) as usize;
            [0, 1, 2].map(|channel| picture.pixels[at + channel])
        });
        let expected = resize(&part, 18, 16, Filter::Bicubic);
        assert_eq!(made(bytes, &how, &views, &[view])[0], expected.pixels);
    }
}
