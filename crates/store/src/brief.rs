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
    let end = text.char_indices().nth(most).map(|(end, _)| end);
    let kept = &text[..end.unwrap_or(text.len())];
    let more = if end.is_some() { "…" } else { "" };
    if more.is_empty() && !kept.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(kept.len() + more.len());
    for part in kept.split_inclusive(char::is_control) {
        let plain = part.trim_end_matches(char::is_control);
        line.push_str(plain);
        line.extend(part[plain.len()..].chars().flat_map(char::escape_default));
    }
    Cow::Owned(line + more)
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
        assert_eq!(cut("ä\nb", 2), r"ä\n…");
    }
}
