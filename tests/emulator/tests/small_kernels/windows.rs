//! Depthwise convolution, pooling, and means over cells.

use crate::rig::{Kind, Rig, Rows, check, int, items};
use engine::cuda::arguments::{Depthwise, Mean, Pool};

const SIZES: [(usize, usize); 4] = [(1, 1), (5, 7), (14, 14), (9, 16)];
const CHANNELS: [usize; 5] = [3, 8, 20, 24, 96];
const PICTURES: usize = 2;

#[test]
fn depthwise_is_its_definition() {
    for kind in Kind::ALL {
        for (kernel, step, pad) in [
            (3, 1, 1),
            (5, 1, 2),
            (7, 1, 3),
            (3, 2, 1),
            (5, 2, 2),
            (7, 2, 3),
            (3, 1, 0),
            (7, 1, 0),
            (5, 2, 1),
            (3, 3, 1),
            (4, 2, 1),
            (9, 1, 4),
            (2, 1, 0),
            (1, 1, 0),
        ] {
            for (i, (height, width)) in SIZES.into_iter().enumerate() {
                for channels in CHANNELS.into_iter().skip(i % 2).step_by(2).chain((i == 1).then_some(136)) {
                    if height + 2 * pad >= kernel {
                        depthwise(kind, channels, (height, width), (kernel, step, pad));
                    }
                }
            }
        }
    }
}

fn depthwise(kind: Kind, channels: usize, (height, width): (usize, usize), window: (usize, usize, usize)) {
    let (kernel, step, pad) = window;
    let side = |length: usize| (length + 2 * pad - kernel) / step + 1;
    let (rows, columns) = (side(height), side(width));
    let mut rig = Rig::new();
    let map = Rows::random(kind, PICTURES * height * width, channels, 1);
    let weights = Rows::random(Kind::F32, kernel * kernel, channels, 2);
    let bias = Rows::random(Kind::F32, 1, channels, 3);
    let stride = map.stride;
    let arguments = Depthwise {
        input: rig.put_rows(kind, &map),
        weights: rig.put_rows(Kind::F32, &weights),
        bias: rig.put_rows(Kind::F32, &bias),
        out: 0,
        pictures: 0,
        in_height: int(height),
        in_width: int(width),
        out_height: int(rows),
        out_width: int(columns),
        stride: int(stride),
        kernel: int(kernel),
        step: int(step),
        pad: int(pad),
        activation: 1,
    };
    let wide = step == 1 && (kernel == 5 || kernel == 7);
    let (high, broad) = match (kernel, step) {
        (3 | 5, 1) => (2, 4),
        (7, 1) => (2, 7),
        (3 | 5 | 7, 2) => (1, 4),
        _ => (1, 1),
    };
    let chunks = stride.div_ceil(64);
    let each = chunks * rows.div_ceil(high) * columns.div_ceil(broad) * (stride / 4).div_ceil(chunks);
    let threads = if wide { 128 } else { 256 };
    let name = kind.kernel(if wide { "depthwise_wide" } else { "depthwise" });
    let mut run = |pictures: usize| {
        let launch = [(pictures * each).div_ceil(threads), threads, 0];
        let count = pictures * rows * columns * stride;
        rig.run(&name, launch, (kind, count), |out| Depthwise { out, pictures: int(pictures), ..arguments })
    };
    let got = run(PICTURES);
    assert_eq!(got[..rows * columns * stride], run(1), "{name}: another picture changes the first");
    let what = format!("depthwise {window:?} of {channels} channels {height}x{width}");
    check(&what, kind, &got, (stride, channels), |place, channel| {
        let (picture, y, x) = (place / (rows * columns), place / columns % rows, place % columns);
        let mut sum = bias.at(0, channel);
        for tap in 0..kernel * kernel {
            let (y, x) = (y * step + tap / kernel, x * step + tap % kernel);
            if (pad..pad + height).contains(&y) && (pad..pad + width).contains(&x) {
                let place = (picture * height + y - pad) * width + x - pad;
                sum += map.at(place, channel) * weights.at(tap, channel);
            }
        }
        sum.max(0.0)
    });
}

#[test]
fn pools_see_what_is_inside_the_map() {
    // Side, step, padding, and how far the last window sticks out.
    for (kernel, step, pad, beyond) in [(3, 2, 1, 0), (2, 2, 0, 1), (3, 2, 0, 1), (3, 1, 1, 0), (5, 1, 2, 0)]
    {
        for (kind, channels) in
            Kind::ALL.into_iter().flat_map(|kind| CHANNELS.map(|channels| (kind, channels)))
        {
            for (height, width) in [(5, 7), (14, 14), (9, 16)] {
                let side = |length: usize| (length + 2 * pad + beyond - kernel) / step + 1;
                let (rows, columns) = (side(height), side(width));
                let map = Rows::random(kind, PICTURES * height * width, channels, 4);
                for average in [false, true] {
                    let mut rig = Rig::new();
                    let input = rig.put_rows(kind, &map);
                    let count = PICTURES * rows * columns * map.stride;
                    let got = rig.run(&kind.kernel("pool"), items(count / 8), (kind, count), |out| Pool {
                        input,
                        out,
                        pictures: int(PICTURES),
                        in_height: int(height),
                        in_width: int(width),
                        out_height: int(rows),
                        out_width: int(columns),
                        stride: int(map.stride),
                        kernel: int(kernel),
                        step: int(step),
                        pad: int(pad),
                        average: average.into(),
                    });
                    check("pool", kind, &got, (map.stride, channels), |place, channel| {
                        let (picture, y, x) =
                            (place / (rows * columns), place / columns % rows, place % columns);
                        let seen = |at: usize, length: usize| {
                            (at * step).saturating_sub(pad)..(at * step + kernel - pad).min(length)
                        };
                        let places = seen(y, height).flat_map(|y| seen(x, width).map(move |x| (y, x)));
                        let numbers: Vec<f64> = places
                            .map(|(y, x)| map.at((picture * height + y) * width + x, channel))
                            .collect();
                        if average {
                            numbers.iter().sum::<f64>() / numbers.len() as f64
                        } else {
                            numbers.into_iter().fold(f64::NEG_INFINITY, f64::max)
                        }
                    });
                }
            }
        }
    }
}

#[test]
fn what_is_no_number_wins_a_pool() {
    let mut rig = Rig::new();
    let mut map = Rows::random(Kind::F32, 4, 8, 5);
    map.numbers[11] = f32::NAN;
    let input = rig.put_rows(Kind::F32, &map);
    let got = rig.run("pool_f32", items(1), (Kind::F32, 8), |out| Pool {
        input,
        out,
        pictures: 1,
        in_height: 2,
        in_width: 2,
        out_height: 1,
        out_width: 1,
        stride: 8,
        kernel: 2,
        step: 2,
        ..Pool::default()
    });
    assert!(got[3].is_nan() && got.iter().filter(|x| x.is_nan()).count() == 1, "{got:?}");
}

#[test]
fn means_are_of_cells() {
    for (kind, channels) in
        Kind::ALL.into_iter().flat_map(|kind| [3, 20, 96, 264].map(|channels| (kind, channels)))
    {
        for ((height, width), (rows, columns)) in [
            ((7, 7), (1, 1)),
            ((1, 1), (1, 1)),
            ((5, 7), (2, 3)),
            ((3, 3), (2, 2)),
            ((1, 2), (2, 3)),
            ((14, 30), (1, 1)),
            ((14, 14), (7, 7)),
        ] {
            for (skip, out_f32) in [(0, false), (1, true)] {
                let (stored, places) = (if out_f32 { Kind::F32 } else { kind }, skip + height * width);
                let map = Rows::random(kind, PICTURES * places, channels, 6);
                let (mut rig, all) = (Rig::new(), map.stride / 8);
                let input = rig.put_rows(kind, &map);
                let groups = all.next_power_of_two().min(32);
                let mut run = |pictures: usize| {
                    let cells = pictures * rows * columns;
                    let launch = [cells * all.div_ceil(groups), 256, 8192];
                    rig.run(&kind.kernel("mean"), launch, (stored, cells * map.stride), |out| Mean {
                        input,
                        out,
                        pictures: int(pictures),
                        skip: int(skip),
                        in_height: int(height),
                        in_width: int(width),
                        out_height: int(rows),
                        out_width: int(columns),
                        stride: int(map.stride),
                        out_f32: out_f32.into(),
                    })
                };
                let got = run(PICTURES);
                assert_eq!(got[..rows * columns * map.stride], run(1), "another picture changes the first");
                check("mean", stored, &got, (map.stride, channels), |cell, channel| {
                    let (picture, row, column) =
                        (cell / (rows * columns), cell / columns % rows, cell % columns);
                    let ys = row * height / rows..((row + 1) * height).div_ceil(rows);
                    let xs = column * width / columns..((column + 1) * width).div_ceil(columns);
                    let count = (ys.len() * xs.len()) as f64;
                    let seen = ys.flat_map(|y| xs.clone().map(move |x| y * width + x));
                    seen.map(|place| map.at(picture * places + skip + place, channel)).sum::<f64>() / count
                });
            }
        }
    }
}
