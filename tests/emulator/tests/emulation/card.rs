//! The card itself: its memory, and what it refuses to launch.

use emulator::Emulator;
use engine::cuda::{Card, CardError, Launch};

use crate::MEMORY;

#[test]
fn memory_is_limited_and_given_back() {
    let card = Emulator::new(1 << 20);
    assert!(matches!(card.allocate((1 << 20) + 1), Err(CardError::OutOfMemory { asked: 2 })));
    let first = card.allocate(1 << 19).unwrap();
    let second = card.allocate(1000).unwrap();
    assert_eq!(card.address(&second) % 256, 0);
    assert_eq!(card.free().unwrap(), (1 << 19) - 1024);
    assert!(matches!(card.allocate(1 << 19), Err(CardError::OutOfMemory { asked: 1 })));
    assert_eq!(card.download(&second, 0, 1000), [0xff; 1000]);
    drop(first);
    drop(second);
    assert_eq!(card.free().unwrap(), 1 << 20);
    assert!(card.allocate(1 << 20).is_ok());
}

#[test]
fn staged_copies() {
    let card = Emulator::new(MEMORY);
    let memory = card.allocate(10).unwrap();
    let mut staging = card.staging(10).unwrap();
    staging.copy_from_slice(b"0123456789");
    card.copy_in(&staging, 4, &memory).unwrap();
    card.upload(b"xy", &memory, 8).unwrap();
    staging.fill(0);
    card.copy_out(&memory, &mut staging, 9).unwrap();
    assert_eq!(staging, b"0123\xff\xff\xff\xffx\0");
}

#[test]
fn launches_are_checked() {
    let card = Emulator::new(MEMORY);
    let good = Launch {
        kernel: "probe_mistake",
        blocks: [1; 3],
        threads: 64,
        shared: 227 << 10,
        arguments: &[255; 32],
    };
    card.launch(&good).unwrap();
    for (wrong, says) in [
        (Launch { kernel: "none", ..good }, "named symbol not found"),
        (Launch { arguments: &[0; 31], ..good }, "31 bytes of arguments instead of 32"),
        (Launch { blocks: [1, 0, 1], ..good }, "[1, 0, 1] blocks"),
        (Launch { blocks: [1, 1, 65_536], ..good }, "[1, 1, 65536] blocks"),
        (Launch { threads: 96, ..good }, "96 threads, for a kernel of at most 64"),
        (Launch { threads: 33, ..good }, "33 threads"),
        (Launch { threads: 0, ..good }, "0 threads"),
        (Launch { shared: (227 << 10) + 1, ..good }, "232449 bytes of shared memory"),
    ] {
        match card.launch(&wrong) {
            Err(CardError::Driver { what, .. }) => assert!(what.contains(says), "{what}"),
            other => panic!("{says}: {other:?}"),
        }
    }
}
