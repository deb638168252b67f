//! Flags that every tool has.

use crate::{Session, UsageError};

/// Flags that every tool has; flatten it into the tool's own arguments.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Common")]
pub struct Common {
    /// Threads to use [default: as many as the machine has cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,

    /// Show no progress bar (none is shown either where stderr is not a terminal)
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
    /// Takes the flags into force; call it once, first.
    ///
    /// # Errors
    /// [`UsageError`] for a thread count of zero or one beyond reason.
    pub fn start(&self) -> anyhow::Result<Session> {
        if let Some(threads) = self.threads {
            if !(1..=1024).contains(&threads) {
                return Err(
                    UsageError(format!("--threads takes a number from 1 to 1024, got {threads}")).into()
                );
            }
            rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
        }
        Ok(Session::new(self.quiet, self.verbose, self.no_progress))
    }
}
