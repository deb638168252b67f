//! Depthwise convolution, pooling, and means over cells.

use crate::rig::{Kind, Rig, Rows, check, int, items};
use engine::cuda::arguments::{Depthwise, Function, Mean, Pool};

const SIZES: [(usize, usize); 4] = [(1, 1), (5, 7), (14, 14), (9, 16)];
const CHANNELS: [usize; 5] = [3, 8, 20, 24, 96];
const PICTURES: usize = 2;

/// Windows down and across.
#[derive(Clone, Copy, Debug)]
struct Window {
    kernel: (usize, usize),
    step: (usize, usize),
    /// Above and below, and before and behind.
    pad: [(usize, usize); 2],
    dilation: (usize, usize),
}

impl Window {
    /// The same down and across, seeing neighbours.
    fn square(kernel: usize, step: usize, pad: usize) -> Window {
        Window { kernel: (kernel, kernel), step: (step, step), pad: [(pad, pad); 2], dilation: (1, 1) }
    }

    /// How many there are on a map, where it is large enough for one.
    fn count(&self, (height, width): (usize, usize)) -> Option<(usize, usize)> {
        let along = |length: usize, kernel: usize, step: usize, pad: (usize, usize), dilation: usize| {
            Some((length + pad.0 + pad.1).checked_sub((kernel - 1) * dilation + 1)? / step + 1)
        };
        Some((
            along(height, self.kernel.0, self.step.0, self.pad[0], self.dilation.0)?,
            along(width, self.kernel.1, self.step.1, self.pad[1], self.dilation.1)?,
        ))
    }
}

#[test]
fn depthwise_is_its_definition() {
    let squares = [
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
    ]
    .map(|(kernel, step, pad)| Window::square(kernel, step, pad));
    let others = [
        // Padding at the end alone, as Keras has it, through the tiles.
        Window { pad: [(0, 1), (0, 1)], ..Window::square(3, 2, 0) },
        Window { pad: [(2, 0), (1, 3)], ..Window::square(5, 1, 0) },
        // As one of the tiled kernels across, and not down.
        Window { kernel: (1, 7), pad: [(0, 0), (3, 3)], ..Window::square(7, 1, 0) },
        Window { step: (1, 2), ..Window::square(3, 1, 1) },
        Window { dilation: (2, 1), pad: [(2, 2), (1, 1)], ..Window::square(3, 1, 1) },
        Window { dilation: (1, 3), pad: [(2, 2), (7, 5)], ..Window::square(5, 1, 2) },
        // Farther than the map is wide.
        Window { dilation: (20, 20), ..Window::square(3, 1, 20) },
    ];
    for kind in Kind::ALL {
        for window in squares.iter().chain(&others) {
            for (i, (height, width)) in SIZES.into_iter().enumerate() {
                for channels in CHANNELS.into_iter().skip(i % 2).step_by(2).chain((i == 1).then_some(136)) {
                    if let Some(size) = window.count((height, width)) {
                        depthwise(kind, channels, (height, width), size, *window);
                    }
                }
            }
        }
    }
}

fn depthwise(
    kind: Kind,
    channels: usize,
    (height, width): (usize, usize),
    (rows, columns): (usize, usize),
    window: Window,
) {
    let Window { kernel, step, pad: [(top, _), (left, _)], dilation } = window;
    let mut rig = Rig::new();
    let map = Rows::random(kind, PICTURES * height * width, channels, 1);
    let weights = Rows::random(Kind::F32, kernel.0 * kernel.1, channels, 2);
    let bias = Rows::random(Kind::F32, 1, channels, 3);
    let stride = map.stride;
    let arguments = Depthwise {
        input: rig.put_rows(kind, &map),
        weights: rig.put_rows(Kind::F32, &weights),
        bias: rig.put_rows(Kind::F32, &bias),
        in_height: int(height),
        in_width: int(width),
        out_height: int(rows),
        out_width: int(columns),
        stride: int(stride),
        kernel_y: int(kernel.0),
        kernel_x: int(kernel.1),
        step_y: int(step.0),
        step_x: int(step.1),
        pad_y: int(top),
        pad_x: int(left),
        dilation_y: int(dilation.0),
        dilation_x: int(dilation.1),
        function: Function { activation: 1, ..Function::default() },
        ..Depthwise::default()
    };
    let alike = kernel.0 == kernel.1 && step.0 == step.1 && dilation == (1, 1);
    let square = if alike { (kernel.0, step.0) } else { (0, 0) };
    let wide = matches!(square, (5 | 7, 1));
    let (high, broad) = match square {
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
        for tap in 0..kernel.0 * kernel.1 {
            let y = y * step.0 + tap / kernel.1 * dilation.0;
            let x = x * step.1 + tap % kernel.1 * dilation.1;
            if (top..top + height).contains(&y) && (left..left + width).contains(&x) {
                let place = (picture * height + y - top) * width + x - left;
                sum += map.at(place, channel) * weights.at(tap, channel);
            }
        }
        sum.max(0.0)
    });
}

#[test]
fn pools_see_what_is_inside_the_map() {
    let plain = |kernel, step, pad| Window::square(kernel, step, pad);
    // And how far the last window sticks out.
    for (window, beyond) in [
        (plain(3, 2, 1), 0),
        (plain(2, 2, 0), 1),
        (plain(3, 2, 0), 1),
        (plain(3, 2, 1), 1),
        (plain(3, 1, 1), 0),
        (plain(5, 1, 2), 0),
        (Window { kernel: (2, 3), step: (1, 2), pad: [(1, 0), (0, 2)], ..plain(1, 1, 0) }, 0),
    ] {
        for (kind, channels) in
            Kind::ALL.into_iter().flat_map(|kind| CHANNELS.map(|channels| (kind, channels)))
        {
            for (height, width) in [(5, 7), (14, 14), (9, 16)] {
                for (average, counts) in [(false, false), (true, false), (true, true)] {
                    pool(kind, channels, (height, width), (window, beyond), (average, counts));
                }
            }
        }
    }
}

fn pool(
    kind: Kind,
    channels: usize,
    (height, width): (usize, usize),
    (window, beyond): (Window, usize),
    (average, counts): (bool, bool),
) {
    let Window { kernel, step, pad, .. } = window;
    let (rows, columns) = window.count((height + beyond, width + beyond)).unwrap();
    let map = Rows::random(kind, PICTURES * height * width, channels, 4);
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
        kernel_y: int(kernel.0),
        kernel_x: int(kernel.1),
        step_y: int(step.0),
        step_x: int(step.1),
        pad_y: int(pad[0].0),
        pad_x: int(pad[1].0),
        end_y: int(pad[0].1),
        end_x: int(pad[1].1),
        average: average.into(),
        counts_padding: counts.into(),
    });
    let what = format!("pool {window:?}, {average}, {counts}");
    check(&what, kind, &got, (map.stride, channels), |place, channel| {
        let (picture, y, x) = (place / (rows * columns), place / columns % rows, place % columns);
        // Counted from the first place of the padding; what lies behind it is no part of a window.
        let seen = |at: usize, step: usize, kernel: usize, length: usize, pad: (usize, usize)| {
            (at * step..at * step + kernel).filter(move |at| *at < pad.0 + length + pad.1)
        };
        let mut numbers = Vec::new();
        for y in seen(y, step.0, kernel.0, height, pad[0]) {
            for x in seen(x, step.1, kernel.1, width, pad[1]) {
                let inside =
                    (pad[0].0..pad[0].0 + height).contains(&y) && (pad[1].0..pad[1].0 + width).contains(&x);
                if inside {
                    let place = (picture * height + y - pad[0].0) * width + x - pad[1].0;
                    numbers.push(map.at(place, channel));
                } else if counts {
                    numbers.push(0.0);
                }
            }
        }
        if average {
            numbers.iter().sum::<f64>() / numbers.len() as f64
        } else {
            numbers.into_iter().fold(f64::NEG_INFINITY, f64::max)
        }
    });
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
        kernel_y: 2,
        kernel_x: 2,
        step_y: 2,
        step_x: 2,
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
