//! `--keep-best`: a run that was asked to stop still writes a head, and says so everywhere.

use cli::{Interrupt, Interrupted, Session};

use crate::record::Record;

/// Whether the head is the best of a whole run, or the best until a signal came.
pub(crate) enum Best {
    OfAll,
    SoFar,
}

impl Best {
    /// Records in the head that its fit was interrupted, where it was.
    pub(crate) fn of(interrupt: &Interrupt, record: &mut Record) -> Best {
        if !interrupt.asked() {
            return Best::OfAll;
        }
        record.set("interrupted", true);
        Best::SoFar
    }

    /// Says what was written. One that was interrupted says so with `--quiet` too.
    ///
    /// # Errors
    /// [`Interrupted`], the run's exit code, where it was.
    pub(crate) fn told(self, line: &str, session: &Session) -> anyhow::Result<()> {
        match self {
            Best::OfAll => session.note(format!("fit-head: {line}")),
            Best::SoFar => {
                return Err(Interrupted(format!("interrupted, the best so far is kept: {line}")).into());
            }
        }
        Ok(())
    }
}
