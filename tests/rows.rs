//! Rows that somebody had already: features, a head, metrics, and back.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::Room;
use store::matrix::{self, Layout, Written};

/// Rows of three clusters, one a class, in `name`.
fn write(room: &Room, name: &str, layout: Layout, rows: usize) {
    let class = |row: usize| row % 3;
    let noise = |row: usize, column: usize| ((row * 31 + column * 17) % 29) as f32 / 29.0;
    let ids: Vec<String> = (0..rows).map(|row| format!("people/{row:03}")).collect();
    let written = Written {
        rows,
        dim: 6,
        columns: &["id", "split", "label"],
        text: &|row, column| match column {
            0 => ids[row].as_str(),
            1 => ["train", "train", "train", "test"][row / 3 % 4],
            _ => ["ant", "bee", "cow"][class(row)],
        },
        values: &|row, out| {
            for (column, value) in out.iter_mut().enumerate() {
                *value = noise(row, column) + if column % 3 == class(row) { 1.0 } else { 0.0 };
            }
        },
    };
    let mut bytes = Vec::new();
    matrix::write(layout, &mut bytes, &written).unwrap();
    room.write(name, bytes);
}

#[test]
fn rows_are_fitted_scored_and_given_back() {
    let room = Room::new();
    let run = |tool: &str, arguments: &[&str]| room.tool(tool, arguments);
    write(&room, "faces.parquet", Layout::Parquet, 120);
    run("extract", &["--from-rows", "faces.parquet", "-o", "faces.features"]).fine();
    run("fit-head", &["faces.features", "-o", "faces.head"]).fine();
    let arguments = ["faces.features", "faces.head", "-o", "metrics.parquet", "--report", "report.html"];
    let scored = run("evaluate", &[&arguments[..], &["--suspects", "suspects.csv"]].concat()).fine();
    assert!(scored.stdout().contains("accuracy"), "{}", scored.stdout());
    let page = std::fs::read_to_string(room.path("report.html")).unwrap();
    assert!(page.contains("rows faces"), "the report says what the rows are called");

    // Other rows of the same name are served, those of another are not.
    write(&room, "more.arrow", Layout::Arrow, 90);
    run("extract", &["--from-rows", "more.arrow", "-o", "more.features"]).fine();
    run("evaluate", &["more.features", "faces.head", "-o", "more.csv"])
        .failed(1, &["name of its rows differs, expected `faces`, got `more`", "--name faces"]);
    run("extract", &["--from-rows", "more.arrow", "--name", "faces", "-o", "more.features", "--force"])
        .fine();
    run("evaluate", &["more.features", "faces.head", "-o", "more.csv"]).fine();

    // There and back.
    for name in ["faces.arrow", "faces.safetensors"] {
        run("export", &["faces.features", "-o", name]).fine();
        run("extract", &["--from-rows", name, "-o", "again.features", "--force"]).fine();
        assert!(room.bytes("again.features") == room.bytes("faces.features"), "{name}");
    }
    run("export", &["faces.features", "-o", "back/faces.npy", "--rows", "rows.csv"])
        .failed(1, &["back/faces.npy"]);
    run("export", &["faces.features", "-o", "faces.npy", "--rows", "rows.csv"]).fine();
    run("extract", &["--from-npy", "faces.npy", "--labels", "rows.csv", "-o", "again.features", "--force"])
        .fine();
    assert!(room.bytes("again.features") == room.bytes("faces.features"));

    run("export", &["faces.head", "-o", "faces.onnx"])
        .failed(1, &["the head takes the rows faces, which no network of ours computed"]);
}
