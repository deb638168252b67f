//! The `extract` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(extract::run, store::withdraw)
}
