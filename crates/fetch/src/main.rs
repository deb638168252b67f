//! The `fetch` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // What has come of a download stays, so that the next run goes on.
    cli::main(fetch::run, || {})
}
