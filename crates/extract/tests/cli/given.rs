//! Rows that are there already.

use super::*;
use sample::Split;
use std::fmt::Write as _;
use store::matrix::{self, Layout, Written};

const ROWS: usize = 60;
const DIM: usize = 5;

fn value(row: usize, column: usize) -> f32 {
    (row * 7 + column) as f32 / 8.0 - 3.0
}

/// The matrix as NumPy saves it: `values` are the numbers' bytes.
fn npy(descr: &str, fortran: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let dictionary = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let length = (10 + dictionary.len() + 1).next_multiple_of(64) - 10;
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(dictionary.as_bytes());
    bytes.resize(10 + length - 1, b' ');
    bytes.push(b'\n');
    bytes.extend(values);
    bytes
}

fn every() -> impl Iterator<Item = f32> {
    (0..ROWS).flat_map(|row| (0..DIM).map(move |column| value(row, column)))
}

fn plain() -> Vec<u8> {
    npy("<f4", "False", "(60, 5)", &every().flat_map(f32::to_le_bytes).collect::<Vec<_>>())
}

/// `id,label,split,who`, in any order.
fn labels(order: impl Iterator<Item = usize>) -> String {
    let mut text = "id,label,split,who\n".to_owned();
    for row in order {
        let (label, split) = (["cat", "dog", "eel"][row % 3], Split::ALL[row % 4 % 3].name());
        writeln!(text, "s{row},{label},{split},p{}", row % 7).unwrap();
    }
    text
}

/// The same table with an object a line.
fn json_lines(csv: &str) -> String {
    let mut rows = csv.lines().map(|line| line.split(','));
    let names: Vec<&str> = rows.next().unwrap().collect();
    let field = |(name, value): (&&str, &str)| format!("\"{name}\":\"{value}\"");
    rows.map(|row| {
        let fields: Vec<String> = names.iter().zip(row).map(field).collect();
        format!("{{{}}}\n", fields.join(","))
    })
    .collect()
}

/// A room with the rows of `X.npy` as features.
fn room_of_rows() -> Room {
    let room = Room::new();
    room.write("X.npy", plain());
    room.write("y.csv", labels(0..ROWS));
    extract(&room, &["--from-npy", "X.npy", "--labels", "y.csv", "-o", "x.features"]).fine();
    room
}

#[test]
fn rows_and_labels_become_features() {
    let room = Room::new();
    room.write("X.npy", plain());
    room.write("y.csv", labels(0..ROWS));
    let run = extract(&room, &["--from-npy", "X.npy", "--labels", "y.csv", "-o", "x.features"]).fine();
    let expected = "extract: 30 train, 15 val, 15 test; 3 classes: cat 20, dog 20, eel 20\n\
                    extract: 60 rows of 5 features → x.features\n";
    assert_eq!(run.stderr(), expected);
    let features = open(&room, "x.features");
    assert_eq!(
        (features.len(), features.dim(), features.columns()),
        (60, 5, &["label".into(), "who".into()][..])
    );
    assert_eq!(features.index().source.name(), "rows X");
    assert!((1..ROWS).all(|row| features.id(row - 1) < features.id(row)));
    for row in 0..ROWS {
        let own: usize = features.id(row)[1..].parse().unwrap();
        let values: Vec<f32> = (0..DIM).map(|column| value(own, column)).collect();
        assert_eq!(features.matrix(&[row]), values, "{own}");
        assert_eq!(features.text(row, "label"), ["cat", "dog", "eel"][own % 3]);
        assert_eq!(features.split(row), Split::ALL[own % 4 % 3]);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(features.key(row), store::Digest::of(&bytes), "a row's key is that of its f32 bytes");
    }
    assert_eq!(room.names(), ["X.npy", "x.features", "y.csv"]);
}

#[test]
fn every_type_and_order_of_numbers_gives_the_same_rows() {
    let room = room_of_rows();
    let expected = room.bytes("x.features");
    let doubles: Vec<u8> = every().flat_map(|value| f64::from(value).to_be_bytes()).collect();
    let columns = (0..DIM).flat_map(|column| (0..ROWS).map(move |row| value(row, column)));
    room.write("f8/X.npy", npy(">f8", "False", "(60, 5)", &doubles));
    room.write(
        "fortran/X.npy",
        npy("<f4", "True", "(60, 5)", &columns.flat_map(f32::to_le_bytes).collect::<Vec<_>>()),
    );
    let floats: Vec<u8> = every().flat_map(f32::to_le_bytes).collect();
    let header = br#"{"other":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"x":{"dtype":"F32","shape":[60,5],"data_offsets":[0,1200]}}"#;
    let safetensors = [&(header.len() as u64).to_le_bytes()[..], header, &floats].concat();
    room.write("st/X.safetensors", &safetensors);
    // The same labels in another order are matched by their ids only where both have some.
    for (file, rounded) in [
        ("f8/X.npy", true),
        ("fortran/X.npy", false),
        ("st/X.safetensors", false),
        ("st/X.safetensors:x", false),
    ] {
        let out = ["--labels", "y.csv", "--name", "X", "--force", "-o", "y.features"];
        let run = extract(&room, &[&["--from-rows", file][..], &out].concat()).fine();
        assert_eq!(run.stderr().contains("numbers are rounded from f64 to f32"), rounded, "{}", run.stderr());
        assert!(room.bytes("y.features") == expected, "{file}");
    }
    room.write("y.jsonl", json_lines(&labels(0..ROWS)));
    extract(&room, &["--from-npy", "X.npy", "--labels", "y.jsonl", "--force", "-o", "y.features"]).fine();
    assert!(room.bytes("y.features") == expected, "JSONL says what CSV does");
    let ints: Vec<u8> = (0..ROWS * DIM).map(|at| (at % 251) as u8).collect();
    room.write("u1.npy", npy("|u1", "False", "(60, 5)", &ints));
    extract(&room, &["--from-npy", "u1.npy", "-o", "u1.features"]).fine();
    assert_eq!(open(&room, "u1.features").matrix(&[1]), [5.0, 6.0, 7.0, 8.0, 9.0]);
}

#[test]
fn what_export_writes_gives_the_same_shards() {
    let room = room_of_rows();
    let features = open(&room, "x.features");
    let columns = ["id", "split", "label", "who"];
    for (layout, name) in [
        (Layout::Parquet, "back/X.parquet"),
        (Layout::Arrow, "back/X.arrow"),
        (Layout::Safetensors, "back/X.safetensors"),
    ] {
        let written = Written {
            rows: features.len(),
            dim: features.dim(),
            columns: &columns,
            text: &|row, column| match columns[column] {
                "id" => features.id(row),
                "split" => features.split(row).name(),
                name => features.text(row, name),
            },
            values: &|row, out| features.copy_row(row, out),
        };
        let mut bytes = Vec::new();
        matrix::write(layout, &mut bytes, &written).unwrap();
        room.write(name, bytes);
        extract(&room, &["--from-rows", name, "-o", "y.features", "--force"]).fine();
        assert!(room.bytes("y.features") == room.bytes("x.features"), "{layout:?}");
        // Labels in any order, where the file has ids; and some that are of other rows.
        room.write("shuffled.csv", labels((0..ROWS + 3).rev()).replace("cat", "cow"));
        let run =
            extract(&room, &["--from-rows", name, "--labels", "shuffled.csv", "-o", "z.features", "--force"]);
        let line = "extract: 3 rows of the labels name no row of the matrix\n";
        assert!(run.fine().stderr().contains(line));
        let relabelled = open(&room, "z.features");
        assert_eq!(relabelled.column("label").unwrap().words(), ["cow", "dog", "eel"]);
        assert_eq!(relabelled.matrix(&[7]), features.matrix(&[7]));
        assert!((0..ROWS).all(|row| relabelled.text(row, "who") == features.text(row, "who")));
    }
}

#[test]
fn rows_without_names_are_counted_and_shared_out() {
    let room = Room::new();
    room.write("X.npy", plain());
    let words: Vec<u8> =
        (0..ROWS).flat_map(|row| [b'x' as u32 + row as u32 % 2, 0].map(u32::to_le_bytes)).flatten().collect();
    room.write("y.npy", npy("<U2", "False", "(60,)", &words));
    let run =
        extract(&room, &["--from-npy", "X.npy", "--labels", "y.npy", "-o", "x.features", "--split", "50/50"])
            .fine();
    let line = "no splits given; 50/0/50 per cent for train/val/test by each row's content";
    assert!(run.stderr().contains(line), "{}", run.stderr());
    let features = open(&room, "x.features");
    assert_eq!((features.id(0), features.id(59)), ("row-0000001", "row-0000060"));
    assert_eq!(features.column("label").unwrap().words(), ["x", "y"]);
    // A row stays where it is when others go, whatever it is called.
    let some: Vec<u8> = every().skip(5 * DIM).flat_map(f32::to_le_bytes).collect();
    room.write("X.npy", npy("<f4", "False", "(55, 5)", &some));
    extract(&room, &["--from-npy", "X.npy", "-o", "some.features", "--split", "50/50", "--dtype", "bf16"])
        .fine();
    let fewer = open(&room, "some.features");
    assert!((0..55).all(|row| fewer.split(row) == features.split(row + 5) && fewer.key(row) == features.key(row + 5)));
    assert_eq!(fewer.columns(), [""; 0]);
}

#[test]
fn numbers_that_are_none_are_told_with_their_place() {
    let room = Room::new();
    for (descr, bytes, told) in [
        ("<f4", f32::NAN.to_le_bytes().to_vec(), "row 3, column 2: NaN is no finite number"),
        ("<f8", 1e300_f64.to_le_bytes().to_vec(), "row 3, column 2: inf is no finite number"),
    ] {
        let zero = vec![0; bytes.len()];
        let all: Vec<u8> =
            (0..12).flat_map(|at| if at == 9 { bytes.clone() } else { zero.clone() }).collect();
        room.write("X.npy", npy(descr, "False", "(3, 4)", &all));
        extract(&room, &["--from-npy", "X.npy", "-o", "x.features", "--shard-size", "1"])
            .failed(1, &["`X.npy`, ", told]);
        assert_eq!(room.names(), ["X.npy"]);
    }
    room.write("X.npy", npy("<f4", "False", "(1, 1)", &1e5_f32.to_le_bytes()));
    extract(&room, &["--from-npy", "X.npy", "-o", "x.features", "--dtype", "f16"])
        .failed(1, &["has the value 100000 in column 0, more than f16 holds"]);
}

#[test]
fn files_that_are_no_matrices() {
    let room = Room::new();
    let floats = vec![0; 48];
    let cases: [(&str, Vec<u8>, &str); 14] = [
        (
            "a.npy",
            npy("<f4", "False", "(3, 5)", &floats),
            "says 3 rows of 5 numbers, of 4 bytes each; 48 bytes are there",
        ),
        ("b.npy", npy("<f4", "False", "(3, 3)", &floats), "48 bytes are there"),
        (
            "c.npy",
            npy("<f4", "False", "(9223372036854775807, 9223372036854775807)", &floats),
            "48 bytes are there",
        ),
        ("d.npy", npy("<f4", "False", "(12,)", &floats), "12 numbers in a row; expected rows and columns"),
        ("e.npy", npy("<f4", "False", "(3, 2, 2)", &floats), "the shape [3, 2, 2]; expected two sides"),
        ("f.npy", npy("|O", "False", "(3, 2)", &floats), "Python objects, which are never loaded"),
        ("g.npy", npy("<c8", "False", "(3, 2)", &floats), "values of the type `<c8`"),
        ("h.npy", npy("<f4", "Maybe", "(3, 4)", &floats), "its header is damaged"),
        ("i.npy", npy("<f4", "False", "(0, 4)", &[]), "it has no rows"),
        ("j.npz", b"PK\x03\x04....".to_vec(), "an archive such as .npz; save its array by itself"),
        ("k.pkl", b"\x80\x05....".to_vec(), "a pickle, which is never loaded"),
        ("l.csv", b"1,2,3\n".to_vec(), "expected .npy, .parquet, .arrow or .safetensors"),
        ("m.parquet", b"PAR1....PAR1".to_vec(), "cannot read `m.parquet`: "),
        ("n.arrow", b"ARROW1\0\0........ARROW1".to_vec(), "it is damaged, or was cut short"),
    ];
    for (name, bytes, told) in &cases {
        room.write(name, bytes);
        extract(&room, &["--from-rows", name, "-o", "x.features"]).failed(1, &[name, told]);
    }
    extract(&room, &["--from-rows", "none.npy", "-o", "x.features"]).failed(1, &["cannot read `none.npy`"]);
    assert!(!room.path("x.features").exists());
}

#[test]
fn labels_that_do_not_fit() {
    let room = Room::new();
    room.write("X.npy", plain());
    let cases = [
        (labels(0..ROWS - 1), "`y.csv` has 59 rows, the matrix has 60"),
        (labels(0..ROWS).replace("s7,", "s6,"), "row 8 (line 9): `s6` is already in row 7 (line 8)"),
        (labels(0..ROWS).replace("s7,", "../x,"), "row 8 (line 9): `../x` is no id of a sample"),
        (labels(0..ROWS).replace(",dog,", ",,"), "row 2 (line 3): `label` is empty"),
        (labels(0..ROWS).replace(",val,", ",half,"), "row 2 (line 3): split `half` is unknown"),
    ];
    for (text, told) in cases {
        room.write("y.csv", text);
        extract(&room, &["--from-npy", "X.npy", "--labels", "y.csv", "-o", "x.features"]).failed(1, &[told]);
    }
    assert_eq!(room.names(), ["X.npy", "y.csv"]);
}

#[test]
fn wrong_calls() {
    let room = room_of_rows();
    let call = |more: &[&str]| extract(&room, &[&["--from-rows", "X.npy"][..], more].concat());
    call(&["-o", "z.features", "--backbone", "resnet18"]).failed(2, &["--backbone"]);
    call(&["-o", "z.features", "--update"]).failed(2, &["--update"]);
    call(&["-o", "z.npy"]).failed(2, &["-o takes a name that ends in .features"]);
    call(&["-o", "z.features", "--name", ""]).failed(2, &["--name takes a line of 1 to 120 characters"]);
    call(&["-o", "z.features", "--labels", "y.csv", "--split", "80/20"])
        .failed(2, &["has splits of its own"]);
    call(&["-o", "x.features"]).failed(1, &["`x.features` exists; give --force to replace it"]);
    extract(&room, &["data", "--labels", "y.csv", "-o", "z.features"])
        .failed(2, &["--labels and --name go with --from-rows"]);
    assert_eq!(room.names(), ["X.npy", "x.features", "y.csv"]);
}
