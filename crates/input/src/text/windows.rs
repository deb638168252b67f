//! A long text in several windows, each as long as a network reads at a time.

use super::Tokenizer;
use tokenizers::{Encoding, Token};

impl Tokenizer {
    /// A text's windows, of `length` tokens with those that are added to each, and whether the text lost its end. One begins every
    /// `stride` tokens; the last ends with the text. There are `most` at most, and one where the text fits.
    pub(super) fn windows(
        &self,
        text: &str,
        length: usize,
        stride: usize,
        most: usize,
    ) -> tokenizers::Result<(Vec<Encoding>, bool)> {
        let plain = self.library.encode_fast(text, false)?;
        let ids = plain.get_ids();
        let room = length.saturating_sub(self.added(false));
        let starts = starts(ids.len(), room, stride);
        let truncated = starts.len() > most;
        let window = |start: usize| {
            let ids = &ids[start..ids.len().min(start + room)];
            let tokens = ids.iter().map(|id| Token::new(*id, String::new(), (0, 0)));
            self.library.post_process(Encoding::from_tokens(tokens.collect(), 0), None, true)
        };
        let windows = starts.into_iter().take(most).map(window).collect::<tokenizers::Result<_>>()?;
        Ok((windows, truncated))
    }
}

/// Where the windows of `count` tokens begin, with `room` for so many in each.
fn starts(count: usize, room: usize, stride: usize) -> Vec<usize> {
    let last = count.saturating_sub(room);
    (0..last).step_by(stride.max(1)).chain([last]).collect()
}

#[cfg(test)]
mod tests {
    use super::starts;

    #[test]
    fn the_last_window_ends_with_the_text() {
        assert_eq!(starts(0, 4, 4), [0]);
        assert_eq!(starts(4, 4, 4), [0]);
        assert_eq!(starts(5, 4, 4), [0, 1]);
        assert_eq!(starts(8, 4, 4), [0, 4]);
        assert_eq!(starts(10, 4, 4), [0, 4, 6]);
        assert_eq!(starts(10, 4, 2), [0, 2, 4, 6]);
        assert_eq!(starts(9, 4, 2), [0, 2, 4, 5]);
    }
}
