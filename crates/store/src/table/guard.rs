//! Readers of polars', which panic where a file is damaged.

use super::first_line;
use crate::contained;
use polars::prelude::PolarsResult;

/// Runs one of polars' readers, which panic on some damaged files: that is a damaged file, and no fault of the program.
pub(crate) fn guarded<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    match contained(read) {
        Some(read) => read.map_err(|error| {
            let told = first_line(&error);
            match told.strip_prefix("parquet: File out of specification: ") {
                Some(told) => format!("it is damaged, or was cut short: {told}; get it again"),
                None => told,
            }
        }),
        None => Err("it is damaged".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_polars_is_a_damaged_table() {
        assert_eq!(guarded::<()>(|| panic!("index out of bounds")).unwrap_err(), "it is damaged");
    }
}
