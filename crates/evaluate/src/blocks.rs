//! Rows block by block, so that nobody holds them all.

use features::{Rows as _, Selection};

/// Numbers that are held at a time.
const HELD: usize = 1 << 20;

/// Calls `with` with the first row and the features (k, d) of block after block, of each row of which `width` numbers follow.
pub(crate) fn for_each_block<E>(
    rows: &Selection<'_>,
    width: usize,
    mut with: impl FnMut(usize, &[f32]) -> Result<(), E>,
) -> Result<(), E> {
    let (n, dim) = (rows.len(), rows.dim());
    let block = (HELD / dim.max(width)).clamp(64, 1 << 14);
    let mut x = vec![0.0; block.min(n) * dim];
    for first in (0..n).step_by(block) {
        let x = &mut x[..block.min(n - first) * dim];
        rows.read(first, x);
        with(first, x)?;
    }
    Ok(())
}
