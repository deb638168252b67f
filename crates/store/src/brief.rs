//! Names in messages: a line stays a line, whatever a file holds.

use std::borrow::Cow;

/// Names that a message lists.
const MOST: usize = 8;
/// Characters of a name in a list.
const LISTED: usize = 30;
/// Characters of what a parser says.
const TOLD: usize = 200;
/// Characters of a name or a value by itself.
const ALONE: usize = 120;

/// `text`, or its first 120 characters and `…`.
pub fn shortened(text: &str) -> Cow<'_, str> {
    cut(text, ALONE)
}

/// What a parser says, without whatever long value it says it of.
pub fn told(error: &impl ToString) -> String {
    cut(&error.to_string(), TOLD).into_owned()
}

/// The first of some names between backticks, and how many more there are.
pub fn few<S: AsRef<str>>(names: &[S]) -> String {
    let listed = names.iter().take(MOST).map(|name| format!("`{}`", cut(name.as_ref(), LISTED)));
    let listed = listed.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// `text`, or its first `most` characters and `…`. Line breaks and other controls are written `\n`.
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    let is_short = text.char_indices().nth(most).is_none();
    if is_short && !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let (mut line, mut left) = (String::new(), most);
    for c in text.chars() {
        let before = line.len();
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        // What is written for a control character is a byte a character.
        let width = if c.is_control() { line.len() - before } else { 1 };
        let Some(rest) = left.checked_sub(width) else {
            line.truncate(before);
            line.push('…');
            break;
        };
        left = rest;
    }
    Cow::Owned(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_names_are_cut() {
        assert_eq!(few(&["a", "b"]), "`a`, `b`");
        let many: Vec<String> = (0..5000).map(|n| format!("{n}{}", "ü".repeat(1000))).collect();
        assert!(few(&many).chars().count() < 300);
        assert!(few(&many).ends_with("… and 4992 more") || few(&many).ends_with("` and 4992 more"));
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"é".repeat(200)), format!("{}…", "é".repeat(120)));
        assert_eq!(shortened("two\nlines\r\n\u{1b}[31m"), r"two\nlines\r\n\u{1b}[31m");
        assert_eq!(cut("ä\nb", 2), "ä…");
        assert_eq!(cut("ä\nb", 3), r"ä\n…");
        assert_eq!(cut("\0\0\0", 12), r"\u{0}\u{0}…");
    }
}
