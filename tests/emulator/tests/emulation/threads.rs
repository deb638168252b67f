//! What threads do together.

use std::collections::HashSet;

use emulator::Emulator;

use crate::{MEMORY, Probe, noise, upload, words};

#[test]
fn matrices_are_loaded_by_rows() {
    let card = Emulator::new(MEMORY);
    let given = noise(32 * 4);
    let number = |row: usize, column: usize| given[row * 4 + column / 2] >> (16 * (column % 2)) & 0xffff;
    for (mode, seed) in [(0, 0), (0, 7), (1, 0), (1, 7)] {
        card.set_order(seed);
        let (input, out) = (upload(&card, &given), upload(&card, &[0; 128]));
        let probe = Probe { input: Some(&input), out: Some(&out), mode, ..Probe::default() };
        probe.launch(&card, "probe_load", [1, 1, 1], 32, 512).unwrap();
        let got = words(&card, &out, 128);
        for (lane, matrix) in (0..32).flat_map(|lane| (0..4).map(move |matrix| (lane, matrix))) {
            let (g, t) = (lane / 4, lane % 4);
            let at = |i: usize, j: usize| {
                if mode == 0 { number(8 * matrix + i, j) } else { number(8 * matrix + j, i) }
            };
            assert_eq!(
                got[lane * 4 + matrix],
                at(g, 2 * t) | at(g, 2 * t + 1) << 16,
                "lane {lane}, mode {mode}"
            );
        }
    }
}

#[test]
fn lanes_exchange_numbers_within_their_warp() {
    let card = Emulator::new(MEMORY);
    let given = noise(96);
    for mode in [1, 2, 16, 31, 32] {
        let (input, out) = (upload(&card, &given), upload(&card, &[0; 96]));
        let probe = Probe { input: Some(&input), out: Some(&out), mode, ..Probe::default() };
        probe.launch(&card, "probe_shuffle", [1, 1, 1], 96, 0).unwrap();
        let partner = |i: usize| if mode < 32 { i ^ mode as usize } else { i };
        let wanted: Vec<u32> = (0..96).map(|i| given[partner(i)]).collect();
        assert_eq!(words(&card, &out, 96), wanted, "mode {mode}");
    }
}

#[test]
fn copies_are_done_when_they_are_waited_for() {
    let card = Emulator::new(MEMORY);
    let given = noise(64 * 8);
    let fresh = u32::MAX;
    for mode in [0, 1] {
        let (input, out) = (upload(&card, &given), upload(&card, &[0; 64 * 5]));
        let probe = Probe { input: Some(&input), out: Some(&out), mode, ..Probe::default() };
        probe.launch(&card, "probe_copies", [1, 1, 1], 64, 2048).unwrap();
        for (thread, got) in words(&card, &out, 64 * 5).chunks(5).enumerate() {
            let first = given[8 * thread + 3];
            let second = if mode == 0 { given[8 * thread + 4] } else { 0 };
            assert_eq!(got, [fresh, first, fresh, first, second], "thread {thread}, mode {mode}");
        }
    }
    // With a seed some are early.
    card.set_order(1);
    let (input, out) = (upload(&card, &given), upload(&card, &[0; 64 * 5]));
    let probe = Probe { input: Some(&input), out: Some(&out), ..Probe::default() };
    probe.launch(&card, "probe_copies", [1, 1, 1], 64, 2048).unwrap();
    let early: HashSet<bool> = words(&card, &out, 64 * 5).chunks(5).map(|got| got[0] != fresh).collect();
    assert_eq!(early.len(), 2);
}

#[test]
fn a_forgotten_barrier_is_seen_in_another_order() {
    let card = Emulator::new(MEMORY);
    let given = noise(256);
    for (mode, count) in [(0, 3), (1, 1), (2, 3)] {
        let right = (0..20).filter(|&seed| {
            card.set_order(seed);
            let (input, out) = (upload(&card, &given), upload(&card, &[0; 256]));
            let probe = Probe { input: Some(&input), out: Some(&out), count, mode, ..Probe::default() };
            probe.launch(&card, "probe_barrier", [1, 1, 1], 256, 1024).unwrap();
            words(&card, &out, 256).iter().eq(given.iter().rev())
        });
        let right = right.count();
        assert!(if mode == 0 { right == 20 } else { right < 5 }, "mode {mode}: {right} of 20");
    }
}

#[test]
fn every_thread_of_every_block_runs_once() {
    let card = Emulator::new(MEMORY);
    for seed in 0..4 {
        card.set_order(seed);
        let (blocks, threads) = ([5, 3, 2], 64);
        let count = 5 * 3 * 2 * 64 * 4;
        let out = upload(&card, &vec![0; count]);
        let probe = Probe { out: Some(&out), ..Probe::default() };
        probe.launch(&card, "probe_places", blocks, threads, 0).unwrap();
        let got = words(&card, &out, count);
        let places = (0..2).flat_map(|z| (0..3).flat_map(move |y| (0..5).map(move |x| [x, y, z])));
        let wanted: Vec<u32> = places
            .flat_map(|[x, y, z]| (0..64).flat_map(move |thread| [x + 1, y + 1, z + 1, thread + 1]))
            .collect();
        assert_eq!(got, wanted);
    }
}
