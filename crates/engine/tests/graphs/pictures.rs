//! Models that take pictures as they are: what their operators make of a picture, node by node, is what `input` makes of it,
//! to the bit.

use super::common;
use headstart_engine::Interpreter;
use input::image::{Channels, CropRounding, Filter, Picture, Preprocessing, Resize, prepare};
use network::Builder;
use onnx::{Exported, Tower};
use weights::Bound;

/// (width, height): one pixel, strips, halves, whole multiples, what grows, and what has its rows go first.
const SIZES: [(u32, u32); 14] = [
    (1, 1),
    (1, 30),
    (30, 1),
    (10, 200),
    (3, 201),
    (64, 48),
    (26, 26),
    (53, 37),
    (33, 49),
    (102, 77),
    (6, 91),
    (200, 10),
    (70, 30),
    (51, 26),
];

fn recipes() -> Vec<Preprocessing> {
    let made = |resize, crop, filter, channels, crop_rounding| Preprocessing {
        resize,
        crop,
        filter,
        channels,
        crop_rounding,
        ..Preprocessing::imagenet()
    };
    use {Channels::*, CropRounding::*, Filter::*, Resize::*};
    vec![
        made(ShorterSide(26), Some((22, 22)), Bilinear, Rgb, Even),
        made(ShorterSide(23), Some((22, 22)), Bicubic, Rgb, Down),
        made(Exact(37, 53), None, Bicubic, Bgr, Even),
        made(Exact(37, 53), Some((40, 31)), Bilinear, Bgr, Even),
        made(Exact(9, 14), Some((16, 17)), Bicubic, Rgb, Down),
        made(ShorterSide(20), Some((32, 25)), Bicubic, Rgb, Down),
        made(ShorterSide(20), Some((32, 25)), Bilinear, Rgb, Even),
        Preprocessing { divisor: 1.0, std: [1.0; 3], ..made(Exact(1, 1), None, Bilinear, Rgb, Even) },
    ]
}

/// The input itself, whose negative numbers become zero.
fn network() -> Bound {
    let mut net = Builder::image();
    let x = net.relu("positive", net.input());
    common::filled(net.finish("positive", x))
}

fn written(how: &Preprocessing) -> Vec<u8> {
    let (height, width) = how.output_size().unwrap();
    let bound = network();
    let tower = Tower { image: Some(how), ..Tower::alone(&bound, (height as usize, width as usize)) };
    let exported = Exported { towers: &[tower], head: None, halves: false, metadata: &[] };
    let mut bytes = Vec::new();
    onnx::write_model(&mut bytes, &exported).unwrap();
    bytes
}

/// Noise in blocks, so that kernels overshoot here and there.
fn picture((width, height): (u32, u32), block: u32) -> Picture {
    Picture::from_fn(width, height, |x, y| {
        let cell = (x / block * 7919 + y / block * 104_729) as usize;
        [0, 1, 2].map(|channel| match common::uniform("noise", 3 * cell + channel) {
            u if u < 0.2 => 0,
            u if u > 0.8 => 255,
            u => (u * 256.0) as u8,
        })
    })
}

#[test]
fn pictures_are_prepared_to_the_bit() {
    for how in recipes() {
        let model = onnx::read(&written(&how)).unwrap();
        let interpreter = Interpreter::of(model, &[]).unwrap();
        for size in SIZES {
            for block in [1, 5] {
                let picture = picture(size, block);
                let got = interpreter.run_picture(&picture).unwrap().remove(0);
                let (tables, bytes) = (how.tables(), prepare(&picture, &how));
                let order = if how.channels == Channels::Rgb { [0, 1, 2] } else { [2, 1, 0] };
                let plane = |(table, from): (&[f32; 256], usize)| {
                    let values = bytes.chunks_exact(3).map(|rgb| table[usize::from(rgb[from])].max(0.0));
                    values.collect::<Vec<_>>()
                };
                let expected: Vec<f32> = tables.iter().zip(order).flat_map(plane).collect();
                assert_eq!(got.len(), expected.len());
                let different = got.iter().zip(&expected).filter(|(a, b)| a != b).count();
                assert_eq!(different, 0, "{size:?} by {how:?}");
            }
        }
    }
}

#[test]
fn backbones_of_one_recipe_share_what_it_makes() {
    let how = &recipes()[0];
    let alone = Interpreter::of(onnx::read(&written(how)).unwrap(), &[]).unwrap();
    let (one, other, size) = (network(), network(), (22, 22));
    let towers = [(&one, [1]), (&other, [0])];
    let towers = towers.each_ref().map(|(bound, places)| Tower {
        image: Some(how),
        places,
        ..Tower::alone(bound, size)
    });
    let exported = Exported { towers: &towers, head: None, halves: false, metadata: &[] };
    let mut bytes = Vec::new();
    onnx::write_model(&mut bytes, &exported).unwrap();
    let model = onnx::read(&bytes).unwrap();
    let prepared = model.graph.steps.iter().filter(|step| step.name.ends_with("picture/normalised"));
    assert_eq!(prepared.count(), 1);
    let picture = picture((40, 33), 3);
    let got = Interpreter::of(model, &[]).unwrap().run_picture(&picture).unwrap().remove(0);
    assert_eq!(got, alone.run_picture(&picture).unwrap().remove(0).repeat(2));
}

#[test]
fn what_is_given_must_be_what_is_taken() {
    let how = Preprocessing { crop: Some((8, 8)), resize: Resize::Exact(8, 8), ..Preprocessing::imagenet() };
    let bound = network();
    let mut bytes = Vec::new();
    onnx::write(&mut bytes, &bound, (8, 8), &[]).unwrap();
    let prepared = Interpreter::new(onnx::read(&bytes).unwrap(), &how.clone().into()).unwrap();
    assert!(prepared.run_picture(&picture((5, 5), 1)).is_err());
    let whole = Interpreter::of(onnx::read(&written(&how)).unwrap(), &[]).unwrap();
    assert!(whole.run_all(&[]).is_err());
    assert!(whole.run_tensor(&[0.0; 3 * 64], 1).is_err());
    assert!(Interpreter::of(onnx::read(&bytes).unwrap(), &[]).is_err());
    let mut short = picture((5, 5), 1);
    short.pixels.pop();
    assert!(whole.run_picture(&short).is_err());
}

#[test]
fn broken_files_are_errors_and_never_panics() {
    let how = Preprocessing {
        crop: Some((8, 8)),
        resize: Resize::ShorterSide(9),
        filter: Filter::Bicubic,
        channels: Channels::Bgr,
        ..Preprocessing::imagenet()
    };
    let bytes = written(&how);
    let picture = picture((13, 40), 2);
    let run = |bytes: &[u8]| -> Result<(), Box<dyn std::error::Error>> {
        Interpreter::of(onnx::read(bytes)?, &[])?.run_picture(&picture)?;
        Ok(())
    };
    run(&bytes).unwrap();
    let mut wrong = 0;
    for at in (0..bytes.len()).step_by(3) {
        let mut broken = bytes.clone();
        broken[at] ^= if at % 2 == 0 { 1 } else { 0x80 };
        wrong += usize::from(run(&broken).is_err());
    }
    println!("{wrong} of {} refused", bytes.len() / 3);
    assert!(wrong > bytes.len() / 6);
}
