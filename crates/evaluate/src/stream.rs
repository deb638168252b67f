//! A table that is written some rows at a time, so that nobody holds it.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use anyhow::Context;
use polars::prelude::DataFrame;
use polars_io::parquet::write::BatchedWriter;
use polars_io::prelude::{
    CsvWriter, JsonFormat, JsonWriter, ParquetCompression, ParquetWriter, SerWriter as _,
};
use store::{Place, table::TableFormat};

/// The file so far; frames of the same columns follow one another.
pub(crate) struct TableStream<'a> {
    place: &'a Place,
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

impl<'a> TableStream<'a> {
    pub(crate) fn create(place: &'a Place, format: TableFormat) -> anyhow::Result<TableStream<'a>> {
        let file = place.open()?;
        let to = match format {
            TableFormat::Parquet => To::Parquet(Some(file), None),
            TableFormat::Csv => To::Csv(BufWriter::new(file), false),
            TableFormat::Json => To::Json(BufWriter::new(file), false),
        };
        Ok(TableStream { place, to })
    }

    /// Writes rows, one or more.
    pub(crate) fn push(&mut self, frame: &mut DataFrame) -> anyhow::Result<()> {
        let cannot = || format!("cannot write `{}`", self.place.target().display());
        match &mut self.to {
            To::Parquet(file, writer) => {
                if let Some(file) = file.take() {
                    let begun = ParquetWriter::new(file).with_compression(ParquetCompression::Snappy);
                    *writer = Some(Box::new(begun.batched(frame.schema()).with_context(cannot)?));
                }
                if let Some(writer) = writer {
                    writer.write_batch(frame).with_context(cannot)?;
                }
            }
            To::Csv(out, begun) => {
                CsvWriter::new(&mut *out).include_header(!*begun).finish(frame).with_context(cannot)?;
                *begun = true;
            }
            To::Json(out, begun) => {
                let mut text = Vec::new();
                JsonWriter::new(&mut text)
                    .with_json_format(JsonFormat::Json)
                    .finish(frame)
                    .with_context(cannot)?;
                // `[a,b]`: what stands between the brackets goes on with the array.
                let rows = text.strip_prefix(b"[").and_then(|rows| rows.strip_suffix(b"]")).unwrap_or(&text);
                out.write_all(if *begun { b"," } else { b"[" }).with_context(cannot)?;
                out.write_all(rows).with_context(cannot)?;
                *begun = true;
            }
        }
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let cannot = || format!("cannot write `{}`", self.place.target().display());
        match self.to {
            To::Parquet(_, Some(writer)) => writer.finish().map(|_| ()).with_context(cannot)?,
            To::Parquet(_, None) => {}
            To::Csv(mut out, _) => out.flush().with_context(cannot)?,
            To::Json(mut out, _) => {
                out.write_all(b"]").with_context(cannot)?;
                out.flush().with_context(cannot)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::df;
    use polars_io::prelude::{ParquetReader, SerReader as _};
    use store::table::write_at;

    #[test]
    fn frames_that_follow_one_another_are_one_table() {
        let folder = std::env::temp_dir().join(format!("headstart-stream-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let ours = store::Ours::table("a table", &[]);
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
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
