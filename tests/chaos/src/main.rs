//! `chaos`: every campaign, or one case of one.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a table is what it is for")]

use chaos::{Fault, JOBS, Job, Shop, Tally, every_fault, fault, works_here};
use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if !works_here() {
        println!("chaos: skipped: library calls can only be disturbed on Linux with glibc");
        return ExitCode::SUCCESS;
    }
    let shop = Shop::new();
    let job = |name: &str| -> Option<(&'static Job, bool)> {
        Some((Job::named(name.trim_end_matches("+f"))?, name.ends_with("+f")))
    };
    let tallies: Vec<Tally> = match words[..] {
        [name, case] if case.contains(':') => {
            let ((job, force), case) = (job(name).unwrap(), case.parse::<Fault>().unwrap());
            vec![fault(&shop, job, force, &case)]
        }
        _ => {
            println!("{}", Tally::head());
            let all = JOBS.iter().flat_map(|job| [(job, false), (job, true)]);
            all.filter(|(job, force)| {
                words.is_empty() || words.contains(&format!("{}{}", job.name, if *force { "+f" } else { "" }).as_str())
            })
            .map(|(job, force)| {
                let tally = every_fault(&shop, job, force, 400);
                println!("{tally}");
                tally
            })
            .collect()
        }
    };
    ExitCode::from(u8::from(tallies.iter().any(|tally| !tally.bad.is_empty())))
}
