use super::*;
use polars_io::{
    parquet::write::KeyValueMetadata,
    prelude::{ParquetCompression, ParquetWriter},
};

const MOST: u64 = 1 << 20;

/// Row n holds this, every seventh nothing.
fn cell(n: usize) -> Option<Vec<u8>> {
    (n % 7 != 3).then(|| format!("{n}-").repeat(1 + n * 37 % 200).into_bytes())
}

fn bytes(rows: usize) -> Series {
    Series::new("bytes".into(), (0..rows).map(cell).collect::<Vec<_>>())
}

fn paths(rows: usize) -> Series {
    Series::new(
        "path".into(),
        (0..rows).map(|n| (n % 5 != 1).then(|| format!("{n}.png"))).collect::<Vec<_>>(),
    )
}

fn image(rows: usize) -> Column {
    StructChunked::from_series("image".into(), rows, [bytes(rows), paths(rows)].iter())
        .unwrap()
        .into_series()
        .into()
}

/// A file of these columns, in row groups and pages of this many rows or bytes.
fn write(columns: Vec<Column>, group: usize, page: usize, compression: ParquetCompression) -> Vec<u8> {
    let mut frame = DataFrame::new(columns[0].len(), columns).unwrap();
    let mut file = Vec::new();
    let notes = KeyValueMetadata::from_static(vec![("mine".to_owned(), "said".to_owned())]);
    let writer =
        ParquetWriter::new(&mut file).with_row_group_size(Some(group)).with_data_page_size(Some(page));
    writer.with_compression(compression).with_key_value_metadata(Some(notes)).finish(&mut frame).unwrap();
    file
}

fn open(file: &[u8]) -> Result<Option<Cells>, TableError> {
    thread_local! {
        // It lasts as long as the test, and no file is written twice: some are mapped.
        static ROOT: (tempfile::TempDir, std::cell::Cell<usize>) = (tempfile::tempdir().unwrap(), 0.into());
    }
    let path =
        ROOT.with(|(root, next)| root.path().join(format!("{}.parquet", next.replace(next.get() + 1))));
    std::fs::write(&path, file).unwrap();
    Cells::open(&path)
}

#[test]
fn rows_are_read_in_any_order() {
    for compression in [ParquetCompression::Uncompressed, ParquetCompression::Snappy] {
        for (group, page) in [(1000, 1 << 20), (64, 1000), (7, 100)] {
            for plain in [false, true] {
                let column = if plain { bytes(150).with_name("img".into()).into() } else { image(150) };
                let label = Series::new("label".into(), (0..150i64).collect::<Vec<_>>()).into();
                let cells = open(&write(vec![label, column], group, page, compression)).unwrap().unwrap();
                let table = crate::table::Table::open(cells.path(), &[]).unwrap();
                let notes = (table.note("mine"), table.note("none"));
                assert_eq!((cells.rows(), notes), (150, (Some("said"), None)));
                assert_eq!(cells.column(), if plain { "img" } else { "image" });
                for row in (0..150).chain((0..150).map(|n| n * 61 % 150)) {
                    match (cells.read(row, MOST), cell(row)) {
                        (Ok(found), Some(expected)) => assert!(found == expected, "{row}"),
                        (Err(error), None) => assert_eq!(error.to_string(), "its cell is empty"),
                        (found, _) => panic!("{row}: {found:?}"),
                    }
                }
                assert!(cells.read(150, MOST).unwrap_err().to_string().contains("no such row"));
                assert!(cells.read(2, 3).unwrap_err().to_string().contains("more than the 3 expected"));
                let names = cells.names().unwrap();
                assert_eq!(names.is_none(), plain);
                for (row, name) in names.unwrap_or_default().into_iter().enumerate() {
                    assert_eq!(name, (row % 5 != 1).then(|| format!("{row}.png")));
                }
            }
        }
    }
}

#[test]
fn a_column_is_chosen_by_what_it_is() {
    let text = |name: &str| Series::new(name.into(), ["x", "y"]).into_column();
    let binary = |name: &str| bytes(2).with_name(name.into()).into_column();
    for (columns, expected) in [
        (vec![text("path"), text("label")], None),
        (vec![text("path"), binary("thumbnail")], None),
        (vec![binary("mask"), binary("PNG")], Some("PNG")),
        (vec![binary("bytes"), text("image")], Some("bytes")),
        (vec![binary("mask"), image(2)], Some("image")),
    ] {
        let found = open(&write(columns, 10, 1000, ParquetCompression::Snappy)).unwrap();
        assert_eq!(found.as_ref().map(Cells::column), expected);
    }
    assert!(open(b"PAR1none").is_err() && open(b"").is_err());
}

#[test]
fn no_flipped_byte_panics() {
    let good = write(vec![image(20)], 8, 200, ParquetCompression::Snappy);
    let (mut refused, mut empty) = (0, 0);
    for at in 0..good.len() {
        let mut file = good.clone();
        file[at] ^= 1 << (at % 8);
        let found = open(&file).and_then(|cells| {
            let Some(cells) = cells else { return Ok(()) };
            empty += (0..cells.rows()).filter(|row| cells.read(*row, MOST).is_err()).count();
            cells.names().map(drop)
        });
        if let Err(error) = found {
            let message = error.to_string();
            assert!(!message.contains('\n') && message.chars().count() < 500, "{message}");
            refused += 1;
        }
    }
    assert!(refused > 50 && empty > 0, "{refused}, {empty}");
}

/// Each number of three bytes or more that a footer or a page's header may hold, made as large as can be.
#[test]
fn numbers_that_lie_take_no_memory() {
    let good = write(vec![image(20)], 8, 200, ParquetCompression::Snappy);
    for at in 0..good.len() - 5 {
        let mut file = good.clone();
        // The largest variable-length number of five bytes.
        file[at..at + 5].copy_from_slice(&[0xFE, 0xFF, 0xFF, 0xFF, 0x0F]);
        if let Ok(Some(cells)) = open(&file) {
            assert!(cells.rows() <= good.len(), "{at}");
            for row in 0..cells.rows() {
                assert!(cells.read(row, MOST).is_ok_and(|cell| cell.len() < 10_000) || row < 20, "{at}");
            }
        }
    }
}
