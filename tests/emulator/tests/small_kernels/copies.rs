//! Copies between rows, merged places, and places in one row.

use crate::rig::{Kind, Rig, Rows, check, int, items};
use engine::cuda::arguments::{Copy, Flatten, Merge, Select};

/// Rows `from` on of pictures of `in_rows`, to rows `to` on of pictures of `out_rows`, at `first`.
#[derive(Clone, Copy, Debug)]
struct Case {
    rows: usize,
    channels: usize,
    /// Of the input: more than are copied, where they are fewer.
    in_channels: usize,
    in_rows: usize,
    from: usize,
    out_rows: usize,
    to: usize,
    out_stride: usize,
    first: usize,
    fill: bool,
    table: bool,
    zeros: bool,
}

const PLAIN: Case = Case {
    rows: 6,
    channels: 24,
    in_channels: 24,
    in_rows: 6,
    from: 0,
    out_rows: 6,
    to: 0,
    out_stride: 24,
    first: 0,
    fill: false,
    table: false,
    zeros: false,
};

#[test]
fn copies_are_of_rows() {
    let cases = [
        PLAIN,
        // One token of seven.
        Case { rows: 1, from: 3, in_rows: 7, out_rows: 1, ..PLAIN },
        // Tokens with positions, after others.
        Case { table: true, out_rows: 8, to: 2, ..PLAIN },
        Case { table: true, zeros: true, out_rows: 8, to: 2, ..PLAIN },
        Case { table: true, channels: 13, in_channels: 13, out_stride: 16, fill: true, ..PLAIN },
        // Parts of a concatenation.
        Case { first: 8, out_stride: 40, ..PLAIN },
        Case { first: 3, channels: 20, in_channels: 20, out_stride: 40, ..PLAIN },
        Case { first: 3, channels: 20, in_channels: 20, out_stride: 40, fill: true, ..PLAIN },
        Case { first: 5, channels: 2, in_channels: 2, out_stride: 8, ..PLAIN },
        Case { first: 5, channels: 2, in_channels: 2, out_stride: 16, fill: true, ..PLAIN },
        Case { first: 4, channels: 96, in_channels: 96, out_stride: 104, fill: true, ..PLAIN },
        // Fewer channels than there are.
        Case { channels: 9, in_channels: 30, out_stride: 16, fill: true, ..PLAIN },
    ];
    for (kind, case) in Kind::ALL.into_iter().flat_map(|kind| cases.map(|case| (kind, case))) {
        for (in_f32, out_f32) in [(false, false), (true, false), (false, true)] {
            copies(kind, case, in_f32, out_f32);
        }
    }
}

fn copies(kind: Kind, case: Case, in_f32: bool, out_f32: bool) {
    let pictures = 3;
    let (read, stored) = (if in_f32 { Kind::F32 } else { kind }, if out_f32 { Kind::F32 } else { kind });
    let input = Rows::random(read, pictures * case.in_rows, case.in_channels, 1);
    let table: Vec<f32> = crate::rig::random(case.rows * case.channels, 2);
    let (stride, end) = (case.out_stride, case.first + case.channels);
    let written = if case.fill { stride } else { end };
    let mut rig = Rig::new();
    let arguments = Copy {
        input: if case.zeros { 0 } else { rig.put_rows(read, &input) },
        out: 0,
        table: if case.table { rig.put_f32(&table) } else { 0 },
        pictures: int(pictures),
        rows: int(case.rows),
        channels: int(case.channels),
        in_rows: int(case.in_rows),
        from: int(case.from),
        in_stride: int(input.stride),
        out_rows: int(case.out_rows),
        to: int(case.to),
        out_stride: int(stride),
        out_first: int(case.first),
        fill: case.fill.into(),
        in_f32: in_f32.into(),
        out_f32: out_f32.into(),
        unused: 0,
    };
    let launch = items(pictures * case.rows * (written.div_ceil(8) - case.first / 8));
    let count = pictures * case.out_rows * stride;
    let got = rig.run(&kind.kernel("copy"), launch, (stored, count), |out| Copy { out, ..arguments });
    for (row, numbers) in got.chunks_exact(stride).enumerate() {
        let (picture, row) = (row / case.out_rows, row % case.out_rows);
        let there = (case.to..case.to + case.rows).contains(&row);
        let untouched = |at: usize| !there || at < case.first || at >= written;
        for (at, x) in numbers.iter().enumerate() {
            // The card's memory is full of what is no number at first.
            assert_eq!(x.is_nan(), untouched(at), "{case:?}, {kind:?}: number {at} of row {row}");
        }
        if there {
            let row = row - case.to;
            let whole: Vec<f32> = numbers[case.first..written].to_vec();
            check(
                &format!("{case:?}"),
                stored,
                &whole,
                (written - case.first, case.channels),
                |_, channel| {
                    let x = if case.zeros {
                        0.0
                    } else {
                        input.at(picture * case.in_rows + case.from + row, channel)
                    };
                    x + if case.table { f64::from(table[row * case.channels + channel]) } else { 0.0 }
                },
            );
        }
    }
}

#[test]
fn neighbours_are_merged() {
    let pictures = 2;
    for (kind, channels) in
        Kind::ALL.into_iter().flat_map(|kind| [3, 8, 20, 24, 96].map(|channels| (kind, channels)))
    {
        for (height, width) in [(1, 1), (5, 7), (14, 14), (4, 3)] {
            let map = Rows::random(kind, pictures * height * width, channels, 1);
            let (rows, columns, stride) =
                (height.div_ceil(2), width.div_ceil(2), (4 * channels).next_multiple_of(8));
            let mut rig = Rig::new();
            let input = rig.put_rows(kind, &map);
            let count = pictures * rows * columns * stride;
            let got = rig.run(&kind.kernel("merge"), items(count / 8), (kind, count), |out| Merge {
                input,
                out,
                pictures: int(pictures),
                in_height: int(height),
                in_width: int(width),
                channels: int(channels),
                in_stride: int(map.stride),
                out_stride: int(stride),
            });
            check("merge", kind, &got, (stride, 4 * channels), |place, number| {
                let (picture, y, x) = (place / (rows * columns), place / columns % rows, place % columns);
                let (dy, dx) = [(0, 0), (1, 0), (0, 1), (1, 1)][number / channels];
                let (y, x) = (2 * y + dy, 2 * x + dx);
                let inside = y < height && x < width;
                if inside { map.at((picture * height + y) * width + x, number % channels) } else { 0.0 }
            });
        }
    }
}

#[test]
fn places_are_flattened_channels_first_or_places_first() {
    let pictures = 3;
    for (kind, channels) in
        Kind::ALL.into_iter().flat_map(|kind| [3, 8, 20, 96].map(|channels| (kind, channels)))
    {
        for (places, in_f32, out_f32, by_place) in [
            (1, false, false, false),
            (35, false, false, false),
            (49, true, false, false),
            (36, false, true, false),
            (35, false, true, true),
        ] {
            let (read, stored) =
                (if in_f32 { Kind::F32 } else { kind }, if out_f32 { Kind::F32 } else { kind });
            let map = Rows::random(read, pictures * places, channels, 1);
            let stride = (channels * places).next_multiple_of(8);
            let mut rig = Rig::new();
            let input = rig.put_rows(read, &map);
            let count = pictures * stride;
            let got = rig.run(&kind.kernel("flatten"), items(count / 8), (stored, count), |out| Flatten {
                input,
                out,
                pictures: int(pictures),
                places: int(places),
                channels: int(channels),
                in_stride: int(map.stride),
                out_stride: int(stride),
                in_f32: in_f32.into(),
                out_f32: out_f32.into(),
                by_place: by_place.into(),
            });
            check("flatten", stored, &got, (stride, channels * places), |picture, number| match by_place {
                true => map.at(picture * places + number / channels, number % channels),
                false => map.at(picture * places + number % places, number / places),
            });
        }
    }
}

#[test]
fn channels_are_selected() {
    let rows = 15;
    for kind in Kind::ALL {
        // Channels that there are, the first that is taken, how many, and in how many groups they lay.
        for (all, first, channels, groups) in [
            (24, 0, 24_usize, 1),
            (40, 8, 24, 1),
            (40, 3, 21, 1),
            (24, 0, 24, 2),
            (20, 0, 20, 5),
            (58, 29, 29, 1),
        ] {
            let map = Rows::random(kind, rows, all, 1);
            let stride = channels.next_multiple_of(8);
            let mut rig = Rig::new();
            let input = rig.put_rows(kind, &map);
            let count = rows * stride;
            let got = rig.run(&kind.kernel("select"), items(count / 8), (kind, count), |out| Select {
                input,
                out,
                rows: int(rows),
                channels: int(channels),
                first: int(first),
                groups: int(groups),
                in_stride: int(map.stride),
                out_stride: int(stride),
            });
            // numpy's x[first:][:channels].reshape(groups, -1).T.
            let each = channels / groups;
            check("select", kind, &got, (stride, channels), |row, channel| {
                map.at(row, first + channel % groups * each + channel / groups)
            });
        }
    }
}
