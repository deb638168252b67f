//! What kernels may not do ends the process, or panics, with a message that says what and where.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use emulator::Emulator;
use engine::cuda::Card;

use crate::{MEMORY, Probe};

/// Which mistake `makes_a_mistake` makes.
const MODE: &str = "HEADSTART_EMULATOR_MISTAKE";

/// Shared memory of the kernel: not a multiple of what it is rounded to.
const SHARED: i32 = 1040;

#[test]
#[ignore = "ends its process; the tests below start it"]
fn makes_a_mistake() {
    let mode = std::env::var(MODE).unwrap().parse().unwrap();
    let card = Emulator::new(MEMORY);
    let (input, out) = (card.allocate(64).unwrap(), card.allocate(4).unwrap());
    let probe = Probe { input: Some(&input), out: Some(&out), count: SHARED, mode, ..Probe::default() };
    // Nobody looks into the result: what is wrong has been said by then.
    let _ = probe.launch(&card, "probe_mistake", [1, 2, 1], 64, SHARED.unsigned_abs());
}

/// The mistake ends a process of its own, which says each of `says`.
fn check(mode: i32, says: &[&str]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mistakes::makes_a_mistake", "--ignored", "--nocapture"])
        .env(MODE, mode.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "mistake {mode} was not found");
    for says in says.iter().chain(&["kernel `probe_mistake`"]) {
        assert!(text.contains(says), "mistake {mode}: {text}");
    }
}

#[test]
fn barriers_that_threads_do_not_reach() {
    check(0, &["block (0, ", "63 threads wait at __syncthreads and 1 of 64 have ended"]);
    check(1, &["31 lanes wait at shuffle_xor", "33 of 64 have ended"]);
    check(17, &["31 lanes wait at __syncwarp, 1 threads wait at __syncthreads and 32 of 64 have ended"]);
    check(10, &["while other lanes of its warp are at"]);
}

#[test]
fn addresses_that_are_not_aligned() {
    check(2, &["copy16 to 0x", "no multiple of 16"]);
    check(3, &["copy16 from 0x", "no multiple of 16"]);
    check(4, &["thread 1: load_matrices of a row at 0x", "no multiple of 16"]);
}

#[test]
fn shared_memory_that_was_not_asked_for() {
    check(5, &["thread 33: load_matrices of a row at byte 1056 of 1040 of shared memory"]);
    check(6, &["wrote behind the 1040 bytes of its shared memory"]);
    check(7, &["touches address"]);
    check(8, &["wrote before its shared memory"]);
    check(16, &["copy16 to byte 1040 of 1040 of shared memory"]);
}

#[test]
fn copies_that_nobody_waits_for() {
    check(9, &["thread 0: ends with 1 copies that nobody waited for"]);
    check(18, &["thread 0: ends with 1 copies that nobody waited for"]);
}

#[test]
fn memory_outside_of_what_was_taken() {
    check(11, &["something was written before the 4 bytes at 0x"]);
    check(12, &["something was written behind the 4 bytes at 0x"]);
    check(13, &["touches address"]);
    check(14, &["touches address"]);
    check(15, &["touches address"]);
}

#[test]
fn rust_finds_damage_where_it_is_asked() {
    let card = Emulator::new(MEMORY);
    let (memory, out) = (card.allocate(64).unwrap(), card.allocate(4).unwrap());
    let probe = Probe { input: Some(&memory), out: Some(&out), count: SHARED, mode: 12, ..Probe::default() };
    let launched = catch_unwind(AssertUnwindSafe(|| probe.launch(&card, "probe_mistake", [1; 3], 64, 2048)));
    assert!(launched.is_err());
    // It was said, and what is dropped now is not to blame.
    drop(out);
    let beyond = catch_unwind(AssertUnwindSafe(|| card.upload(&[0; 8], &memory, 60)));
    assert!(beyond.is_err());
}
