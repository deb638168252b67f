//! `--force` replaces whatever `fit-head` writes, of every kind of head and table, and nothing else.

use harness::{Made, Room};

const TOOL: &str = env!("CARGO_BIN_EXE_fit-head");

/// Fits twice with `--force`, over what the first run wrote.
fn twice(room: &Room, arguments: &[&str]) {
    let all = [&["-o", "x.head", "--force", "--quiet"], arguments].concat();
    room.call(TOOL, &all).fine();
    let first = room.bytes(".");
    room.call(TOOL, &all).fine();
    assert!(room.bytes(".") == first, "{all:?}");
}

#[test]
fn every_table_of_ours_may_be_replaced() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    for head in ["linear", "ridge", "lda", "prototype", "knn:3", "mlp:4", "auto"] {
        for table in ["t.csv", "t.parquet", "t.json"] {
            let few: &[&str] = if head == "mlp:4" { &["--epochs", "2"] } else { &[] };
            twice(&room, &[&["x.features", "--head", head, "--table", table], few].concat());
        }
    }
    // With nothing to choose among.
    for (head, strength) in [("linear", "--l2"), ("ridge", "--l2"), ("prototype", "")] {
        let given: &[&str] = if strength.is_empty() { &[] } else { &[strength, "1"] };
        let flags = ["x.features", "--head", head, "--table", "t.csv", "--no-calibrate"];
        twice(&room, &[&flags[..], given].concat());
    }
    twice(&room, &["x.features", "--curve", "c.csv"]);
}

#[test]
fn tables_of_labels_and_numbers_too() {
    let room = Room::new();
    room.features("x.features", &Made { classes: vec!["0", "1", "2"], ..Made::default() });
    for (target, heads) in
        [("labels", &["linear", "ridge", "mlp:4", "linear,ridge"][..]), ("number", &["ridge", "mlp:4"])]
    {
        for head in heads {
            let few: &[&str] = if *head == "mlp:4" { &["--epochs", "2"] } else { &[] };
            let flags = ["x.features", "--target", target, "--head", head, "--table", "t.csv"];
            twice(&room, &[&flags[..], few].concat());
        }
    }
}

#[test]
fn what_others_wrote_stays() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    room.write("t.csv", "path,label\na.png,cat\n");
    let run = room.call(TOOL, &["x.features", "-o", "x.head", "--force", "--table", "t.csv"]);
    run.failed(1, &["`t.csv` exists and is another text or table, not a table of fit-head"]);
    assert_eq!(room.names(), ["t.csv", "x.features"]);
}
