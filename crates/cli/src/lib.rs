//! The frame of every Headstart tool: exit codes, error lines, progress, common flags. The only library that knows clap.
//!
//! **Invariant:** stdout is data or nothing; everything else goes to stderr.
//! **Invariant:** a failure is one line and an exit code: 0 success, 1 failed, 2 usage, 3 a gate did not hold, 130
//! stopped when asked to.
//! **Invariant:** every line is made plain and short enough where it is printed (`line.rs`), whoever wrote it.
//! A reader that closes its end of stdout is no failure.
#![forbid(unsafe_code)]

mod cache;
mod common;
mod exit;
mod fetched;
mod line;
mod session;
mod signals;
mod text;
mod threads;

pub use cache::cache;
pub use common::Common;
pub use exit::{GateError, UsageError, complain, main, stage};
pub use fetched::fetched;
pub use line::{name, plain};
pub use session::{Progress, Session};
pub use signals::{Interrupt, Interrupted, finishing};
pub use text::{StdoutError, count, print};
