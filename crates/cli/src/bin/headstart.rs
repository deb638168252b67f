//! `headstart STAGE …` runs the program STAGE that lies beside it, as git does: for people who install the programs on
//! their PATH, where `export` alone would be the shell's own.
#![forbid(unsafe_code)]

use headstart_cli::{beside, complain, print};
use std::{
    env,
    ffi::OsString,
    process::{Command, ExitCode},
};

const STAGES: [(&str, &str); 5] = [
    ("extract", "run a frozen network once over a data set, cache its features"),
    ("fit-head", "fit a classifier on cached features"),
    ("evaluate", "write a metrics table of a head"),
    ("export", "write a model that other programs run"),
    ("fetch", "download weights once, and print where they are"),
];
const FAILED: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let stage = args.next().unwrap_or_else(|| OsString::from("--help"));
    match stage.to_str() {
        Some("-h" | "--help" | "help") => help(),
        Some("-V" | "--version") => say(concat!("headstart ", env!("CARGO_PKG_VERSION"), "\n")),
        Some(name) if STAGES.iter().any(|(stage, _)| *stage == name) => run(name, args),
        _ => {
            let names = STAGES.map(|(name, _)| name).join(", ");
            complain(&format!("headstart: unknown stage `{}`; known are {names}", stage.display()));
            ExitCode::from(USAGE)
        }
    }
}

fn run(stage: &str, args: impl Iterator<Item = OsString>) -> ExitCode {
    let program = beside(stage);
    let mut command = Command::new(&program);
    command.args(args);
    // The stage takes this program's place, so that signals reach it, and whoever waits for this waits for it.
    #[cfg(unix)]
    let ended: std::io::Result<std::process::ExitStatus> =
        Err(std::os::unix::process::CommandExt::exec(&mut command));
    #[cfg(not(unix))]
    let ended = command.status();
    match ended {
        Ok(status) => {
            ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED))
        }
        Err(error) => {
            let program = program.display();
            complain(&format!(
                "headstart: cannot run `{program}`: {error}; install the stages beside headstart"
            ));
            ExitCode::from(FAILED)
        }
    }
}

fn help() -> ExitCode {
    let mut text = String::from(
        "Transfer learning on frozen features, stage by stage.\n\nUsage: headstart STAGE [ARGUMENTS]\n\nStages:\n",
    );
    for (name, what) in STAGES {
        text += &format!("  {name:<10}{what}\n");
    }
    text +=
        "\n`headstart STAGE --help` says what a stage reads and writes. Each is also a program of its own.\n";
    say(&text)
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
