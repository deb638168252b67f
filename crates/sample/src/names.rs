//! Names of classes, or of other outputs; and names of files.

use std::fmt::Write as _;

/// Why a picture is left out that no id can be made of.
pub(crate) const NOT_UTF8: &str = "its name is not UTF-8; rename it";

/// What is not UTF-8 as `\xe9`.
pub(crate) fn escaped(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string never fails.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// What is wrong with class names that were read from a file, if anything.
pub fn validate_names(classes: &[String]) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    if classes.is_empty() {
        return Some("it has no classes".to_owned());
    }
    classes.iter().find(|class| !seen.insert(*class)).map(|class| format!("it has the class `{class}` twice"))
}
