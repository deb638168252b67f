//! Which characters become which before SentencePiece looks for pieces, as its files store it.

/// Refuses a table of characters that the library would stumble over: the bytes of a double array (darts-clone's), before them how
/// many they are, and behind them the texts that characters become.
pub(super) fn check(table: &[u8]) -> Result<(), String> {
    if table.is_empty() {
        return Ok(());
    }
    let broken = || "its table of characters is damaged".to_owned();
    let (count, rest) = table.split_first_chunk::<4>().ok_or_else(broken)?;
    let (array, texts) = rest.split_at_checked(u32::from_le_bytes(*count) as usize).ok_or_else(broken)?;
    let texts = std::str::from_utf8(texts).map_err(|_| broken())?;
    let units: Vec<usize> =
        array.as_chunks::<4>().0.iter().map(|unit| u32::from_le_bytes(*unit) as usize).collect();
    // From a unit on, the next byte says which of 256 others comes; the first of them may hold where a text begins.
    let is_whole = |at: usize, unit: usize| {
        let next = at ^ ((unit >> 10) << ((unit & 1 << 9) >> 6));
        let text = || units[next] & !(1 << 31);
        (next | 0xFF) < units.len() && (unit & 1 << 8 == 0 || texts.is_char_boundary(text()))
    };
    let mut inner = units.iter().enumerate().filter(|(at, unit)| *at == 0 || **unit & 1 << 31 == 0);
    let are_whole = inner.all(|(at, unit)| is_whole(at, *unit));
    if units.is_empty() || !are_whole { Err(broken()) } else { Ok(()) }
}

/// Bytes as the library's files write them (RFC 4648, section 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - three.len()));
        for digit in 0..4 {
            let digit =
                if digit > three.len() { '=' } else { char::from(DIGITS[bits >> (18 - 6 * digit) & 63]) };
            text.push(digit);
        }
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::base64;

    #[test]
    fn bytes_are_written_as_rfc_4648_says() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xFB, 0xFF, 0xFE]), "+//+");
    }

    /// A table by which `A` becomes `b`.
    pub(in crate::text) fn small() -> Vec<u8> {
        // Of unit 0 the others begin at 256; that of `A` is the last of a character, and its text's place is at 512.
        let (root, letter, place) =
            (256 << 10, usize::from(b'A') | 1 << 8 | ((256 + 65) ^ 512) << 10, 1 << 31);
        let mut units = vec![0; 768];
        (units[0], units[256 + 65], units[512]) = (root, letter, place);
        let array = units.iter().flat_map(|unit: &usize| u32::try_from(*unit).unwrap().to_le_bytes());
        (768_u32 * 4).to_le_bytes().into_iter().chain(array).chain(*b"b\0").collect()
    }
}
