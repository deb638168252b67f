//! Rows that somebody had already become features: nothing is computed.

use crate::{
    args::Args,
    config::{name_outputs, shard_bytes},
    samples::RATIOS,
    tally::Tally,
};
use anyhow::{Context, Result, anyhow, bail};
use cli::{Session, UsageError, count};
use features::{Complete, FeaturesError, FeaturesWriter, GivenSource, Lineage, NewFeatures, Row};
use sample::{Column, GivenRows, GivenSample, Ratios, Said, read_labels};
use std::path::{Path, PathBuf};
use store::{Digest, DigestBuilder, PlaceError, brief, distinct, matrix::Matrix};

/// Longer than any name that people say.
const MOST_NAME: usize = 120;
/// Rows between two steps of the progress bar.
const STEP: usize = 1024;

/// Reads the matrix at `rows` and what is said of its rows, and writes them as features.
///
/// # Errors
/// Whatever stops it, as one line; nothing is left behind then.
pub(crate) fn run(rows: &Path, args: Args, session: &Session) -> Result<()> {
    let Some(output) = args.output else { return Err(UsageError("-o is required".to_owned()).into()) };
    name_outputs(&output, &[String::new()])?;
    let shard_bytes = shard_bytes(args.shard_size)?;
    let mut matrix = Matrix::open(rows)?;
    let source = GivenSource { rows: name(args.name, matrix.path())?, dtype: args.dtype };
    let own = matrix.take_table()?;
    let own = own.as_ref().map(|table| Said { path: matrix.path(), table });
    let table =
        args.labels.as_deref().map(|path| Ok::<_, anyhow::Error>((path, read_labels(path)?))).transpose()?;
    let labels = table.as_ref().map(|(path, table)| Said { path, table });
    let data = GivenRows::new(matrix.path(), matrix.rows(), own.as_ref(), labels.as_ref())?;
    let ratios = ratios(args.split, &data, args.labels.as_deref().unwrap_or(matrix.path()))?;
    let plan = NewFeatures {
        columns: data.columns.iter().map(|column| column.name().to_owned()).collect(),
        dim: matrix.dim(),
        source: source.into(),
        shard_bytes,
    };
    let writer = FeaturesWriter::create(&output, args.force, plan).map_err(name_force)?;
    distinct(&[writer.place()], [matrix.path()].into_iter().chain(args.labels.as_deref()))?;
    let notes = notes(&matrix, &data, ratios);
    let outcome = Given { data: &data, ratios, session, output: &output }.write(matrix, writer)?;
    cli::finishing();
    let index = outcome.complete.commit()?;
    for line in notes {
        session.note(format!("extract: {line}"));
    }
    let classes = data.labels().map_or(&[][..], Column::words);
    session.note(format!("extract: {}", outcome.tally.line(classes)));
    let (rows, dim) = (count(index.rows), count(index.dim as u64));
    session.note(format!("extract: {rows} rows of {dim} features → {}", output.display()));
    Ok(())
}

/// What is to be written, and how.
struct Given<'a> {
    data: &'a GivenRows,
    ratios: Option<Ratios>,
    session: &'a Session,
    output: &'a Path,
}

/// What came of it.
struct Outcome {
    complete: Complete,
    tally: Tally,
}

/// Rows on their way.
struct Written<'a> {
    of: &'a Given<'a>,
    writer: FeaturesWriter,
    tally: Tally,
    /// As that of pictures: every sample's id, texts, split and content.
    dataset: DigestBuilder,
    matrix: PathBuf,
}

impl Given<'_> {
    fn write(&self, matrix: Matrix, writer: FeaturesWriter) -> Result<Outcome> {
        let samples = &self.data.samples;
        let classes = self.data.labels().map_or(0, |labels| labels.words().len());
        let (tally, dataset) = (Tally::new(classes), DigestBuilder::new());
        let mut written = Written { of: self, writer, tally, dataset, matrix: matrix.path().to_owned() };
        let progress = self.session.progress(samples.len() as u64, "row");
        let dim = matrix.dim();
        if samples.iter().enumerate().all(|(at, sample)| at == sample.row) {
            let mut at = 0;
            for block in matrix.blocks() {
                let block = block?;
                for values in block.chunks_exact(dim) {
                    if at < samples.len() {
                        written.push(at, values)?;
                    }
                    at += 1;
                }
                progress.advance((block.len() / dim) as u64);
            }
            if at != samples.len() {
                bail!("`{}` has {at} rows where it says {}", written.matrix.display(), samples.len());
            }
        } else {
            let folder = self.output.parent().filter(|parent| !parent.as_os_str().is_empty());
            let mut rows = matrix.any_order(folder.unwrap_or(Path::new(".")))?;
            let mut values = Vec::with_capacity(dim);
            for (at, sample) in samples.iter().enumerate() {
                rows.copy(sample.row, &mut values);
                written.push(at, &values)?;
                if (at + 1) % STEP == 0 {
                    progress.advance(STEP as u64);
                }
            }
        }
        drop(progress);
        let tool = concat!("extract ", env!("CARGO_PKG_VERSION")).to_owned();
        let lineage = Lineage { dataset: written.dataset.finish(), tool };
        Ok(Outcome { complete: written.writer.complete(&[], lineage, Vec::new())?, tally: written.tally })
    }
}

impl Written<'_> {
    /// Takes the row of the sample at `at`.
    fn push(&mut self, at: usize, values: &[f32]) -> Result<()> {
        let GivenSample { id, split, row } = &self.of.data.samples[at];
        if let Some((column, value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            bail!(
                "`{}`, row {}, column {}: {value} is no finite number of f32; mend it, or leave the row out",
                self.matrix.display(),
                row + 1,
                column + 1
            );
        }
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let content = Digest::of(&bytes);
        let drawn = || self.of.ratios.map(|ratios| ratios.split_of(&content));
        let split = split.or_else(drawn).context("rows without splits have ratios")?;
        let texts: Vec<&str> = self.of.data.columns.iter().map(|column| column.text(at)).collect();
        self.tally.add(split, self.of.data.labels().map(|labels| labels.codes()[at]));
        self.dataset.field(id.as_bytes());
        for text in &texts {
            self.dataset.field(text.as_bytes());
        }
        self.dataset.field(split.name().as_bytes()).field(content.as_bytes());
        Ok(self.writer.push(Row { id, texts: &texts, split, key: content, values })?)
    }
}

/// What rows are called: as was said, or as their file.
fn name(said: Option<String>, file: &Path) -> Result<String, UsageError> {
    let stem = || file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = said.unwrap_or_else(stem);
    let fits =
        !name.trim().is_empty() && name.chars().count() <= MOST_NAME && !name.contains(char::is_control);
    if fits {
        Ok(name)
    } else {
        Err(UsageError(format!("--name takes a line of 1 to {MOST_NAME} characters")))
    }
}

/// How rows without a split are shared out; `None` where every one has one.
fn ratios(asked: Option<Ratios>, data: &GivenRows, table: &Path) -> Result<Option<Ratios>, UsageError> {
    match (asked, data.samples.iter().any(|sample| sample.split.is_some())) {
        (Some(_), true) => {
            let table = table.display();
            Err(UsageError(format!("`{table}` has splits of its own; leave --split out")))
        }
        (_, true) => Ok(None),
        (asked, false) => Ok(Some(asked.unwrap_or(RATIOS))),
    }
}

/// What had better be known.
fn notes(matrix: &Matrix, data: &GivenRows, ratios: Option<Ratios>) -> Vec<String> {
    let rounded = matrix.rounded().map(|from| format!("numbers are rounded from {from} to f32"));
    let columns = matrix.columns().map(|names| {
        format!("{} columns of numbers are the features: {}", count(names.len() as u64), brief::few(names))
    });
    let left_out = (!data.left_out.is_empty()).then(|| {
        let names = brief::few(&data.left_out);
        format!("columns that hold neither text nor numbers are left out: {names}")
    });
    let unmatched = (data.unmatched > 0)
        .then(|| format!("{} rows of the labels name no row of the matrix", count(data.unmatched as u64)));
    let drawn = ratios
        .map(|ratios| format!("no splits given; {ratios} per cent for train/val/test by each row's content"));
    [columns, rounded, left_out, unmatched, drawn].into_iter().flatten().collect()
}

/// Names the flag that replaces what is there.
pub(crate) fn name_force(error: FeaturesError) -> anyhow::Error {
    match error {
        FeaturesError::Place(PlaceError::Exists(path)) => exists(&path),
        error => error.into(),
    }
}

/// Something lies where the output would.
pub(crate) fn exists(path: &Path) -> anyhow::Error {
    anyhow!("`{}` exists; give --force to replace it, or another name", path.display())
}
