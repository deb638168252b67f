//! Names that a server gives, before anything is written under them.

/// Longer ones fit no file system.
const LONGEST: usize = 1000;

/// Whether a name is a path within a folder, and is spelt in one way on every system.
pub(crate) fn is_within(name: &str) -> bool {
    name.len() <= LONGEST && name.split('/').all(is_plain)
}

/// Whether a name is that of one file: not empty, no `.` or `..`, and without characters that lead elsewhere.
pub(crate) fn is_plain(name: &str) -> bool {
    let mean = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':');
    !name.is_empty() && name != "." && name != ".." && name.len() <= 255 && !name.contains(mean)
}

/// A path as a part of an address, where each byte that is not plainly itself is `%XX`. Keeps `/` where `slashes` says so.
pub(crate) fn percent_encoded(text: &str, slashes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b'/' if slashes => out.push('/'),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_their_folder() {
        for name in
            ["config.json", "a/b.bin", ".gitattributes", "a b/ü.json", "a/...", "model-00001-of-00002.bin"]
        {
            assert!(is_within(name), "{name}");
        }
        for name in [
            "",
            "/",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/..",
            ".",
            "./a",
            "a//b",
            "a/",
            "a\\b",
            "..\\x",
            "C:x",
            "C:/x",
            "a\nb",
            "a\0b",
            "a\u{1b}[2J",
            "a\u{85}",
        ] {
            assert!(!is_within(name), "{name:?}");
        }
        assert!(!is_within(&"a/".repeat(600)) && !is_within(&"a".repeat(256)));
    }

    #[test]
    fn addresses_hold_plain_characters_only() {
        assert_eq!(percent_encoded("a b/ü?#%", true), "a%20b/%C3%BC%3F%23%25");
        assert_eq!(percent_encoded("refs/pr/1", false), "refs%2Fpr%2F1");
    }
}
