//! How many threads a tool works with.

use crate::{UsageError, count};
use std::{env, num::NonZeroUsize, thread};

/// rayon's variable, which other programs heed too.
const VARIABLE: &str = "RAYON_NUM_THREADS";
/// More is a slip of the finger.
const MOST: usize = 1024;
/// Threads that a core may have at most: more only take turns. Results are the same bits for any number.
const PER_CORE: usize = 4;
/// So many may be had on every machine.
const ALWAYS: usize = 16;

/// Starts the threads that everything runs on; gives a line to be said where they are fewer than was asked for.
///
/// # Errors
/// [`UsageError`] for a number out of range, or no number; where the system has no more threads.
pub(crate) fn start(given: Option<usize>) -> anyhow::Result<Option<String>> {
    let asked = match given {
        Some(number) => Some(("--threads", checked("--threads", &number.to_string(), Some(number))?)),
        None => of_environment()?.map(|number| (VARIABLE, number)),
    };
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let most = (PER_CORE * cores).max(ALWAYS);
    let number = asked.map_or(cores, |(_, number)| number.min(most));
    rayon::ThreadPoolBuilder::new()
        .num_threads(number)
        .build_global()
        .map_err(|error| anyhow::anyhow!("cannot start {number} threads: {error}"))?;
    Ok(asked.filter(|(_, asked)| *asked > number).map(|(name, asked)| {
        let asked = count(asked as u64);
        format!("{name} {asked}: this machine has {cores} cores, so {number} threads are used")
    }))
}

/// As rayon reads it: empty or 0 is not set.
fn of_environment() -> Result<Option<usize>, UsageError> {
    let Some(text) = env::var_os(VARIABLE) else { return Ok(None) };
    let text = text.to_string_lossy();
    match text.parse() {
        Ok(0) => Ok(None),
        _ if text.is_empty() => Ok(None),
        number => checked(VARIABLE, &text, number.ok()).map(Some),
    }
}

fn checked(name: &str, text: &str, number: Option<usize>) -> Result<usize, UsageError> {
    match number {
        Some(number) if (1..=MOST).contains(&number) => Ok(number),
        _ => Err(UsageError(format!("{name} takes a number from 1 to {MOST}, got {text}"))),
    }
}
