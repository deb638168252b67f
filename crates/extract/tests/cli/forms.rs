//! One data set in every form that it may come in: the rows of the folder, byte for byte.

use super::{Room, TOOL, extract};
use flate2::{Compression, write::GzEncoder};
use harness::Run;
use polars::prelude::*;
use polars_io::{parquet::write::KeyValueMetadata, prelude::ParquetWriter};
use std::{fs, io::Write as _};

/// A file of a data set.
struct File {
    id: String,
    bytes: Vec<u8>,
    label: String,
    split: &'static str,
}

/// The files in `photos`, whose classes are the folders.
fn files(room: &Room) -> Vec<File> {
    let file = |(path, bytes): (std::path::PathBuf, Vec<u8>)| {
        let id = path.to_str().unwrap().to_owned();
        let parts: Vec<&str> = id.split('/').collect();
        let split = if parts.len() == 3 { ["train", "val"][usize::from(parts[0] == "val")] } else { "" };
        let label = if parts.len() > 1 { parts[parts.len() - 2] } else { "" }.to_owned();
        File { bytes, label, split, id }
    };
    room.bytes("photos").into_iter().map(file).collect()
}

fn tar<'a>(files: impl Iterator<Item = (String, &'a [u8])>) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

/// As Hugging Face's data sets have it, in row groups of four.
fn parquet<'a>(files: impl Iterator<Item = &'a File> + Clone) -> Vec<u8> {
    let fields = [
        Series::new("bytes".into(), files.clone().map(|file| &file.bytes[..]).collect::<Vec<_>>()),
        Series::new("path".into(), files.clone().map(|file| file.id.as_str()).collect::<Vec<_>>()),
    ];
    let rows = fields[0].len();
    let image = StructChunked::from_series("image".into(), rows, fields.iter()).unwrap().into_series();
    let mut columns = vec![image.into_column()];
    if files.clone().all(|file| !file.label.is_empty()) {
        let numbers: Vec<i64> = files.map(|file| i64::from(file.label == "a")).collect();
        columns.push(Series::new("label".into(), numbers).into_column());
    }
    let mut frame = DataFrame::new(rows, columns).unwrap();
    let features = r#"{"info":{"features":{"label":{"names":["b","a"],"_type":"ClassLabel"}}}}"#;
    let notes = KeyValueMetadata::from_static(vec![("huggingface".to_owned(), features.to_owned())]);
    let mut bytes = Vec::new();
    let writer = ParquetWriter::new(&mut bytes).with_row_group_size(Some(4)).with_data_page_size(Some(1000));
    writer.with_key_value_metadata(Some(notes)).finish(&mut frame).unwrap();
    bytes
}

fn table(files: &[File], header: &str, row: impl Fn(&File) -> String) -> String {
    let rows: String = files.iter().rev().map(|file| row(file) + "\n").collect();
    format!("{header}{rows}")
}

/// What `inputs` gives is what `expected.features` is.
#[track_caller]
fn check(room: &Room, inputs: &[&str]) {
    same(room, extract(room, &[inputs, &["-o", "x.features"]].concat()), inputs);
}

#[track_caller]
fn check_piped(room: &Room, inputs: &[&str], piped: &[u8]) {
    let arguments = [inputs, &["-o", "x.features", "--device", "cpu"]].concat();
    let arguments = if cfg!(feature = "cuda") { &arguments[..] } else { &arguments[..arguments.len() - 2] };
    same(room, room.call_piped(TOOL, arguments, piped), inputs);
}

#[track_caller]
fn same(room: &Room, run: Run, inputs: &[&str]) {
    run.fine();
    assert!(room.bytes("x.features") == room.bytes("expected.features"), "{inputs:?}: other bytes");
    fs::remove_dir_all(room.path("x.features")).unwrap();
    assert!(room.names().iter().all(|name| !name.starts_with('.')), "{:?}", room.names());
}

#[test]
fn every_form_has_the_rows_of_the_folder() {
    for splits in [&[""][..], &["train/", "val/"]] {
        let room = Room::new();
        for split in splits {
            room.pictures(&format!("photos/{split}"), 2, 6);
        }
        let files = files(&room);
        extract(&room, &["photos", "-o", "expected.features"]).fine();
        let whole = tar(files.iter().rev().map(|file| (file.id.clone(), &file.bytes[..])));

        let (header, line): (_, fn(&File) -> String) = if splits.len() > 1 {
            ("path,label,split\n", |file| format!("{},{},{}", file.id, file.label, file.split))
        } else {
            ("path,label\n", |file| format!("{},{}", file.id, file.label))
        };
        room.write("m.csv", table(&files, header, line));
        check(&room, &["m.csv", "--root", "photos"]);
        let line = |file: &File| {
            let split =
                if splits.len() > 1 { format!(",\"split\":\"{}\"", file.split) } else { String::new() };
            format!("{{\"label\":\"{}\",\"path\":\"{}\"{split}}}", file.label, file.id)
        };
        room.write("m.jsonl", table(&files, "", line));
        check(&room, &["m.jsonl", "--root", "photos"]);

        room.write("x.tar", &whole);
        check(&room, &["x.tar"]);
        check_piped(&room, &["-"], &whole);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&whole).unwrap();
        let packed = packed.finish().unwrap();
        room.write("x.tgz", &packed);
        check(&room, &["x.tgz"]);
        check_piped(&room, &["-"], &packed);

        // A WebDataset in two shards, whose keys are what the folder calls its files.
        for shard in 0..2 {
            let own = files.iter().skip(shard).step_by(2);
            let own = own.flat_map(|file| {
                let label = (file.id.replace(".png", ".cls"), file.label.as_bytes());
                [(file.id.clone(), &file.bytes[..]), label]
            });
            room.write(&format!("web/s-{shard}.tar"), tar(own));
        }
        check(&room, &["web/s-{0..1}.tar"]);
        check(&room, &["web/s-0.tar", "web/s-1.tar"]);
        check(&room, &["web"]);

        for (split, name) in [("train", "train"), ("val", "validation"), ("", "all")] {
            let own = files.iter().filter(|file| file.split == split);
            if own.clone().next().is_some() {
                room.write(&format!("hub/{name}-00000-of-00001.parquet"), parquet(own));
            }
        }
        check(&room, &["hub"]);
        let pattern = if splits.len() > 1 {
            "hub/{train,validation}-00000-of-00001.parquet"
        } else {
            "hub/all-00000-of-00001.parquet"
        };
        check(&room, &[pattern]);
    }
}

#[test]
fn every_form_without_labels_has_the_rows_of_the_folder() {
    let room = Room::new();
    room.pictures("all", 1, 7);
    fs::rename(room.path("all/a"), room.path("photos")).unwrap();
    let files = files(&room);
    let run = extract(&room, &["photos", "-o", "expected.features"]).fine();
    let told = "no column `label`: say what is to be learnt by fit-head --target-columns";
    assert!(run.stderr().contains(told), "{}", run.stderr());

    room.write("m.csv", table(&files, "path\n", |file| file.id.clone()));
    check(&room, &["m.csv", "--root", "photos"]);
    room.write("m.ndjson", table(&files, "", |file| format!("{{\"path\":\"{}\"}}", file.id)));
    check(&room, &["m.ndjson", "--root", "photos"]);
    let list = table(&files, "", |file| format!("photos/{}", file.id));
    check_piped(&room, &["-", "--root", "photos"], list.as_bytes());
    check_piped(
        &room,
        &["-", "--root", "photos"],
        list.replace("photos/", "").replace('\n', "\0").as_bytes(),
    );
    let whole = tar(files.iter().map(|file| (format!("./photos/{}", file.id), &file.bytes[..])));
    room.write("x.tar", &whole);
    check(&room, &["x.tar"]);
    check_piped(&room, &["-"], &whole);
    room.write("x.parquet", parquet(files.iter()));
    check(&room, &["x.parquet"]);
}

#[test]
fn what_is_no_form_is_one_line() {
    let room = Room::new();
    room.pictures("photos", 2, 2);
    let whole = tar(files(&room).iter().map(|file| (file.id.clone(), &file.bytes[..])));
    room.write("cut.tar", &whole[..whole.len() / 2]);
    extract(&room, &["cut.tar", "-o", "x.features"])
        .failed(1, &["cannot read `cut.tar`", "not written or copied in full"]);
    room.write("x.tar", &whole);
    extract(&room, &["x.tar", "photos", "-o", "x.features"]).failed(1, &["`photos` is no .tar or .parquet"]);
    extract(&room, &["x.tar", "--root", "photos", "-o", "x.features"])
        .failed(1, &["`x.tar` has names of its own"]);
    room.call_piped(TOOL, &["-", "-o", "x.features"], b"photos/none.png\n").failed(
        1,
        &["`-`, row 1: `photos/none.png` is not a file; paths are relative to the current folder"],
    );
    room.call_piped(TOOL, &["-", "-o", "x.features"], &whole[..700]).failed(1, &["cannot read `-`"]);
    room.call_piped(TOOL, &["-", "-o", "none/x.features"], &whole).failed(1, &["none"]);
    room.call_piped(TOOL, &["-", "-o", "x.features"], b"").failed(1, &["standard input names no file"]);
    assert_eq!(room.names(), ["cut.tar", "photos", "x.tar"]);
}
