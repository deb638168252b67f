//! Features as a NumPy matrix (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>), and its rows
//! as a table.

use crate::config::MatrixJob;
use anyhow::{Result, bail};
use cli::count;
use features::Features;
use polars::prelude::{Column, DataFrame, df};
use sample::LABEL;
use sample::Split;
use std::{
    fs::File,
    io::{self, BufWriter, Write},
};
use store::{Columns, Ours, Place, distinct, table};

const NPY: Ours = Ours::file(
    "a matrix that export wrote",
    &[b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': ("],
);
const ROWS: Ours =
    Ours::table("a table of export", &[Columns { first: &["id", "split", "label"], more: &["view"] }]);

/// Writes `job.output` and, if asked for, `job.rows`; gives a line of counts.
///
/// # Errors
/// Where the split has no rows, an output exists, or the disk is full.
pub(crate) fn write(job: &MatrixJob, features: &Features) -> Result<String> {
    let wanted = |row: &usize| {
        job.split.is_none_or(|split| features.split(*row) == split) && (job.views || features.view(*row) == 0)
    };
    let rows: Vec<usize> = (0..features.len()).filter(wanted).collect();
    if let (true, Some(split)) = (rows.is_empty(), job.split) {
        bail!("there are no rows in {split}");
    }
    let matrix = Place::file(&job.output, job.force, NPY)?;
    let table = job.rows.as_deref().map(|path| {
        Ok::<_, table::TableError>((table::TableFormat::of(path)?, Place::file(path, job.force, ROWS)?))
    });
    let table = table.transpose()?;
    let places: Vec<&Place> = [&matrix].into_iter().chain(table.iter().map(|(_, rows)| rows)).collect();
    distinct(&places, [])?;
    write_npy(matrix.open()?, features, &rows).map_err(|error| matrix.failed(error))?;
    if let Some((format, place)) = &table {
        table::write_at(&mut frame(features, &rows, job.views)?, *format, place)?;
    }
    cli::finishing();
    if let Some((_, place)) = table {
        place.commit()?;
    }
    matrix.commit()?;
    Ok(format!("{} rows of {} features", count(rows.len() as u64), count(features.dim() as u64)))
}

/// Where the table is CSV, and holds what spreadsheets run.
pub(crate) fn warning(job: &MatrixJob, features: &Features) -> Option<String> {
    let csv = job
        .rows
        .as_deref()
        .is_some_and(|path| matches!(table::TableFormat::of(path), Ok(table::TableFormat::Csv)));
    let ids = features.samples().map(|row| features.id(row));
    let labels = features.column(LABEL);
    let texts = labels.iter().flat_map(sample::Column::words).map(String::as_str).chain(ids);
    if csv { table::formula(texts).map(table::formula_warning) } else { None }
}

fn write_npy(file: File, features: &Features, rows: &[usize]) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    out.write_all(&header(rows.len(), features.dim()))?;
    let mut values = vec![0.0; features.dim()];
    let mut bytes = Vec::with_capacity(4 * features.dim());
    for &row in rows {
        features.copy_row(row, &mut values);
        bytes.clear();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    out.flush()
}

/// Magic, version 1.0, length, and a Python dictionary padded with spaces so that the data is aligned to 64 bytes.
fn header(rows: usize, dim: usize) -> Vec<u8> {
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}");
    const PREFIX: usize = 10;
    let length = (PREFIX + dictionary.len() + 1).next_multiple_of(64) - PREFIX;
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((length as u16).to_le_bytes());
    header.extend(dictionary.as_bytes());
    header.resize(PREFIX + length - 1, b' ');
    header.push(b'\n');
    header
}

/// `id, split, label[, view]`
fn frame(features: &Features, rows: &[usize], views: bool) -> Result<DataFrame> {
    let ids: Vec<&str> = rows.iter().map(|&row| features.id(row)).collect();
    let splits: Vec<&str> = rows.iter().map(|&row| Split::name(features.split(row))).collect();
    let labels: Vec<&str> = rows.iter().map(|&row| features.text(row, LABEL)).collect();
    let mut frame = df!("id" => ids, "split" => splits, "label" => labels)?;
    if views {
        let views: Vec<u32> = rows.iter().map(|&row| features.view(row)).collect();
        frame.with_column(Column::new("view".into(), views))?;
    }
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn the_header_is_what_numpy_writes() {
        // numpy 2: the bytes of numpy.save of a (850, 256) float32 array up to its data.
        let header = header(850, 256);
        assert_eq!(header.len(), 128);
        assert_eq!(&header[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert!(
            header[10..].starts_with(b"{'descr': '<f4', 'fortran_order': False, 'shape': (850, 256), }   ")
        );
        assert_eq!(header.last(), Some(&b'\n'));
    }
}
