//! `fit-head FEATURES -o NAME.head`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(fit_head::run, store::withdraw)
}
