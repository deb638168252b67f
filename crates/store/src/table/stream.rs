//! A table that is written some rows at a time, so that nobody holds it.

use super::{TableError, TableFormat, first_line};
use crate::Place;
use polars::prelude::{DataFrame, PolarsError};
use polars_io::parquet::write::BatchedWriter;
use polars_io::prelude::{
    CsvWriter, JsonFormat, JsonWriter, ParquetCompression, ParquetWriter, SerWriter as _,
};
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

/// The file so far; frames of the same columns follow one another.
pub struct TableStream {
    path: PathBuf,
    to: To,
}

enum To {
    /// The schema is the first frame's.
    Parquet(Option<File>, Option<Box<BatchedWriter<File>>>),
    /// Whether the header is there.
    Csv(BufWriter<File>, bool),
    /// Whether the array has begun.
    Json(BufWriter<File>, bool),
}

impl TableStream {
    /// Begins a table at a place, which is committed once the table is finished.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn create(place: &Place, format: TableFormat) -> Result<TableStream, TableError> {
        let file = place.open()?;
        let to = match format {
            TableFormat::Parquet => To::Parquet(Some(file), None),
            TableFormat::Csv => To::Csv(BufWriter::new(file), false),
            TableFormat::Json => To::Json(BufWriter::new(file), false),
        };
        Ok(TableStream { path: place.target().to_owned(), to })
    }

    /// Writes rows, one or more.
    ///
    /// # Errors
    /// Where they cannot be said in the format, or the disk refuses.
    pub fn push(&mut self, frame: &mut DataFrame) -> Result<(), TableError> {
        let pushed = match &mut self.to {
            To::Parquet(file, writer) => push_parquet(file, writer, frame),
            To::Csv(out, begun) => {
                let begun = std::mem::replace(begun, true);
                CsvWriter::new(out).include_header(!begun).finish(frame)
            }
            To::Json(out, begun) => push_json(out, std::mem::replace(begun, true), frame),
        };
        pushed.map_err(|error| failed(&self.path, &error))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn finish(self) -> Result<(), TableError> {
        let finished = match self.to {
            To::Parquet(_, Some(writer)) => writer.finish().map(drop),
            To::Parquet(_, None) => Ok(()),
            To::Csv(mut out, _) => out.flush().map_err(PolarsError::from),
            To::Json(mut out, _) => out.write_all(b"]").and_then(|()| out.flush()).map_err(PolarsError::from),
        };
        finished.map_err(|error| failed(&self.path, &error))
    }
}

fn push_parquet(
    file: &mut Option<File>,
    writer: &mut Option<Box<BatchedWriter<File>>>,
    frame: &mut DataFrame,
) -> Result<(), PolarsError> {
    if let Some(file) = file.take() {
        let begun = ParquetWriter::new(file).with_compression(ParquetCompression::Snappy);
        *writer = Some(Box::new(begun.batched(frame.schema())?));
    }
    writer.as_mut().map_or(Ok(()), |writer| writer.write_batch(frame))
}

fn push_json(out: &mut BufWriter<File>, begun: bool, frame: &mut DataFrame) -> Result<(), PolarsError> {
    let mut text = Vec::new();
    JsonWriter::new(&mut text).with_json_format(JsonFormat::Json).finish(frame)?;
    // `[a,b]`: what stands between the brackets goes on with the array.
    let rows = text.strip_prefix(b"[").and_then(|rows| rows.strip_suffix(b"]")).unwrap_or(&text);
    out.write_all(if begun { b"," } else { b"[" })?;
    Ok(out.write_all(rows)?)
}

fn failed(path: &Path, error: &PolarsError) -> TableError {
    TableError::Write { path: path.to_owned(), reason: first_line(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ours, table::write_at};
    use polars::df;
    use polars_io::prelude::{ParquetReader, SerReader as _};

    #[test]
    fn frames_that_follow_one_another_are_one_table() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        let ours = Ours::table("a table", &[]);
        let frame = df!("id" => ["a", "b, \"c\"", "d"], "confidence" => [0.25, 0.5, 1.0]).unwrap();
        for (name, format) in
            [("t.csv", TableFormat::Csv), ("t.json", TableFormat::Json), ("t.parquet", TableFormat::Parquet)]
        {
            let whole = Place::file(&folder.join(format!("whole-{name}")), true, ours).unwrap();
            let parts = Place::file(&folder.join(format!("parts-{name}")), true, ours).unwrap();
            write_at(&mut frame.clone(), format, &whole).unwrap();
            let mut stream = TableStream::create(&parts, format).unwrap();
            stream.push(&mut frame.slice(0, 2)).unwrap();
            stream.push(&mut frame.slice(2, 1)).unwrap();
            stream.finish().unwrap();
            let (whole, parts) = (whole.temporary(), parts.temporary());
            if format == TableFormat::Parquet {
                let read = |path| ParquetReader::new(File::open(path).unwrap()).finish().unwrap();
                assert!(read(whole).equals(&read(parts)));
            } else {
                assert_eq!(std::fs::read(whole).unwrap(), std::fs::read(parts).unwrap(), "{name}");
            }
        }
    }
}
