//! How often something is tried again, and when.

use super::Answer;
use crate::error::FetchError;
use cli::Session;
use std::{thread, time::Duration};

const TRIES: u32 = 5;
const FIRST: Duration = Duration::from_millis(250);
/// The hub counts requests over five minutes.
const LONGEST: Duration = Duration::from_secs(300);
/// Shorter waits need no word.
const WORTH_A_LINE: Duration = Duration::from_secs(2);

/// What is left of the tries of one request.
pub(crate) struct Patience<'a> {
    session: &'a Session,
    failed: u32,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(session: &'a Session) -> Patience<'a> {
        Patience { session, failed: 0 }
    }

    /// Something came: tries count anew.
    pub(crate) fn renew(&mut self) {
        self.failed = 0;
    }

    /// Waits before the next try, twice as long each time, or as long as the server asks for.
    ///
    /// # Errors
    /// `why`, where there have been enough tries, trying again is no use, or the server asks for too long a time.
    pub(crate) fn wait(&mut self, why: FetchError) -> Result<(), FetchError> {
        let asked = match &why {
            FetchError::Busy { wait, .. } => *wait,
            FetchError::Broken { .. } | FetchError::Unreachable { .. } | FetchError::Cut { .. } => None,
            _ => return Err(why),
        };
        if self.failed >= TRIES || asked.is_some_and(|asked| asked > LONGEST) {
            return Err(why);
        }
        let wait = asked.unwrap_or(FIRST * 2u32.pow(self.failed));
        self.failed += 1;
        let line = format!("fetch: {why}; trying again in {} s", wait.as_secs_f32());
        if wait >= WORTH_A_LINE {
            self.session.note(line);
        } else {
            self.session.detail(line);
        }
        thread::sleep(wait);
        Ok(())
    }
}

/// An answer of which another try may come to more.
pub(crate) fn busy(answer: &Answer) -> Option<FetchError> {
    let status = answer.status();
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504).then(|| FetchError::Busy {
        host: answer.address.host().to_owned(),
        status,
        wait: answer.number("retry-after").map(Duration::from_secs),
    })
}
