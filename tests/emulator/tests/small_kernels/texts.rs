//! Rows of tables, vectors of texts, roots of mean squares, and numbers turned by places.

use crate::rig::{Kind, Rig, Rows, check, int, items, random};
use engine::cuda::arguments::{Gather, Lookup, RootMean, Rotary};

fn put_i32(rig: &mut Rig, numbers: &[i32]) -> u64 {
    rig.put(bytemuck::cast_slice(numbers))
}

#[test]
fn tokens_take_rows_of_a_table() {
    let rows = [4, 0, 0, 6, 2, 5, 6];
    for kind in Kind::ALL {
        let (mut rig, table) = (Rig::new(), Rows::random(kind, 7, 21, 1));
        let arguments = Lookup {
            table: rig.put_rows(kind, &table),
            row: put_i32(&mut rig, &rows),
            tokens: int(rows.len()),
            stride: int(table.stride),
            ..Default::default()
        };
        let count = rows.len() * table.stride;
        let got = rig
            .run(&kind.kernel("lookup"), items(count / 8), (kind, count), |out| Lookup { out, ..arguments });
        check("lookup", kind, &got, (table.stride, 21), |at, channel| table.at(rows[at] as usize, channel));
    }
}

#[test]
fn texts_become_vectors() {
    // Texts of one token, and of more than a block takes at a time.
    let starts = [0_usize, 1, 4, 44, 45, 300];
    let texts = starts.len() - 1;
    for (kind, channels) in Kind::ALL.into_iter().flat_map(|kind| [5, 64, 300].map(|d| (kind, d))) {
        for (pooling, out_f32) in [(0, false), (1, false), (2, false), (3, false), (2, true), (3, true)] {
            let (mut rig, rows) = (Rig::new(), Rows::random(kind, starts[texts], channels, 3));
            let arguments = Gather {
                input: rig.put_rows(kind, &rows),
                starts: put_i32(&mut rig, &starts.map(int)),
                texts: int(texts),
                stride: int(rows.stride),
                pooling,
                out_f32: i32::from(out_f32),
                ..Default::default()
            };
            let groups = rows.stride / 8;
            let blocks = texts * groups.div_ceil(groups.next_power_of_two().min(32));
            let stored = if out_f32 { Kind::F32 } else { kind };
            let got =
                rig.run(&kind.kernel("gather"), [blocks, 256, 8192], (stored, texts * rows.stride), |out| {
                    Gather { out, ..arguments }
                });
            let what = format!("gather {pooling}");
            check(&what, stored, &got, (rows.stride, channels), |text, channel| {
                let mut of_text = (starts[text]..starts[text + 1]).map(|row| rows.at(row, channel));
                let count = of_text.len() as f64;
                match pooling {
                    0 => of_text.next().unwrap(),
                    1 => of_text.next_back().unwrap(),
                    2 => of_text.sum::<f64>() / count,
                    _ => of_text.fold(f64::MIN, f64::max),
                }
            });
        }
    }
}

#[test]
fn parts_are_over_the_root_of_their_mean_square() {
    // Parts and channels of each: whole groups and others, of half a warp and of a warp, and longer than one reads at once.
    let sizes =
        [(1, 20), (1, 128), (1, 300), (1, 1000), (2, 18), (3, 8), (5, 72), (3, 136), (3, 131), (7, 1)];
    for (kind, (parts, channels)) in Kind::ALL.into_iter().flat_map(|kind| sizes.map(|size| (kind, size))) {
        for (weighted, out_f32) in [(true, false), (true, true), (false, false), (false, true)] {
            let (n, eps) = (5, 1e-3);
            let (mut rig, rows) = (Rig::new(), Rows::random(kind, n, parts * channels, 5));
            let mut weight = random(channels, 6);
            weight.resize(channels.next_multiple_of(8), 0.0);
            let arguments = RootMean {
                input: rig.put_rows(kind, &rows),
                weight: if weighted { rig.put_f32(&weight) } else { 0 },
                rows: int(n),
                parts: int(parts),
                channels: int(channels),
                stride: int(rows.stride),
                eps,
                out_f32: i32::from(out_f32),
                ..Default::default()
            };
            let lanes = if channels <= 128 { 16 } else { 32 };
            let stored = if out_f32 { Kind::F32 } else { kind };
            let got = rig.run(
                &kind.kernel("root_mean"),
                items(n * parts * lanes),
                (stored, n * rows.stride),
                |out| RootMean { out, ..arguments },
            );
            let what = format!("{parts} parts of {channels}");
            check(&what, stored, &got, (rows.stride, parts * channels), |row, channel| {
                let part = channel / channels * channels;
                let squares: f64 = (part..part + channels).map(|at| rows.at(row, at).powi(2)).sum();
                let x = rows.at(row, channel);
                if !weighted {
                    return x / squares.sqrt();
                }
                let root = (squares / channels as f64 + f64::from(eps)).sqrt();
                x / root * f64::from(weight[channel % channels])
            });
        }
    }
}

#[test]
fn heads_turn_by_their_places() {
    let places = [3, 0, 1, 2, 5];
    // Heads, their depth, and how many of their numbers turn.
    let sizes = [(2, 64, 64), (3, 32, 16), (1, 24, 24), (5, 18, 12), (3, 7, 2)];
    for (kind, (heads, depth, turned)) in
        Kind::ALL.into_iter().flat_map(|kind| sizes.map(|size| (kind, size)))
    {
        for neighbours in [false, true] {
            let (mut rig, rows) = (Rig::new(), Rows::random(kind, places.len(), heads * depth, 7));
            let angles = random(6 * turned, 8);
            let arguments = Rotary {
                input: rig.put_rows(kind, &rows),
                angles: rig.put_f32(&angles),
                place: put_i32(&mut rig, &places),
                rows: int(places.len()),
                channels: int(heads * depth),
                stride: int(rows.stride),
                depth: int(depth),
                turned: int(turned),
                neighbours: i32::from(neighbours),
                ..Default::default()
            };
            let count = places.len() * rows.stride;
            let got = rig.run(&kind.kernel("rotary"), items(count / 8), (kind, count), |out| Rotary {
                out,
                ..arguments
            });
            let what = format!("{heads} heads of {depth}, {turned} turned, neighbours: {neighbours}");
            check(&what, kind, &got, (rows.stride, heads * depth), |row, channel| {
                let (at, half) = (channel % depth, turned / 2);
                let x = rows.at(row, channel);
                if at >= turned {
                    return x;
                }
                let (pair, is_second, apart) =
                    if neighbours { (at / 2, at % 2 == 1, 1) } else { (at % half, at >= half, half) };
                let of_place = &angles[places[row] as usize * turned..][..turned];
                let (cosine, sine) = (f64::from(of_place[pair]), f64::from(of_place[half + pair]));
                if is_second {
                    x * cosine + rows.at(row, channel - apart) * sine
                } else {
                    x * cosine - rows.at(row, channel + apart) * sine
                }
            });
        }
    }
}
