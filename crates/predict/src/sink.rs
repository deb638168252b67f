//! Where rows go: a table, or lines of JSON.

use crate::{
    config::{Config, Output},
    lines,
    row::{Outputs, Row},
    table,
};
use anyhow::Result;
use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
};
use store::{
    Columns, Ours, Place, distinct,
    table::{TableFormat, TableStream, formula, formula_warning},
};

/// Numbers of a table that are held before they are written.
const HELD: usize = 1 << 19;
/// Rows of it at most.
const MOST_ROWS: usize = 1 << 14;

const TABLE: Ours = Ours::table(
    "a table of predict",
    &[
        Columns {
            first: &["id", "predicted"],
            more: &[
                "confidence",
                "rejected",
                "accepted",
                "distance",
                "novel",
                "top",
                "probabilities",
                "probability:",
                "error",
            ],
        },
        Columns { first: &["id", "predicted:"], more: &["predicted:", "distance", "novel", "error"] },
    ],
);
/// Each line begins so.
const LINES: Ours = Ours::file("lines of predict", &[br#"{"id":"#]);

/// The output's place, which is taken before anything takes long.
pub(crate) struct Claim(Option<Place>);

impl Claim {
    /// # Errors
    /// Where the output exists (without `--force`), is something that is read, or cannot be written.
    pub(crate) fn new(config: &Config) -> Result<Claim> {
        let place = match &config.output {
            Output::Stdout => None,
            Output::Lines(path) => Some(Place::file(path, config.force, LINES)?),
            Output::Table(path) => Some(Place::file(path, config.force, TABLE)?),
        };
        if let Some(place) = &place {
            distinct(&[place], config.files())?;
        }
        Ok(Claim(place))
    }
}

/// An output in the making.
pub(crate) struct Sink {
    outputs: Outputs,
    to: To,
    /// What a spreadsheet would run, of a CSV file.
    formula: Option<String>,
}

enum To {
    Stdout,
    Lines(Place, BufWriter<File>),
    Table { place: Place, format: TableFormat, stream: TableStream, held: Vec<Row> },
}

impl Sink {
    /// Begins the output.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn create(claim: Claim, output: &Output, outputs: &Outputs) -> Result<Sink> {
        let to = match (output, claim.0) {
            (Output::Stdout, _) | (_, None) => To::Stdout,
            (Output::Lines(_), Some(place)) => {
                let out = BufWriter::new(place.open()?);
                To::Lines(place, out)
            }
            (Output::Table(path), Some(place)) => {
                let format = TableFormat::of(path)?;
                let stream = TableStream::create(&place, format)?;
                To::Table { place, format, stream, held: Vec::new() }
            }
        };
        Ok(Sink { outputs: outputs.clone(), to, formula: None })
    }

    /// Writes rows; whether anybody still reads.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub(crate) fn push(&mut self, rows: Vec<Row>) -> Result<bool> {
        match &mut self.to {
            To::Stdout => {
                let text: String = rows.iter().map(|row| lines::line(row, &self.outputs) + "\n").collect();
                let mut out = io::stdout().lock();
                match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                    // Who closes the pipe has read enough.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(false),
                    written => written.map_err(|error| anyhow::anyhow!("cannot write to stdout: {error}"))?,
                }
            }
            To::Lines(place, out) => {
                for row in &rows {
                    writeln!(out, "{}", lines::line(row, &self.outputs))
                        .map_err(|error| place.failed(error))?;
                }
            }
            To::Table { format, stream, held, .. } => {
                if *format == TableFormat::Csv && self.formula.is_none() {
                    let texts = rows.iter().map(|row| row.id.as_str());
                    let names = self.outputs.names.iter().map(String::as_str);
                    self.formula = formula(texts.chain(names)).map(str::to_owned);
                }
                held.extend(rows);
                if held.len() >= (HELD / self.outputs.width()).clamp(1, MOST_ROWS) {
                    write(stream, held, &self.outputs, *format)?;
                }
            }
        }
        Ok(true)
    }

    /// Puts the output into its place; what is to be known of it.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub(crate) fn finish(self) -> Result<Option<String>> {
        match self.to {
            To::Stdout => {}
            To::Lines(place, mut out) => {
                out.flush().map_err(|error| place.failed(error))?;
                drop(out);
                place.commit()?;
            }
            To::Table { place, format, mut stream, mut held } => {
                write(&mut stream, &mut held, &self.outputs, format)?;
                stream.finish()?;
                place.commit()?;
            }
        }
        Ok(self.formula.map(|text| formula_warning(&text)))
    }
}

fn write(
    stream: &mut TableStream,
    held: &mut Vec<Row>,
    outputs: &Outputs,
    format: TableFormat,
) -> Result<()> {
    if !held.is_empty() {
        stream.push(&mut table::frame(held, outputs, format)?)?;
        held.clear();
    }
    Ok(())
}
