//! The `predict` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(predict::run, store::withdraw)
}
