//! The frame of every Headstart tool: exit codes, error lines, progress, common flags. The only library that knows clap.
//!
//! **Invariant:** stdout is data or nothing; everything else goes to stderr.
//! **Invariant:** a failure is one line and an exit code: 0 success, 1 failed, 2 usage, 3 a gate did not hold, 130
//! stopped when asked to.
//! A reader that closes its end of a pipe is no failure.
#![forbid(unsafe_code)]

mod common;
mod exit;
mod interrupt;
mod session;
mod text;

pub use common::Common;
pub use exit::{GateError, UsageError, main};
pub use interrupt::{Interrupt, Interrupted};
pub use session::{Progress, Session};
pub use text::{count, print};
