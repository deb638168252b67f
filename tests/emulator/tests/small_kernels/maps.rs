//! Layer normalisation, functions of each number, and pictures.

use crate::rig::{Kind, Rig, Rows, check, int, items};
use engine::cuda::arguments::{Function, LayerNorm, Map, Normalise, ResponseNorm};

#[test]
fn layer_norms_are_their_definition() {
    for kind in Kind::ALL {
        for channels in [3, 8, 20, 96, 128, 130, 192, 260, 512, 768, 770, 1000, 1024, 1030, 2048, 3077, 8192]
        {
            for (rows, out_f32) in [(1, false), (7, true)] {
                let stored = if out_f32 { Kind::F32 } else { kind };
                let mut input = Rows::random(kind, rows, channels, 1);
                // Far from zero, where a variance as the mean of squares less the square of the mean would be lost.
                for row in input.numbers.chunks_exact_mut(input.stride) {
                    row[..channels].iter_mut().for_each(|x| *x += 8.0);
                }
                input.numbers = kind.numbers(&kind.bytes(&input.numbers));
                let (weight, bias) =
                    (Rows::random(Kind::F32, 1, channels, 2), Rows::random(Kind::F32, 1, channels, 3));
                let (mut rig, stride) = (Rig::new(), input.stride);
                let arguments = LayerNorm {
                    input: rig.put_rows(kind, &input),
                    weight: rig.put_rows(Kind::F32, &weight),
                    bias: rig.put_rows(Kind::F32, &bias),
                    channels: int(channels),
                    stride: int(stride),
                    eps: 1e-6,
                    out_f32: out_f32.into(),
                    ..LayerNorm::default()
                };
                let lanes = if stride <= 128 { 16 } else { 32 };
                let mut run = |rows: usize| {
                    rig.run(&kind.kernel("layer_norm"), items(rows * lanes), (stored, rows * stride), |out| {
                        LayerNorm { out, rows: int(rows), ..arguments }
                    })
                };
                let got = run(rows);
                assert_eq!(got[..stride], run(1), "another row changes the first");
                // Numbers around 8 are known to 5e-7, and the spread is about 0.6.
                let got: Vec<f32> =
                    got.iter().map(|x| x * if stored == Kind::F32 { 0.1 } else { 1.0 }).collect();
                check("layer norm", stored, &got, (stride, channels), |row, channel| {
                    let numbers = || (0..channels).map(|channel| input.at(row, channel));
                    let mean = numbers().sum::<f64>() / channels as f64;
                    let variance = numbers().map(|x| (x - mean).powi(2)).sum::<f64>() / channels as f64;
                    let x = (input.at(row, channel) - mean) / (variance + 1e-6).sqrt();
                    (x * weight.at(0, channel) + bias.at(0, channel))
                        * if stored == Kind::F32 { 0.1 } else { 1.0 }
                });
            }
        }
    }
}

#[test]
fn response_norms_are_their_definition() {
    const PICTURES: usize = 2;
    for kind in Kind::ALL {
        for channels in [3, 8, 20, 130, 260, 520, 1030] {
            for places in [1, 5, 49] {
                let input = Rows::random(kind, PICTURES * places, channels, 1);
                let (weight, bias) =
                    (Rows::random(Kind::F32, 1, channels, 2), Rows::random(Kind::F32, 1, channels, 3));
                let (mut rig, stride) = (Rig::new(), input.stride);
                let arguments = ResponseNorm {
                    input: rig.put_rows(kind, &input),
                    weight: rig.put_rows(Kind::F32, &weight),
                    bias: rig.put_rows(Kind::F32, &bias),
                    places: int(places),
                    channels: int(channels),
                    stride: int(stride),
                    eps: 1e-6,
                    ..ResponseNorm::default()
                };
                let mut run = |pictures: usize| {
                    let launch = [pictures, 256, 8192];
                    let count = pictures * places * stride;
                    rig.run(&kind.kernel("response_norm"), launch, (kind, count), |out| ResponseNorm {
                        out,
                        ..arguments
                    })
                };
                let got = run(PICTURES);
                assert_eq!(got[..places * stride], run(1), "another picture changes the first");
                let root = |picture: usize, channel: usize| {
                    let squares = (0..places).map(|at| input.at(picture * places + at, channel).powi(2));
                    squares.sum::<f64>().sqrt()
                };
                let means: Vec<f64> = (0..PICTURES)
                    .map(|picture| (0..channels).map(|at| root(picture, at)).sum::<f64>() / channels as f64)
                    .collect();
                check("response norm", kind, &got, (stride, channels), |row, channel| {
                    let picture = row / places;
                    let share = root(picture, channel) / (means[picture] + 1e-6);
                    input.at(row, channel) * share * weight.at(0, channel) + bias.at(0, channel)
                });
            }
        }
    }
}

/// The error function by its series.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..60 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

fn activation(function: i32, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let softplus = x.max(0.0) + (-x.abs()).exp().ln_1p();
    let hard = (x + 3.0).clamp(0.0, 6.0) / 6.0;
    match function {
        0 => x,
        1 => x.max(0.0),
        2 => x.clamp(0.0, 6.0),
        3 => 0.5 * x * (1.0 + erf(x / 2f64.sqrt())),
        4 => 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh()),
        5 => x * sigmoid(1.702 * x),
        6 => x * sigmoid(x),
        7 => sigmoid(x),
        8 => hard,
        9 => x * hard,
        10 => x.tanh(),
        11 => softplus,
        12 => x * softplus.tanh(),
        13 => x.max(0.0) + 0.25 * x.min(0.0),
        14 => x.max(0.0) + 0.25 * x.min(0.0).exp_m1(),
        _ => x.clamp(0.25, 0.75),
    }
}

#[test]
fn maps_are_their_definition() {
    let (pictures, places) = (3, 35);
    for (kind, channels) in
        Kind::ALL.into_iter().flat_map(|kind| [3, 20, 96].map(|channels| (kind, channels)))
    {
        for case in 0..32 {
            // Every function once with and once without, and every pairing of what may be left out.
            let function = case % 16;
            let [affine, other, gate] = [1, 2, 4].map(|bit| (case + case / 8) & bit != 0);
            // These give more than 0 for 0, after the channels as well.
            let channels = if matches!(function, 7 | 8 | 11 | 15) { 24 } else { channels };
            let mut map = Rows::random(kind, pictures * places, channels, 1);
            map.numbers = kind.numbers(&kind.bytes(&map.numbers.iter().map(|x| x * 3.0).collect::<Vec<_>>()));
            let (scale, shift) =
                (Rows::random(Kind::F32, 1, channels, 2), Rows::random(Kind::F32, 1, channels, 3));
            let (added, gates) = (
                Rows::random(kind, pictures * places, channels, 4),
                Rows::random(kind, pictures, channels, 5),
            );
            let mut rig = Rig::new();
            let arguments = Map {
                input: rig.put_rows(kind, &map),
                out: 0,
                scale: if affine { rig.put_rows(Kind::F32, &scale) } else { 0 },
                shift: if affine { rig.put_rows(Kind::F32, &shift) } else { 0 },
                other: if other { rig.put_rows(kind, &added) } else { 0 },
                gate: if gate { rig.put_rows(kind, &gates) } else { 0 },
                rows: int(pictures * places),
                places: int(places),
                stride: int(map.stride),
                function: Function { activation: function, first: 0.25, second: 0.75 },
            };
            let count = map.numbers.len();
            let got =
                rig.run(&kind.kernel("map"), items(count / 8), (kind, count), |out| Map { out, ..arguments });
            let what = format!("map with {function}, {affine}, {other}, {gate}");
            // Between its operations numbers are as they would be stored.
            let stored = |x: f64| f64::from(kind.numbers(&kind.bytes(&[x as f32]))[0]);
            check(&what, kind, &got, (map.stride, channels), |row, channel| {
                let mut x = map.at(row, channel);
                if affine {
                    x = x * scale.at(0, channel) + shift.at(0, channel);
                }
                if other {
                    x = stored(x) + added.at(row, channel);
                }
                if gate {
                    x = stored(x) * gates.at(row / places, channel);
                }
                activation(function, if function == 0 { x } else { stored(x) })
            });
        }
    }
}

#[test]
fn pictures_are_looked_up() {
    let table: Vec<f32> = (0..768).map(|i| ((i * 37 % 768) as f32 - 300.0) / 100.0).collect();
    for kind in Kind::ALL {
        // With pictures that begin at 16 bytes, and that do not.
        for (places, stride, reversed, before) in
            [(1usize, 4, 0, 0), (2048, 8, 1, 0), (5000, 4, 1, 3), (4099, 8, 0, 0), (77, 4, 1, 48)]
        {
            let mut rig = Rig::new();
            let bytes: Vec<u8> = (0..before + 3 * places).map(|i| (i * i / 7 + i) as u8).collect();
            let (pixels, rounded) = (rig.put(&bytes), rig.put_f32(&table));
            let launch = [places.div_ceil(2048), 256, 9216];
            let got = rig.run(&kind.kernel("normalise"), launch, (kind, places * stride), |out| Normalise {
                pixels: pixels + before as u64,
                table: rounded,
                out,
                places: int(places),
                stride: int(stride),
                reversed,
                unused: 0,
            });
            check("normalise", kind, &got, (stride, 3), |place, channel| {
                let at = if reversed == 1 { 2 - channel } else { channel };
                f64::from(table[256 * channel + usize::from(bytes[before + 3 * place + at])])
            });
        }
    }
}
