//! Times what happens to a photograph before a network sees it, on one thread:
//! `cargo bench --workspace --bench prepare -- [part of a row's name]`. Elements are pixels of the photograph.

#![expect(clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use headstart_input::image::{Decode, Filter, Preprocessing, Resize};
use headstart_input::image::{Picture, decode, load, prepare};
use mozjpeg::{ColorSpace, Compress};
use std::hint::black_box;

const SIZE: (u32, u32) = (640, 480);

/// Slopes, edges and grain, so that a JPEG has as many coefficients as one of a camera: 2 bits a pixel.
fn photograph() -> Picture {
    let mut state = 1_u32;
    Picture::from_fn(SIZE.0, SIZE.1, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (state >> 24) as f32 / 12.0;
        let (x, y) = (x as f32, y as f32);
        let leaf = if (x * 0.02).sin() + (y * 0.03 + x * 0.01).cos() > 0.6 { 60.0 } else { 0.0 };
        let light = 60.0 + 0.15 * y + 40.0 * (x * 0.011 + y * 0.007).sin() + leaf + grain;
        [light, 0.8 * light + 10.0, 140.0 - 0.4 * light].map(|value| value as u8)
    })
}

/// A baseline JPEG with halved chroma, as cameras write them.
fn jpeg(picture: &Picture) -> Vec<u8> {
    let mut encoder = Compress::new(ColorSpace::JCS_RGB);
    encoder.set_size(picture.width as usize, picture.height as usize);
    encoder.set_fastest_defaults();
    encoder.set_quality(90.0);
    encoder.set_chroma_sampling_pixel_sizes((2, 2), (2, 2));
    let mut started = encoder.start_compress(Vec::new()).unwrap();
    started.write_scanlines(&picture.pixels).unwrap();
    started.finish().unwrap()
}

fn benches(criterion: &mut Criterion) {
    let picture = photograph();
    let file = jpeg(&picture);
    let exact = Preprocessing::imagenet();
    let bicubic = Preprocessing { filter: Filter::Bicubic, ..exact.clone() };
    // Small enough that `fast` decodes at a quarter of the size.
    let small = Preprocessing { crop: None, resize: Resize::ShorterSide(64), ..exact.clone() };
    let fast = Preprocessing { decode: Decode::Fast, ..small.clone() };
    let mut group = criterion.benchmark_group(format!("photograph of {}×{}", SIZE.0, SIZE.1));
    group.throughput(Throughput::Elements(u64::from(SIZE.0 * SIZE.1)));
    group.bench_function("decode a JPEG", |b| b.iter(|| decode(black_box(&file)).unwrap()));
    group.bench_function("resample to 256, crop 224, bilinear", |b| {
        b.iter(|| prepare(black_box(&picture), &exact));
    });
    group.bench_function("resample to 256, crop 224, bicubic", |b| {
        b.iter(|| prepare(black_box(&picture), &bicubic));
    });
    for (name, how) in
        [("JPEG to 256, crop 224", &exact), ("JPEG to 64, exact", &small), ("JPEG to 64, fast", &fast)]
    {
        group.bench_function(name, |b| b.iter(|| load(black_box(&file), how).unwrap()));
    }
    group.finish();
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(50).measurement_time(std::time::Duration::from_secs(2));
    targets = benches
}
criterion_main!(all);
