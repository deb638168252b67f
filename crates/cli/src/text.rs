//! Numbers as people read them, and data on stdout.

use std::io::{self, Write};

/// A count with thousands apart: `3,670`.
pub fn count(n: impl TryInto<u64>) -> String {
    let digits = n.try_into().unwrap_or(u64::MAX).to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes `text` to stdout. Unlike `print!` it never panics: a closed pipe comes back as an error, which
/// [`crate::main`] takes for success.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn thousands_are_apart() {
        for (n, expected) in [(0u64, "0"), (999, "999"), (1000, "1,000"), (1_048_576, "1,048,576")] {
            assert_eq!(count(n), expected);
        }
    }
}
