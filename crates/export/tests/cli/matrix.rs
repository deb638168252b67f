//! Features as a NumPy matrix, and their rows as a table.

use super::{Room, export};
use features::Features;
use harness::{Made, SmallDisk};
use sample::Split;
use std::fs;
use store::{matrix::Matrix, table};

/// (rows, width) and the values, by the format's own description.
fn npy(room: &Room, name: &str) -> ((usize, usize), Vec<f32>) {
    let bytes = fs::read(room.path(name)).unwrap();
    let (head, rest) = bytes.split_at(10);
    assert_eq!(&head[..8], b"\x93NUMPY\x01\0");
    let length = usize::from(u16::from_le_bytes([head[8], head[9]]));
    assert_eq!((10 + length) % 64, 0);
    let (header, data) = rest.split_at(length);
    let header = str::from_utf8(header).unwrap();
    assert!(
        header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (") && header.ends_with('\n')
    );
    let shape = header.split_once("(").unwrap().1.split_once(")").unwrap().0.split_once(", ").unwrap();
    let values: Vec<f32> = data.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let shape = (shape.0.parse().unwrap(), shape.1.parse().unwrap());
    assert_eq!(values.len(), shape.0 * shape.1);
    (shape, values)
}

fn room() -> Room {
    let room = Room::new();
    room.features("x.features", &Made::default());
    room
}

#[test]
fn the_matrix_is_the_features_and_the_table_its_rows() {
    let room = room();
    let run = export(&room, &["x.features", "-o", "x.npy", "--rows", "rows.csv"]).fine();
    assert_eq!(run.stdout(), "");
    assert_eq!(run.stderr(), "export: 150 rows of 20 features → x.npy\n");
    let features = Features::open(&room.path("x.features")).unwrap();
    let every: Vec<usize> = (0..features.len()).collect();
    assert_eq!(npy(&room, "x.npy"), ((150, 20), features.matrix(&every)));

    let rows = table::read(&room.path("rows.csv")).unwrap();
    assert_eq!(rows.get_column_names(), ["id", "split", "label"]);
    for row in every {
        let [id, split, label] =
            ["id", "split", "label"].map(|name| rows.column(name).unwrap().str().unwrap().get(row).unwrap());
        assert_eq!((id, split), (features.id(row), features.split(row).name()));
        assert_eq!(label, features.text(row, "label"));
    }
    assert_eq!(room.names(), ["rows.csv", "x.features", "x.npy"]);
}

#[test]
fn one_split_of_it() {
    let room = room();
    export(&room, &["x.features", "-o", "val.npy", "--split", "val", "--rows", "val.json"]).fine();
    let features = Features::open(&room.path("x.features")).unwrap();
    let rows = features.rows_of(Split::Val);
    assert_eq!(npy(&room, "val.npy"), ((30, 20), features.matrix(&rows)));
    let table: serde_json::Value = serde_json::from_slice(&fs::read(room.path("val.json")).unwrap()).unwrap();
    assert_eq!((table.as_array().unwrap().len(), &table[0]["split"]), (30, &"val".into()));

    room.features("train.features", &Made { rows: [4, 0, 0], ..Made::default() });
    let run = export(&room, &["train.features", "-o", "test.npy", "--split", "test"]);
    run.failed(1, &["no rows in test"]);
    assert!(!room.path("test.npy").exists());
}

#[test]
fn views_come_only_where_they_are_asked_for() {
    let room = room();
    room.features("v.features", &Made { views: 3, ..Made::default() });
    for features in ["x.features", "v.features"] {
        export(&room, &[features, "-o", &format!("{features}.npy"), "--rows", &format!("{features}.csv")])
            .fine();
    }
    for end in ["npy", "csv"] {
        let [plain, viewed] = ["x", "v"].map(|name| room.bytes(&format!("{name}.features.{end}")));
        assert_eq!(plain, viewed, "{end}");
    }
    let flags = ["--views", "--split", "train", "--rows", "rows.csv"];
    let run = export(&room, &[&["v.features", "-o", "all.npy"], &flags[..]].concat()).fine();
    assert_eq!(run.stderr(), "export: 270 rows of 20 features → all.npy\n");
    let features = Features::open(&room.path("v.features")).unwrap();
    let train: Vec<usize> = (0..features.len()).filter(|&row| features.split(row) == Split::Train).collect();
    assert_eq!(npy(&room, "all.npy"), ((270, 20), features.matrix(&train)));
    let rows = table::read(&room.path("rows.csv")).unwrap();
    assert_eq!(rows.get_column_names(), ["id", "split", "label", "view"]);
    let views: Vec<Option<&str>> = rows.column("view").unwrap().str().unwrap().iter().collect();
    assert!(views.iter().eq([Some("0"), Some("1"), Some("2")].iter().cycle().take(270)));
}

#[test]
fn one_file_holds_rows_and_what_is_said_of_them() {
    let room = room();
    room.features("v.features", &Made { views: 3, ..Made::default() });
    let features = Features::open(&room.path("x.features")).unwrap();
    let every: Vec<usize> = (0..features.len()).collect();
    for name in ["x.parquet", "x.arrow", "x.feather", "x.safetensors"] {
        let run = export(&room, &["x.features", "-o", name]).fine();
        assert_eq!(run.stderr(), format!("export: 150 rows of 20 features → {name}\n"));
        let first = fs::read(room.path(name)).unwrap();
        let mut matrix = Matrix::open(&room.path(name)).unwrap();
        assert_eq!((matrix.rows(), matrix.dim(), matrix.columns()), (150, 20, None));
        let table = matrix.take_table().unwrap().unwrap();
        assert_eq!(table.names()[..3], ["id", "split", "label"], "{name}");
        let text = |column: &str, row| table.texts(column).unwrap().get(row).unwrap();
        for &row in &every {
            assert_eq!((text("id", row), text("split", row)), (features.id(row), features.split(row).name()));
            assert_eq!(text("label", row), features.text(row, "label"));
        }
        let values: Vec<f32> = matrix.blocks().flat_map(Result::unwrap).collect();
        assert_eq!(values, features.matrix(&every), "{name}");

        // Ours is replaced, by the same bytes; somebody else's is not.
        export(&room, &["x.features", "-o", name]).failed(1, &["exists", "--force"]);
        export(&room, &["x.features", "-o", name, "--force"]).fine();
        assert_eq!(fs::read(room.path(name)).unwrap(), first, "{name}");
        room.write(name, "PAR1 somebody else's");
        export(&room, &["x.features", "-o", name, "--force"]).failed(1, &["not features that export wrote"]);

        fs::remove_file(room.path(name)).unwrap();
        export(&room, &["v.features", "-o", name, "--views", "--split", "train"]).fine();
        let mut matrix = Matrix::open(&room.path(name)).unwrap();
        let table = matrix.take_table().unwrap().unwrap();
        let views = (0..270).map(|row| table.texts("view").unwrap().get(row).unwrap());
        assert!(matrix.rows() == 270 && views.eq(["0", "1", "2"].into_iter().cycle().take(270)), "{name}");
    }
}

#[test]
fn damaged_features() {
    let room = room();
    let refused = |parts: &[&str]| {
        export(&room, &["x.features", "-o", "x.npy", "--rows", "x.csv"]).failed(1, parts);
        assert_eq!(room.names(), ["x.features"]);
    };
    let shard = room.path("x.features/shard-00002.rkyv");
    let whole = fs::read(&shard).unwrap();
    harness::flip(&shard);
    refused(&["cannot read `x.features`", "`shard-00002.rkyv` is damaged", "rerun extract"]);
    fs::write(&shard, &whole[..whole.len() / 2]).unwrap();
    refused(&["`shard-00002.rkyv` is ", "bytes, index says", "rerun extract"]);
    let mut newer = whole.clone();
    newer[8] = 9;
    fs::write(&shard, newer).unwrap();
    refused(&["`shard-00002.rkyv` has format 9, newer than this program's 3"]);
    fs::write(&shard, whole).unwrap();

    let index = room.path("x.features/index.json");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, text.replacen("\"schema\": 4", "\"schema\": 9", 1)).unwrap();
    refused(&["cannot read `x.features`: schema 9 is newer than this program's 4", "update Headstart"]);
    fs::write(&index, &text[..text.len() / 2]).unwrap();
    refused(&["cannot read `x.features`: its index is malformed", "rerun extract"]);
}

#[test]
fn wrong_calls() {
    let room = room();
    room.write("x.head", "no matter what");
    let cases: [(&[&str], &str); 13] = [
        (&["x.head", "-o", "x.npy"], "--to npy takes a features folder, got the file `x.head`"),
        (&["x.features", "-o", "x.onnx"], "a model is made of a head, got the folder `x.features`"),
        (&["x.features", "-o", "model"], "for its rows use --to npy, parquet or arrow"),
        (&["x.features", "-o", "x.npy", "--weights", "w"], "--weights goes with a model"),
        (&["x.head", "-o", "x.onnx", "--split", "val"], "--split and --views go with features"),
        (&["x.head", "-o", "x.onnx", "--rows", "r.csv"], "--rows goes with --to npy"),
        (&["x.features", "-o", "x.parquet", "--rows", "r.csv"], "--rows goes with --to npy"),
        (&["x.head", "-o", "x.arrow"], "--to arrow takes a features folder, got the file `x.head`"),
        (&["x.head", "-o", "x.safetensors"], "a model in safetensors is a folder"),
        (&["x.features", "-o", "x.npy", "--split", "half"], "expected train, val or test"),
        (&["x.features", "-o", "x.npy", "--rows", "r.txt"], "expected .parquet, .csv or .json"),
        (&["x.features", "-o", "x.csv", "--to", "npy", "--rows", "x.csv"], "both name `x.csv`"),
        (
            &["x.head", "-o", "x.onnx", "--tolerance", "nan"],
            "--tolerance takes a number from 0 to 1, got NaN",
        ),
    ];
    for (arguments, part) in cases {
        export(&room, arguments).failed(2, &[part]);
    }
    export(&room, &["x.features"]).failed(2, &["--output"]);
    assert_eq!(room.names(), ["x.features", "x.head"]);
}

#[test]
fn outputs_come_both_or_none() {
    let room = room();
    let arguments = ["x.features", "-o", "x.npy", "--rows", "rows.csv"];
    room.write("rows.csv", "mine");
    export(&room, &arguments).failed(1, &["`rows.csv` exists", "--force"]);
    assert_eq!(room.names(), ["rows.csv", "x.features"]);
    let forced = [&arguments[..], &["--force"]].concat();
    export(&room, &forced)
        .failed(1, &["`rows.csv` exists and is another text or table, not a table of export"]);
    fs::remove_file(room.path("rows.csv")).unwrap();
    for _ in 0..2 {
        export(&room, &forced).fine();
    }
    export(&room, &arguments).failed(1, &["`x.npy` exists", "--force"]);
    export(&room, &["x.features", "-o", "x.features", "--to", "npy", "--force"])
        .failed(1, &["`x.features` exists and is a folder, not a file"]);
    assert!(Features::open(&room.path("x.features")).is_ok());
    export(&room, &["none.features", "-o", "n.npy"])
        .failed(1, &["`none.features`", "folder that extract wrote"]);
    export(&room, &["x.features", "-o", "gone/n.npy"]).failed(1, &["cannot write `gone/n.npy`"]);
    assert_eq!(room.names(), ["rows.csv", "x.features", "x.npy"]);
}

#[test]
fn a_full_disk() {
    let room = room();
    // Room for a part of the matrix, and for the matrix but not for the table.
    let npy: &[&str] = &["disk/x.npy", "--rows", "disk/rows.json"];
    let others = ["disk/x.parquet", "disk/x.arrow", "disk/x.safetensors"].map(|name| (4096, vec![name]));
    for (free, output) in [(4096, npy.to_vec()), (12_288, npy.to_vec())].into_iter().chain(others) {
        let Some(disk) = SmallDisk::mount(&room, free) else { return };
        let run = export(&room, &[&["x.features", "-o"][..], &output].concat());
        run.failed(1, &["cannot write `disk/", "No space left on device"]);
        assert_eq!(disk.names(), [""; 0], "{free} bytes free");
        drop(disk);
        fs::remove_dir(room.path("disk")).unwrap();
    }
}
