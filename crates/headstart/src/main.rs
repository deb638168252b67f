//! `headstart STAGE …`: all stages in one program, for people who install one file, or whose shell has an `export` of its own.
#![forbid(unsafe_code)]

mod program;

fn main() -> std::process::ExitCode {
    program::main()
}
