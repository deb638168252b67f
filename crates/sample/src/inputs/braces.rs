//! Patterns of names, as shells and WebDataset have them: `shard-{000..012}.tar`, `{train,test}.parquet`.

use crate::{DatasetError, PackedError};
use std::path::{Path, PathBuf};

/// Bytes of a pattern; a longer one is a name.
const LONGEST: usize = 4096;
/// Names that a pattern may stand for.
const MOST: usize = 100_000;

/// The paths that `path` stands for: itself, where there is such a file, or no braces.
///
/// # Errors
/// Where there are too many.
pub(super) fn expand(path: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    match path.to_str().filter(|pattern| pattern.len() <= LONGEST && !path.exists()) {
        None => Ok(vec![path.to_owned()]),
        Some(pattern) => {
            let names = names(pattern)
                .ok_or_else(|| PackedError::LongPattern { path: path.to_owned(), most: MOST })?;
            Ok(names.into_iter().map(PathBuf::from).collect())
        }
    }
}

/// All names; nothing where there are too many.
fn names(pattern: &str) -> Option<Vec<String>> {
    let braces = pattern.find('{').and_then(|open| Some((open, open + pattern[open..].find('}')?)));
    let Some((open, close)) = braces else { return Some(vec![pattern.to_owned()]) };
    let (before, inner, after) = (&pattern[..open], &pattern[open + 1..close], &pattern[close + 1..]);
    let inner = match inner
        .split_once("..")
        .and_then(|(first, last)| Some((number(first)?, number(last)?, first, last)))
    {
        Some((first, last, from, to)) => {
            if first.abs_diff(last) >= MOST as u64 {
                return None;
            }
            // As bash does it: to the width of the longer, where one begins with 0.
            let is_padded = [from, to].iter().any(|text| text.len() > 1 && text.starts_with('0'));
            let width = if is_padded { from.len().max(to.len()) } else { 0 };
            let name = |at: u64| format!("{at:0width$}");
            if first <= last {
                (first..=last).map(name).collect()
            } else {
                (last..=first).rev().map(name).collect()
            }
        }
        None if inner.contains(',') => inner.split(',').map(str::to_owned).collect::<Vec<_>>(),
        None => vec![format!("{{{inner}}}")],
    };
    let after = names(after)?;
    if inner.len().saturating_mul(after.len()) > MOST {
        return None;
    }
    Some(
        inner
            .iter()
            .flat_map(|inner| after.iter().map(move |after| format!("{before}{inner}{after}")))
            .collect(),
    )
}

fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.len() < 19 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_shells_do() {
        for (pattern, expected) in [
            ("x.tar", &["x.tar"][..]),
            ("x-{08..11}.tar", &["x-08.tar", "x-09.tar", "x-10.tar", "x-11.tar"]),
            ("x-{2..0}", &["x-2", "x-1", "x-0"]),
            ("{a,b}-{1..2}", &["a-1", "a-2", "b-1", "b-2"]),
            ("{a}{,b", &["{a}{,b"]),
            ("{1..x}", &["{1..x}"]),
            ("}{", &["}{"]),
        ] {
            assert_eq!(names(pattern).unwrap(), expected, "{pattern}");
        }
        for pattern in ["{0..100000}", "{0..999}{0..999}", "{0..99999999999999999}", &"{a,b}".repeat(40)] {
            assert!(names(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn a_file_of_that_name_is_meant_itself() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("{1..2}");
        assert_eq!(expand(&path).unwrap().len(), 2);
        std::fs::write(&path, "").unwrap();
        assert_eq!(expand(&path).unwrap(), [path]);
    }
}
