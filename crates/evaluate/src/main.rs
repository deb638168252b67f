//! `evaluate FEATURES HEAD -o metrics.parquet`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(evaluate::run, store::withdraw)
}
