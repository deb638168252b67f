//! `chaos`: every campaign, or one case of one, as the line of a bad case names it.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a table is what it is for")]

use chaos::{
    DAMAGES, Damage, JOBS, Job, SHARDS, Shop, Tally, damage, every_fault, fault, moment, moments, pictures,
    stopped_again, works_here,
};
use std::{env, process::ExitCode, time::Duration};

const USAGE: &str = "\
chaos [NAME…]                       every campaign, or those of these jobs, damages, or `pictures`
chaos JOB[+f] FUNCTION:N:WHAT       one fault; +f: over an older output, with --force or --update
chaos JOB[+f] signal:SIGNAL:US      one signal, so many microseconds after the start
chaos JOB again:SIGNAL:N            stopped until it ends
chaos DAMAGE|pictures seed:N        one damaged input, or one run of damaged pictures
CHAOS_SEED changes what is drawn.";

/// Calls of each function that fail in each way.
const CALLS: u64 = 400;
/// Kills and signals of each kind at drawn moments, a job.
const MOMENTS: usize = 40;
/// Runs of many shards that are stopped until they end, for each kind of signal.
const ROUNDS: u64 = 10;
/// Damaged files of each kind.
const DAMAGED: u64 = 400;
const PICTURES: u64 = 20_000;
const SIGNALS: [i32; 3] = [9, 2, 15];

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if !works_here() {
        println!("chaos: skipped: library calls can only be disturbed on Linux with glibc");
        return ExitCode::SUCCESS;
    }
    let tallies = match words[..] {
        [name, case] if case.contains(':') => match one(name, case) {
            Some(tally) => vec![tally],
            None => {
                println!("{USAGE}");
                return ExitCode::from(2);
            }
        },
        _ => all(&words),
    };
    let bad: usize = tallies.iter().map(|tally| tally.bad.len()).sum();
    println!("{} cases, {bad} of them bad", tallies.iter().map(Tally::tried).sum::<u64>());
    ExitCode::from(u8::from(bad > 0))
}

/// One case.
fn one(name: &str, case: &str) -> Option<Tally> {
    let shop = Shop::new();
    let (kind, rest) = case.split_once(':')?;
    if kind == "seed" {
        let seed = rest.parse().ok()?;
        return match name {
            "pictures" => Some(pictures(&shop, 1, seed)),
            _ => Some(damage(&shop, Damage::named(name)?, 1, seed)),
        };
    }
    let (job, force) = (Job::named(name.trim_end_matches("+f"))?, name.ends_with("+f"));
    if kind == "again" {
        let (signal, seed) = rest.split_once(':')?;
        return Some(stopped_again(&shop, job, signal.parse().ok()?, (1, seed.parse().ok()?)));
    }
    if kind == "signal" {
        let (signal, after) = rest.split_once(':')?;
        let after = Duration::from_micros(after.parse().ok()?);
        return Some(moment(&shop, job, force, signal.parse().ok()?, after));
    }
    Some(fault(&shop, job, force, &case.parse().ok()?))
}

/// Every campaign of these names, or every one there is.
fn all(names: &[&str]) -> Vec<Tally> {
    let seed = env::var("CHAOS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(13);
    println!("seed {seed}\n{}", Tally::head());
    let wanted = |name: &str| names.is_empty() || names.contains(&name);
    let mut tallies = Vec::new();
    let mut done = |tally: Tally| {
        println!("{tally}");
        tallies.push(tally);
    };
    let shop = Shop::new();
    for job in JOBS.iter().filter(|job| wanted(job.name)) {
        for force in [false, true] {
            done(every_fault(&shop, job, force, CALLS));
        }
    }
    // Signals come whenever they like, so calls may as well come in any order.
    let shop = shop.with_all_threads();
    for job in JOBS.iter().filter(|job| wanted(job.name)) {
        for force in [false, true] {
            for signal in SIGNALS {
                done(moments(&shop, job, force, signal, (MOMENTS, seed)));
            }
        }
    }
    if wanted(SHARDS.name) {
        for signal in SIGNALS {
            done(stopped_again(&shop, &SHARDS, signal, (ROUNDS, seed)));
        }
    }
    let shop = Shop::new();
    for kind in DAMAGES.iter().filter(|kind| wanted(kind.name)) {
        done(damage(&shop, kind, DAMAGED, seed));
    }
    if wanted("pictures") {
        done(pictures(&shop, PICTURES, seed));
    }
    tallies
}
