//! Waits between the tries of one request, and says why.

use crate::error::FetchError;
use cli::Session;
use std::{thread, time::Duration};

/// Shorter waits need no word.
const WORTH_A_LINE: Duration = Duration::from_secs(2);

/// What is left of the tries of one request.
pub(crate) struct Patience<'a> {
    session: &'a Session,
    left: http::Patience,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(session: &'a Session) -> Patience<'a> {
        Patience { session, left: http::Patience::default() }
    }

    /// Something came: tries count anew.
    pub(crate) fn renew(&mut self) {
        self.left.renew();
    }

    /// Waits before the next try, twice as long each time, or as long as the server asks for.
    ///
    /// # Errors
    /// `why`, where there have been enough tries, trying again is no use, or the server asks for too long a time.
    pub(crate) fn wait(&mut self, why: FetchError) -> Result<(), FetchError> {
        let asked = match &why {
            FetchError::Http(error) if error.may_pass() => error.wait(),
            FetchError::Cut { .. } => None,
            _ => return Err(why),
        };
        let Some(wait) = self.left.wait(asked) else { return Err(why) };
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
