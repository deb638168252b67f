//! What is sent of a sample.

use input::text::{BadText, MOST_TEXT};

/// The text of a sample's bytes: as it stands, but for a byte order mark.
///
/// # Errors
/// Where it is no text, or too long to be one.
pub fn text_of(bytes: &[u8]) -> Result<&str, BadText> {
    if bytes.len() > MOST_TEXT {
        return Err(BadText::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| BadText::NotUtf8)?;
    if text.contains('\0') {
        return Err(BadText::Nul);
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_sent_as_they_stand() {
        assert_eq!(text_of(b" a\n"), Ok(" a\n"));
        assert_eq!(text_of("\u{feff}é".as_bytes()), Ok("é"));
        assert_eq!(text_of(b"a\xff"), Err(BadText::NotUtf8));
        assert_eq!(text_of(b"a\0b"), Err(BadText::Nul));
        assert_eq!(text_of(&vec![b'a'; MOST_TEXT + 1]), Err(BadText::TooLong));
    }
}
