//! Data sets in one file: JSONL, tars, and pictures in Parquet.

use flate2::{Compression, write::GzEncoder};
use polars::prelude::*;
use polars_io::{
    parquet::write::KeyValueMetadata,
    prelude::{ParquetCompression, ParquetWriter},
};
use std::io::Write as _;
use tar::{Builder, EntryType, Header};

pub(crate) fn write(write: &dyn Fn(&str, &str, &[u8])) {
    lines(write);
    tars(write);
    tables(write);
}

fn lines(write: &dyn Fn(&str, &str, &[u8])) {
    let plain = "{\"path\":\"a/1.png\",\"label\":\"a\",\"split\":\"train\"}\n{\"path\":\"b/2.png\",\"label\":\"b\",\"split\":\"test\"}\n";
    write("jsonl", "plain", plain.as_bytes());
    write("jsonl", "crlf", plain.replace('\n', "\r\n").as_bytes());
    // Nothing but paths, of files that are there wherever it is read: the file itself.
    write(
        "jsonl",
        "itself",
        b"{\"path\":\"m.jsonl\",\"tags\":[\"u\",\"v\"],\"box\":{\"x\":[1,null]},\"age\":1.50,\"t\":true}\n",
    );
    write("manifest", "itself", b"path,label,age\nm.csv,a,7\n");
}

fn tars(write: &dyn Fn(&str, &str, &[u8])) {
    let tree = tar(&[("a/1.png", "one"), ("a/1.txt", ""), ("b/2.jpg", "two")]);
    write("tar", "tree", &tree);
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&tree).unwrap();
    write("tar", "packed", &packed.finish().unwrap());
    let json = r#"{"label":"x","split":"val","n":1}"#;
    write(
        "tar",
        "keys",
        &tar(&[("1.png", "one"), ("1.cls", "0"), ("1.json", json), ("1.seg.png", ""), ("1.txt", "t")]),
    );
    write("tar", "splits", &tar(&[("train/a/1.png", "1"), ("train/b/1.png", "2"), ("test/a/1.png", "3")]));
    let mut odd = Builder::new(Vec::new());
    odd.append_pax_extensions([("path", &b"a/1.png"[..]), ("size", b"3")]).unwrap();
    put(&mut odd, "short", "one");
    for (kind, name) in
        [(EntryType::Link, "b/2.png"), (EntryType::Symlink, "b/3.png"), (EntryType::Directory, "c")]
    {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        odd.append_link(&mut header, name, "a/1.png").unwrap();
    }
    put(&mut odd, &format!("b/{}.png", "long".repeat(30)), "x");
    write("tar", "odd", &odd.into_inner().unwrap());
}

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    files.iter().for_each(|(name, text)| put(&mut tar, name, text));
    tar.into_inner().unwrap()
}

fn put(tar: &mut Builder<Vec<u8>>, name: &str, text: &str) {
    let mut header = Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, text.as_bytes()).unwrap();
}

fn tables(write: &dyn Fn(&str, &str, &[u8])) {
    let bytes = Series::new("bytes".into(), [&b"one"[..], b"two", b"three"]);
    let paths = Series::new("path".into(), ["a/1.png", "b/2.png", "b/3.png"]);
    let image = StructChunked::from_series("image".into(), 3, [bytes.clone(), paths.clone()].iter()).unwrap();
    let label = Series::new("label".into(), [0i64, 1, 1]);
    let hub = vec![image.into_series().into_column(), label.into_column()];
    let plain = vec![bytes.with_name("image".into()).into_column(), paths.into_column()];
    for (name, columns) in [("hub", hub), ("plain", plain)] {
        for (how, compression) in
            [("raw", ParquetCompression::Uncompressed), ("snappy", ParquetCompression::Snappy)]
        {
            let mut frame = DataFrame::new(3, columns.clone()).unwrap();
            let features = r#"{"info":{"features":{"label":{"names":["a","b"],"_type":"ClassLabel"}}}}"#;
            let notes = KeyValueMetadata::from_static(vec![("huggingface".to_owned(), features.to_owned())]);
            let mut file = Vec::new();
            let writer =
                ParquetWriter::new(&mut file).with_row_group_size(Some(2)).with_compression(compression);
            writer.with_key_value_metadata(Some(notes)).finish(&mut frame).unwrap();
            write("parquet", &format!("{name}-{how}"), &file);
        }
    }
}
