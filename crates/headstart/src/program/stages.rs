//! The stages and tools, each with what it is for, how it is run, and its command line.

use super::{doctor, inspect, manual};
use clap::{Command, CommandFactory};
use std::{ffi::OsString, process::ExitCode};

/// A stage, or a tool beside them.
pub(super) struct Stage {
    pub(super) name: &'static str,
    /// What it does, as a line of the help.
    pub(super) what: &'static str,
    /// Runs it with its arguments, of which the first is its name.
    pub(super) run: fn(Vec<OsString>) -> ExitCode,
    pub(super) command: fn() -> Command,
}

/// In the order in which people use them.
pub(super) const STAGES: [Stage; 6] = [
    Stage {
        name: "extract",
        what: "run a frozen network once over a data set, cache its features",
        run: |args| cli::stage(args, extract::run, store::withdraw),
        command: extract::Args::command,
    },
    Stage {
        name: "fit-head",
        what: "fit a classifier on cached features",
        run: |args| cli::stage(args, fit_head::run, store::withdraw),
        command: fit_head::Args::command,
    },
    Stage {
        name: "evaluate",
        what: "write a metrics table of a head",
        run: |args| cli::stage(args, evaluate::run, store::withdraw),
        command: evaluate::Args::command,
    },
    Stage {
        name: "predict",
        what: "say what a head makes of new samples",
        run: |args| cli::stage(args, predict::run, store::withdraw),
        command: predict::Args::command,
    },
    Stage {
        name: "export",
        what: "write a model that other programs run",
        run: |args| cli::stage(args, export::run, store::withdraw),
        command: export::Args::command,
    },
    Stage {
        name: "fetch",
        what: "download weights once, and print where they are",
        // What has come of a download stays, so that the next run goes on.
        run: |args| cli::stage(args, fetch::run, || {}),
        command: fetch::Args::command,
    },
];

/// What is no stage.
pub(super) const TOOLS: [Stage; 4] = [
    Stage {
        name: "inspect",
        what: "print what a file or folder of ours holds",
        run: |args| cli::stage(args, |args: inspect::Args| inspect::run(&args), || {}),
        command: inspect::Args::command,
    },
    Stage {
        name: "doctor",
        what: "say what this machine can do",
        run: |args| cli::stage(args, |args: doctor::Args| doctor::run(&args), || {}),
        command: doctor::Args::command,
    },
    Stage {
        name: "completions",
        what: "print completions for bash, zsh or fish",
        run: |args| cli::stage(args, |args: manual::CompletionArgs| manual::complete(&args), || {}),
        command: manual::CompletionArgs::command,
    },
    Stage {
        name: "man",
        what: "print the manual page of a stage",
        run: |args| cli::stage(args, |args: manual::PageArgs| manual::page(&args), || {}),
        command: manual::PageArgs::command,
    },
];
