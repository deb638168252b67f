//! The program: which stages and tools there are, and how one is run.

mod doctor;
mod inspect;
mod manual;
mod stages;

use cli::{complain, print};
use stages::{STAGES, Stage, TOOLS};
use std::{env, ffi::OsString, process::ExitCode};

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// Runs the stage or tool that the first argument names.
pub(crate) fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let stage = args.next().unwrap_or_else(|| OsString::from("--help"));
    match stage.to_str() {
        Some("-h" | "--help" | "help") => say(&help()),
        Some("-V" | "--version") => say(concat!("headstart ", env!("CARGO_PKG_VERSION"), "\n")),
        name => match all().find(|stage| Some(stage.name) == name) {
            Some(known) => (known.run)([stage].into_iter().chain(args).collect()),
            None => {
                let names = all().map(|stage| stage.name).collect::<Vec<_>>().join(", ");
                complain(&format!("headstart: unknown stage `{}`; known are {names}", stage.display()));
                ExitCode::from(USAGE)
            }
        },
    }
}

fn all() -> impl Iterator<Item = &'static Stage> {
    STAGES.iter().chain(&TOOLS)
}

fn help() -> String {
    let list = |stages: &[Stage]| -> String {
        stages.iter().map(|stage| format!("  {:<13}{}\n", stage.name, stage.what)).collect()
    };
    format!(
        "Transfer learning on frozen features, stage by stage.\n\nUsage: headstart STAGE [ARGUMENTS]\n\nStages:\n{}\n\
         Tools:\n{}\n\
         `headstart STAGE --help` says what a stage reads and writes. Each stage is also a program of its own.\n",
        list(&STAGES),
        list(&TOOLS)
    )
}

fn say(text: &str) -> ExitCode {
    match print(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("headstart: {error}"));
            ExitCode::from(FAILED)
        }
    }
}
