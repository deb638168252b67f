//! Text that came from outside, such as names of files, as it may be shown: nothing in it can move a cursor, begin a line,
//! turn the direction of reading, or fill a screen.

use std::borrow::Cow;

/// Characters of a message at most.
pub(crate) const LONGEST_MESSAGE: usize = 500;
/// Characters of a name in a table at most.
const LONGEST_NAME: usize = 80;

/// `text` with every character that is not shown as itself written as Rust writes it: `\n`, `\u{1b}`, `\u{202e}`.
pub fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// A name for a table on stdout: one line, and no longer than a line should be.
pub fn name(text: &str) -> String {
    cut(&plain(text), LONGEST_NAME)
}

/// A message: one line of [`LONGEST_MESSAGE`] characters at most. Of a longer one the beginning and the end are kept: the
/// cause is often told last.
pub(crate) fn message(text: &str) -> String {
    cut(&plain(text), LONGEST_MESSAGE)
}

/// Several lines for stdout, where line ends and tabs are ours.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Control characters (C0, DEL, C1), separators of lines and paragraphs, and what turns the direction of reading.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn cut(text: &str, longest: usize) -> String {
    let all = text.chars().count();
    if all <= longest {
        return text.to_owned();
    }
    // The number is as long as that of all characters, or shorter.
    let mark = |left_out: usize| format!(" …({left_out} characters)… ");
    let kept = longest.saturating_sub(mark(all).chars().count());
    let (head, tail) = (kept - kept / 2, kept / 2);
    let at = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    format!("{}{}{}", &text[..at(head)], mark(all - kept), &text[at(all - tail)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_shown_as_itself_is_escaped() {
        for (text, expected) in [
            ("café 漢字 \\ \"x\" 👩‍👩‍👧", "café 漢字 \\ \"x\" 👩‍👩‍👧"),
            ("a\x1b[2Jb\nc\td\r\0\x7f", "a\\u{1b}[2Jb\\nc\\td\\r\\u{0}\\u{7f}"),
            ("\u{9b}31m \u{85}", "\\u{9b}31m \\u{85}"),
            ("\u{202e}gpj\u{2066}\u{2069}\u{200f}", "\\u{202e}gpj\\u{2066}\\u{2069}\\u{200f}"),
            ("a\u{2028}b\u{2029}c", "a\\u{2028}b\\u{2029}c"),
        ] {
            assert_eq!(plain(text), expected);
        }
        assert_eq!(lines("a\n\tb\x1b\n"), "a\n\tb\\u{1b}\n");
    }

    #[test]
    fn a_long_message_keeps_both_its_ends() {
        let fits = "é".repeat(500);
        assert_eq!(message(&fits), fits);
        for text in [format!("begin{}end", "漢".repeat(494)), format!("begin{}end", "x\x1b".repeat(100_000))]
        {
            let cut = message(&text);
            assert!(
                cut.starts_with("begin") && cut.ends_with("end") && cut.contains(" characters)… "),
                "{cut}"
            );
            assert!((490..=500).contains(&cut.chars().count()), "{}", cut.chars().count());
        }
        assert_eq!(name(&"n".repeat(90)).chars().count(), 80);
    }
}
