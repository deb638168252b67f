//! A sample of every campaign, the same each time; `make chaos` is all of them.

use chaos::{DAMAGES, JOBS, Shop, Tally, damage, moments, pictures, some_faults, works_here};

/// Drawn once; a bad case prints the line that reproduces it.
const SEED: u64 = 13;

/// Whether there is anything to do here; says so where there is not.
fn here() -> bool {
    if !works_here() {
        #[expect(clippy::print_stdout, reason = "a test that did nothing should say so")]
        {
            println!("skipped: library calls can only be disturbed on Linux with glibc");
        }
    }
    works_here()
}

/// Everything is run before anything is complained of, so that one look shows all.
#[track_caller]
fn all_fine(tallies: impl Iterator<Item = Tally>) {
    let tallies: Vec<Tally> = tallies.collect();
    assert!(tallies.iter().all(|tally| tally.tried() > 0), "something was not tried: {tallies:?}");
    let bad: Vec<&str> = tallies.iter().flat_map(|tally| &tally.bad).map(String::as_str).collect();
    assert!(
        bad.is_empty(),
        "{} cases are bad; from `target/release`, each again by its line:\n{}",
        bad.len(),
        bad.join("\n")
    );
}

#[test]
fn a_call_that_fails_loses_nothing() {
    if here() {
        let shop = Shop::new();
        all_fine(JOBS.iter().map(|job| some_faults(&shop, job, false, 50, SEED)));
    }
}

#[test]
fn a_call_that_fails_loses_nothing_that_was_to_be_replaced() {
    if here() {
        let shop = Shop::new();
        all_fine(JOBS.iter().map(|job| some_faults(&shop, job, true, 50, SEED)));
    }
}

#[test]
fn kills_and_signals_at_any_moment_lose_nothing() {
    if here() {
        let shop = Shop::new().with_all_threads();
        let cases = JOBS.iter().flat_map(|job| [(job, 9), (job, 2), (job, 15)]);
        all_fine(cases.map(|(job, signal)| moments(&shop, job, signal == 9, signal, (6, SEED))));
    }
}

#[test]
fn damaged_inputs_are_refused_in_a_line() {
    if here() {
        let shop = Shop::new();
        all_fine(DAMAGES.iter().map(|kind| damage(&shop, kind, 40, SEED)));
    }
}

#[test]
fn damaged_pictures_are_passed_over() {
    if here() {
        all_fine([pictures(&Shop::new(), 1000, SEED)].into_iter());
    }
}
