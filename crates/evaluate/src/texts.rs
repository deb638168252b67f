//! The texts of samples, from `--texts`.

use crate::outputs::Table;
use anyhow::Context as _;
use input::text::MOST_TEXT;
use polars::prelude::{Column, DataFrame};
use sample::Pictures;
use store::table::{TableFormat, formula};

/// The text of a sample, the two of a pair with ` / ` between them; nothing where it is not there.
///
/// # Errors
/// Where it is there, and cannot be read.
pub(crate) fn text(texts: &Pictures, id: &str) -> anyhow::Result<Option<String>> {
    let read = texts.read(id, MOST_TEXT as u64).with_context(|| format!("cannot read the text of `{id}`"))?;
    // A pair's two stand on either side of a NUL.
    Ok(read.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " / ")))
}

/// Writes a table of samples. With `texts` it has the columns `text` and, where it has `other_id`, `other_text`; null where a text
/// is not there. Gives what a spreadsheet would run of them, and how many are not there.
///
/// # Errors
/// Where a text cannot be read, or the table not be written.
pub(crate) fn write(
    table: &Table,
    mut frame: DataFrame,
    texts: Option<&Pictures>,
) -> anyhow::Result<(Option<String>, usize)> {
    let (mut run, mut missing) = (None, 0);
    for (ids, name) in [("id", "text"), ("other_id", "other_text")] {
        let (Some(texts), Ok(ids)) = (texts, frame.column(ids)) else { continue };
        let ids = ids.str()?.iter();
        let all =
            ids.map(|id| id.map_or(Ok(None), |id| text(texts, id))).collect::<anyhow::Result<Vec<_>>>()?;
        missing += all.iter().filter(|text| text.is_none()).count();
        if table.format == TableFormat::Csv {
            run = run.or(formula(all.iter().flatten().map(String::as_str)).map(str::to_owned));
        }
        frame.with_column(Column::new(name.into(), all))?;
    }
    table.write(&mut frame)?;
    Ok((run, missing))
}
