//! The `export` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(export::run, store::withdraw)
}
