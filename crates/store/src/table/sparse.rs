//! How many cells a table may have that nothing says: rows × columns are held, however short the file is.

/// Of all columns.
const MOST_CELLS: usize = 500_000_000;
/// Empty ones that any table may have, and how many more for each that is said: a few bytes hold none of gigabytes.
const EMPTY: usize = 1 << 24;
const EMPTY_PER_SAID: usize = 16;

/// Checks a table of `rows` × `columns` of which `said` cells stand in the file.
///
/// # Errors
/// The reason why it is too large, and what to do.
pub fn check(rows: usize, columns: usize, said: usize) -> Result<(), String> {
    let cells = rows.saturating_mul(columns);
    if cells > MOST_CELLS {
        return Err(format!("it has more than {MOST_CELLS} cells; leave columns or rows out"));
    }
    match cells.saturating_sub(said) > said.saturating_mul(EMPTY_PER_SAID).saturating_add(EMPTY) {
        true => Err(format!(
            "most of its cells are empty: {columns} columns, but {said} cells in {rows} rows; leave rare columns out"
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn cells_that_nothing_says_are_bounded() {
        for (rows, columns, said) in
            [(160_000, 100, 160_000), (1_000_000, 100, 6_000_000), (10_000_000, 50, 500_000_000)]
        {
            assert_eq!(check(rows, columns, said), Ok(()));
        }
        for (rows, columns, said) in
            [(200_000, 990, 200_990), (60_000, 900, 60_900), (10_000_001, 50, 500_000_050)]
        {
            assert!(check(rows, columns, said).is_err_and(|reason| reason.contains("; leave ")));
        }
        assert!(check(usize::MAX, usize::MAX, usize::MAX).is_err());
    }
}
