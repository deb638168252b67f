//! Flags that every tool has.

use crate::{Session, exit, threads};

/// Flags that every tool has; flatten it into the tool's own arguments.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Common")]
pub struct Common {
    /// Threads to use [default: as many as the machine has cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,

    /// Show no progress bar; without a terminal on stderr there is none anyway
    #[arg(long)]
    pub no_progress: bool,

    /// Say nothing on stderr but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more on stderr
    #[arg(short, long)]
    pub verbose: bool,
}

impl Common {
    /// Takes the flags into force, and starts the threads that everything runs on; call it once, first.
    ///
    /// # Errors
    /// [`UsageError`](crate::UsageError) for a thread count of zero or one beyond reason; where the system has no more threads.
    pub fn start(&self) -> anyhow::Result<Session> {
        let fewer = threads::start(self.threads)?;
        let session = Session::new(self.quiet, self.verbose, self.no_progress);
        if let Some(line) = fewer {
            session.note(format!("{}: {line}", exit::tool()));
        }
        Ok(session)
    }
}
