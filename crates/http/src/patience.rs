//! How often something is tried again, and when.

use std::time::Duration;

const TRIES: u32 = 5;
const FIRST: Duration = Duration::from_millis(250);
/// The hub counts requests over five minutes, and others over one.
const LONGEST: Duration = Duration::from_secs(300);

/// What is left of the tries of one request.
#[derive(Debug, Default)]
pub struct Patience {
    failed: u32,
}

impl Patience {
    /// Something came: tries count anew.
    pub fn renew(&mut self) {
        self.failed = 0;
    }

    /// How long to wait before the next try: twice as long each time, or as long as the server asks for. `None` where there have
    /// been enough tries, or the server asks for too long a time.
    pub fn wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        if self.failed >= TRIES || asked.is_some_and(|asked| asked > LONGEST) {
            return None;
        }
        let wait = asked.unwrap_or(FIRST * 2u32.pow(self.failed));
        self.failed += 1;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let mut patience = Patience::default();
        let waits: Vec<_> = std::iter::from_fn(|| patience.wait(None)).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000]);
        patience.renew();
        assert_eq!(patience.wait(Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(patience.wait(Some(Duration::from_secs(301))), None);
        assert_eq!(patience.wait(None), Some(Duration::from_millis(500)));
    }
}
