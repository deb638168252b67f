//! What a Parquet file says of itself, looked through before polars reads it: polars asks for as much memory as lists and texts say
//! that they take.

use super::{first_line, guarded};
use polars::prelude::{PolarsResult, polars_ensure, polars_err};
use polars_parquet::read::{FileMetadata, RowGroupMetadata, read_metadata};
use polars_parquet_format::{FileMetaData, PageHeader, PageType, thrift::protocol::TCompactInputProtocol};
use std::io::Cursor;

/// Bytes of a page, unpacked: a thousand large pictures. What is small when it is packed must be smaller.
pub(super) const MOST_PAGE: usize = 1 << 30;
const MOST_BESIDE: usize = 64 << 20;
const MOST_TIMES: usize = 1024;
/// Bytes of a page's header, which may hold the first and the last of its values: pictures.
const MOST_HEADER: usize = 1 << 28;
/// What lists and texts may take for each byte that there is, where an element counts 8.
const MOST_A_BYTE: usize = 4;
/// Bytes that some writers forget to count in a column (PARQUET-816).
const FORGOTTEN: u64 = 100;

/// What the footer says. No list and no text of it, nor of a page's header, is longer than the file.
///
/// # Errors
/// Where one is, or the file is no Parquet.
pub(crate) fn metadata(file: &[u8]) -> Result<FileMetadata, String> {
    if let Some(footer) = footer(file) {
        let most = footer.len().saturating_mul(MOST_A_BYTE);
        FileMetaData::read_from_in_protocol(&mut TCompactInputProtocol::new(Cursor::new(footer), most))
            .map_err(|_| damaged("its footer"))?;
    }
    let metadata = guarded(|| read_metadata(&mut Cursor::new(file)))?;
    // Columns do not overlap, so that no page is looked at twice.
    let mut most = file.len() as u64;
    for column in metadata.row_groups.iter().flat_map(RowGroupMetadata::parquet_columns) {
        let range = column.byte_range();
        let length = range.end.saturating_sub(range.start).saturating_sub(FORGOTTEN);
        most = most.checked_sub(length).ok_or_else(|| damaged("a column"))?;
        let (mut at, end) = (range.start, range.end.min(file.len() as u64));
        while at < end {
            let rest = usize::try_from(at).ok().and_then(|at| file.get(at..)).unwrap_or_default();
            let page = header(rest).map_err(|error| first_line(&error))?;
            at = at.saturating_add(page.length as u64);
        }
    }
    Ok(metadata)
}

/// What a page says of itself.
pub(super) struct Header {
    /// In bytes, of the header and of its page.
    pub(super) length: usize,
    pub(super) rows: PageRows,
}

pub(super) enum PageRows {
    Data(usize),
    Dictionary,
    None,
}

/// The header at the beginning of `bytes`.
pub(super) fn header(bytes: &[u8]) -> PolarsResult<Header> {
    let mut cursor = Cursor::new(bytes);
    let most = bytes.len().saturating_mul(MOST_A_BYTE).min(MOST_HEADER);
    let read = PageHeader::read_from_in_protocol(&mut TCompactInputProtocol::new(&mut cursor, most));
    let header = read.map_err(|error| polars_err!(ComputeError: "a page's header is damaged: {error}"))?;
    let count = |what: &str, count: i32| {
        usize::try_from(count)
            .map_err(|_| polars_err!(ComputeError: "a page says that it has {count} {what}"))
    };
    let packed = count("bytes", header.compressed_page_size)?;
    let unpacked = count("bytes", header.uncompressed_page_size)?;
    let most = packed.saturating_mul(MOST_TIMES).saturating_add(MOST_BESIDE).min(MOST_PAGE);
    polars_ensure!(unpacked <= most, ComputeError: "a page unpacks to {unpacked} bytes, {most} at most are read");
    let values = match header.type_ {
        PageType::DATA_PAGE => header.data_page_header.map(|header| header.num_values),
        PageType::DATA_PAGE_V2 => header.data_page_header_v2.map(|header| header.num_values),
        PageType::DICTIONARY_PAGE => header.dictionary_page_header.map(|header| header.num_values),
        _ => None,
    };
    let values = values.map(|values| count("values", values)).transpose()?;
    let rows = match (header.type_, values) {
        (PageType::DICTIONARY_PAGE, _) => PageRows::Dictionary,
        (_, Some(values)) => PageRows::Data(values),
        _ => PageRows::None,
    };
    Ok(Header { length: (cursor.position() as usize).saturating_add(packed), rows })
}

/// The bytes before the last eight, which say how many there are. Nothing where polars will say what is wrong.
fn footer(file: &[u8]) -> Option<&[u8]> {
    let file = file.strip_suffix(b"PAR1")?;
    let (file, length) = file.split_last_chunk::<4>()?;
    let start = file.len().checked_sub(u32::from_le_bytes(*length) as usize)?;
    Some(&file[start..])
}

fn damaged(what: &str) -> String {
    format!("it is damaged, or was cut short: {what} says that it is longer than it can be; get it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::*;
    use polars_io::prelude::ParquetWriter;

    fn written(rows: i64, columns: usize) -> Vec<u8> {
        let column = |at: usize| {
            Column::new(format!("c{at}").into(), (0..rows).map(|n| format!("{n} {at}")).collect::<Vec<_>>())
        };
        let mut frame = DataFrame::new(rows as usize, (0..columns).map(column).collect()).unwrap();
        let mut bytes = Vec::new();
        let writer =
            ParquetWriter::new(&mut bytes).with_row_group_size(Some(100)).with_data_page_size(Some(500));
        writer.finish(&mut frame).unwrap();
        bytes
    }

    #[test]
    fn honest_files_pass_and_lengths_that_lie_are_told() {
        for (rows, columns) in [(0, 1), (1, 1), (1000, 1), (250, 40)] {
            let bytes = written(rows, columns);
            let found = metadata(&bytes).unwrap_or_else(|reason| panic!("{rows} × {columns}: {reason}"));
            assert_eq!(found.num_rows, rows as usize);
        }
        // The schema is a list of two structs; a longer one has a number behind its kind.
        let bytes = written(1, 1);
        let start = bytes.len() - 8 - footer(&bytes).unwrap().len();
        let list = start + bytes[start..].iter().position(|byte| *byte == 0x2C).unwrap();
        let lie =
            [&bytes[..list], &[0xFC, 0xFF, 0xFF, 0xFF, 0x7F], &bytes[list + 1..bytes.len() - 8]].concat();
        let length = u32::try_from(lie.len() - start).unwrap().to_le_bytes();
        let lie = [&lie[..], &length, b"PAR1"].concat();
        assert_eq!(metadata(&lie).unwrap_err(), damaged("its footer"));
    }

    #[test]
    fn pages_say_what_they_take() {
        let told = |bytes: &[u8]| header(bytes).err().map(|error| error.to_string()).unwrap_or_default();
        // A data page of 10 values in 100 bytes, which unpack to two GiB.
        let page = [
            0x15, 0x00, 0x15, 0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0x15, 0xC8, 0x01, 0x2C, 0x15, 0x14, 0x15, 0x00,
            0x15, 0x06, 0x15, 0x06, 0x00, 0x00,
        ];
        assert!(told(&page).contains("a page unpacks to 2147483647 bytes, 67211264 at most are read"));
        let mut page = page.to_vec();
        page.splice(3..8, [0xC8, 0x01]);
        assert!(matches!(header(&page), Ok(Header { length: 119, rows: PageRows::Data(10) })));
        // Of -1 values, and of -1 bytes.
        page[10] = 0x01;
        assert!(told(&page).contains("a page says that it has -1 values"), "{}", told(&page));
        page[6..8].copy_from_slice(&[0xC7, 0x01]);
        assert!(told(&page).contains("a page says that it has -100 bytes"), "{}", told(&page));
    }
}
