//! Features for other programs: a matrix of NumPy, and its rows as a table; or one file with both.

use crate::config::MatrixJob;
use anyhow::{Result, bail};
use cli::count;
use features::Features;
use polars::prelude::{Column, DataFrame, df};
use sample::LABEL;
use sample::Split;
use std::io::BufWriter;
use store::{
    Columns, Ours, Place, brief, distinct,
    matrix::{self, Layout, Written},
    table,
};

const NPY: Ours = Ours::file(
    "a matrix that export wrote",
    &[b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': ("],
);
const SAFETENSORS: Ours =
    Ours::file("features that export wrote", &[b"{\"__metadata__\":{\"headstart\":\"rows\"}"]);
/// Features have columns of any name.
const TABLE: Ours =
    Ours::table("features that export wrote", &[Columns { first: &["id", "split"], more: &["*"] }]);
const ROWS: Ours =
    Ours::table("a table of export", &[Columns { first: &["id", "split", "label"], more: &["view"] }]);

/// Names that a file of features has for itself.
const OWN: [&str; 5] = ["id", "path", "split", "view", "features"];

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
    let ours = match job.layout {
        Layout::Npy => NPY,
        Layout::Parquet | Layout::Arrow => TABLE,
        Layout::Safetensors => SAFETENSORS,
    };
    let matrix = Place::file(&job.output, job.force, ours)?;
    let table = job.rows.as_deref().map(|path| {
        Ok::<_, table::TableError>((table::TableFormat::of(path)?, Place::file(path, job.force, ROWS)?))
    });
    let table = table.transpose()?;
    let places: Vec<&Place> = [&matrix].into_iter().chain(table.iter().map(|(_, rows)| rows)).collect();
    distinct(&places, [])?;
    write_matrix(job, features, &rows, &matrix)?;
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

/// What is to be known of the files: a CSV table holds what spreadsheets run, or columns are missing.
pub(crate) fn warning(job: &MatrixJob, features: &Features) -> Option<String> {
    if job.layout != Layout::Npy {
        let out: Vec<&str> =
            features.columns().iter().map(String::as_str).filter(|name| OWN.contains(name)).collect();
        let names = brief::few(&out);
        return (!out.is_empty())
            .then(|| format!("columns whose names the file has for itself are left out: {names}"));
    }
    let csv = job
        .rows
        .as_deref()
        .is_some_and(|path| matches!(table::TableFormat::of(path), Ok(table::TableFormat::Csv)));
    let ids = features.samples().map(|row| features.id(row));
    let labels = features.column(LABEL);
    let texts = labels.iter().flat_map(sample::Column::words).map(String::as_str).chain(ids);
    if csv { table::formula(texts).map(table::formula_warning) } else { None }
}

/// The features of these rows at `place`, with `id, split[, view]` and their columns where the layout has any.
fn write_matrix(job: &MatrixJob, features: &Features, rows: &[usize], place: &Place) -> Result<()> {
    let own = features.columns().iter().map(String::as_str).filter(|name| !OWN.contains(name));
    let view = job.views.then_some("view");
    let columns: Vec<&str> = ["id", "split"].into_iter().chain(view).chain(own).collect();
    let most = features.index().views.as_ref().map_or(1, |views| views.count);
    let views: Vec<String> = (0..most).map(|view| view.to_string()).collect();
    let written = Written {
        rows: rows.len(),
        dim: features.dim(),
        columns: &columns,
        text: &|row, column| match columns[column] {
            "id" => features.id(rows[row]),
            "split" => features.split(rows[row]).name(),
            "view" => &views[features.view(rows[row]) as usize],
            name => features.text(rows[row], name),
        },
        values: &|row, out| features.copy_row(rows[row], out),
    };
    let out = BufWriter::new(place.open()?);
    matrix::write(job.layout, out, &written).map_err(|error| match error {
        matrix::MatrixError::Disk(error) => place.failed(error).into(),
        other => anyhow::Error::from(other),
    })
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
