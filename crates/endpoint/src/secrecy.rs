//! What a server says, without what it was told in confidence.

use serde_json::Value;
use store::brief;

/// Characters of what a server says.
const SAID: usize = 200;
/// So many characters in a row that are the key's own are taken for a part of it.
const PART: usize = 6;

/// What the body of a refusal says, in one short line without any part of the key.
pub(crate) fn said(body: &[u8], key: Option<&str>) -> String {
    let text = String::from_utf8_lossy(body);
    let told = serde_json::from_str::<Value>(&text).ok().and_then(|body| {
        let error = &body["error"];
        let places = [&error["message"], error, &body["message"], &body["detail"]];
        places.into_iter().find_map(Value::as_str).map(str::to_owned)
    });
    let told = told.unwrap_or_else(|| text.into_owned());
    let words = told.split_whitespace().map(|word| if holds(word, key) { "[key]" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    if line.is_empty() { "nothing more is said".to_owned() } else { brief::cut(&line, SAID).into_owned() }
}

/// Whether a word holds a part of the key.
fn holds(word: &str, key: Option<&str>) -> bool {
    let Some(key) = key else { return false };
    let parts = key.as_bytes().windows(PART.min(key.len()).max(1));
    parts.into_iter().any(|part| word.as_bytes().windows(part.len()).any(|own| own == part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_without_the_key() {
        let key = Some("sk-proj-abcdefghij0123456789");
        let line = |body: &str| said(body.as_bytes(), key);
        assert_eq!(line(r#"{"error": {"message": "no such model"}}"#), "no such model");
        assert_eq!(line(r#"{"error": "model \"x\" not found"}"#), r#"model "x" not found"#);
        assert_eq!(line(r#"{"object": "error", "message": "too\nlong"}"#), "too long");
        assert_eq!(line("<html>\n  Bad\tGateway"), "<html> Bad Gateway");
        assert_eq!(line(""), "nothing more is said");
        for word in
            ["sk-proj-abcdefghij0123456789", "`sk-proj-****6789`", "x=0123456789;", "Bearer+sk-proj-a"]
        {
            assert_eq!(line(&format!("Incorrect key {word} given")), "Incorrect key [key] given");
        }
        assert_eq!(line(&"x".repeat(5000)).chars().count(), SAID + 1);
        assert_eq!(said(b"a \x1b[31m b", Some("k")), r"a \u{1b}[31m b");
    }
}
