//! Data as JSON that may stand within a `<script>` element, and is no longer than it need be.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Digits that a number keeps. Nothing on the page is drawn or printed finer.
const DIGITS: usize = 5;

/// `value` as JSON without a single `<`, so that neither `</script>` nor `<!--` can occur in it, and
/// with numbers rounded to five significant digits. Numbers that are not finite are null.
pub(crate) fn to_script<T: Serialize>(value: &T) -> String {
    let mut bytes = Vec::new();
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, Compact));
    // A page is structs, lists and maps whose keys are strings, and a Vec takes whatever is written.
    written.expect("plain data can be written as JSON");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// JSON without spaces; its defaults write everything that is not overridden.
struct Compact;

impl Formatter for Compact {
    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, f64::from(value))
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(rounded(value).as_bytes())
    }

    /// What lies between the characters that JSON escapes by itself.
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        for (i, part) in text.split('<').enumerate() {
            if i > 0 {
                writer.write_all(b"\\u003c")?;
            }
            writer.write_all(part.as_bytes())?;
        }
        Ok(())
    }
}

/// The shorter of `0.00012` and `1.2e-4`.
fn rounded(value: f64) -> String {
    let scientific = format!("{value:.*e}", DIGITS - 1);
    let Ok(value) = scientific.parse::<f64>() else { return "null".to_owned() };
    let (plain, scientific) = (format!("{value}"), format!("{value:e}"));
    if plain.len() <= scientific.len() { plain } else { scientific }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_five_digits() {
        for (value, expected) in [
            (0.123_456_78, "0.12346"),
            (12_345_678.0, "12346000"),
            (1e-4, "1e-4"),
            (0.02, "0.02"),
            (-2.5, "-2.5"),
            (0.0, "0"),
            (1e300, "1e300"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
        ] {
            assert_eq!(to_script(&value), expected);
        }
        assert_eq!(to_script(&0.1_f32), "0.1");
        assert_eq!(to_script(&12_345_678_u64), "12345678");
    }

    #[test]
    fn nothing_ends_the_script() {
        let hostile = ["</script><script>alert(1)</script>", "<!--", "]]>", "\u{2028}\"\\\n", "ü<"];
        let json = to_script(&hostile);
        assert!(!json.contains('<'), "{json}");
        let read: Vec<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(read, hostile);
    }

    #[test]
    fn keys_are_escaped_too() {
        let map = std::collections::BTreeMap::from([("<b>", 1)]);
        assert_eq!(to_script(&map), r#"{"\u003cb>":1}"#);
    }
}
