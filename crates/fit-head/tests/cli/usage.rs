//! Flags, bad features, and outputs that are there already.

use super::*;

#[test]
fn help_states_every_default() {
    let room = Room::new();
    // However lines are broken.
    let help = fit_head(&room, &["--help"]).fine().stdout();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "default: auto",
        "default: none",
        "default: 0",
        "default: three a decade",
        "default: tenths from 1",
        "default: adam; of attention adamw]",
        "default: 0.001; of sgd 0.01",
        "default: constant; of attention cosine]",
        "default: 0.01; of sgd 0",
        "default: 0]",
        "default: 1]",
        "default: 5 where",
        "default: 1000",
        "default: 1e-5",
        "default: 10; of attention 30]",
        "default: 32",
        "default: 0.001",
        "nats",
        "Reads a folder",
        "Writes NAME.head",
        "Exit codes",
    ] {
        assert!(help.contains(part), "no `{part}` in:\n{help}");
    }
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let room = Room::new();
    room.features("x.features", &Made { dim: 300, rows: [200, 20, 0], ..Made::default() });
    for (kind, more) in [
        ("linear", &["--class-weight", "balanced"][..]),
        ("ridge", &["--class-weight", "balanced"]),
        ("lda", &["--folds", "3", "--logit-adjustment", "1"]),
        ("prototype", &[]),
        ("knn:5", &[]),
        ("mlp:64", &["--class-weight", "balanced"]),
        ("mlp:32", &["--mixup", "0.3", "--label-smoothing", "0.1", "--optimizer", "adamw", "--calibrate"]),
        ("mlp:16", &["--optimizer", "sgd", "--schedule", "one-cycle", "--patience", "2"]),
    ] {
        let mut heads = Vec::new();
        for (threads, environment) in [("1", "1"), ("2", "2"), ("2", "1"), ("1", "4")] {
            let outputs = ["x.features", "-o", "x.head", "--table", "t.json", "--force"];
            let settings = ["--head", kind, "--threads", threads];
            room.call_with(
                TOOL,
                &[&outputs[..], &settings, more].concat(),
                &[("RAYON_NUM_THREADS", environment)],
            )
            .fine();
            heads.push(["x.head", "t.json"].map(|name| std::fs::read(room.path(name)).unwrap()));
        }
        assert!(heads.windows(2).all(|pair| pair[0] == pair[1]), "{kind}");
    }
}

#[test]
fn a_fit_that_diverges_is_not_written() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let flags = ["--head", "mlp:8", "--epochs", "1", "--batch-size", "4096", "--learning-rate", "1e38", "-q"];
    fit_head(&room, &[&["x.features", "-o", "x.head"][..], &flags].concat())
        .failed(1, &["the fitted weights are not finite", "lower the learning rate"]);
    assert_eq!(room.names(), ["x.features"]);
}

#[test]
fn features_that_cannot_be_fitted_on() {
    let plain = Made::default();
    let cases: [(Made, &[&str], &[&str]); 6] = [
        (Made { rows: [0, 5, 5], ..plain.clone() }, &[], &["has no train rows", "rerun extract"]),
        (Made { last_class_train_rows: Some(0), ..plain.clone() }, &[], &["class `tulips`", "no train rows"]),
        (Made { classes: vec!["daisy"], ..plain.clone() }, &[], &["one class, `daisy`"]),
        (Made { rows: [2, 0, 3], ..plain.clone() }, &["--folds", "7"], &["expected folds", "got 7"]),
        (
            plain.clone(),
            &["--group-column", "patient", "--manifest", "none.csv"],
            &["cannot read `none.csv`"],
        ),
        (plain, &["--group-column", "patient", "--manifest", "m.csv"], &["`m.csv` has no row for `daisy/"]),
    ];
    for (made, flags, parts) in cases {
        let room = Room::new();
        room.features("x.features", &made);
        room.write("m.csv", "path,label\nx.png,a\n");
        fit_head(&room, &[&["x.features", "-o", "x.head", "--table", "t.csv"], flags].concat())
            .failed(1, parts);
        assert_eq!(room.names(), ["m.csv", "x.features"]);
    }
}

#[test]
fn damaged_features_are_refused() {
    let room = Room::new();
    let fit = |room: &Room| fit_head(room, &["x.features", "-o", "x.head"]);
    fit(&room).failed(1, &["cannot read `x.features`", "expected a folder that extract wrote"]);

    room.features("x.features", &Made::default());
    let shard = room.path("x.features/shard-00001.rkyv");
    let whole = std::fs::read(&shard).unwrap();
    flip(&shard);
    fit(&room).failed(1, &["`x.features`", "shard-00001.rkyv", "damaged", "rerun extract"]);
    std::fs::write(&shard, &whole[..whole.len() - 7]).unwrap();
    fit(&room).failed(1, &["shard-00001.rkyv", "bytes, index says", "rerun extract"]);
    std::fs::write(&shard, &whole).unwrap();
    fit(&room).fine();

    let index = room.path("x.features/index.json");
    let text = std::fs::read_to_string(&index).unwrap();
    std::fs::write(&index, text.replacen("\"schema\": 4", "\"schema\": 99", 1)).unwrap();
    fit_head(&room, &["x.features", "-o", "y.head"]).failed(1, &["schema 99 is newer", "update Headstart"]);
    assert_eq!(room.names(), ["x.features", "x.head"]);
}

#[test]
fn outputs_are_never_replaced_unasked() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    std::fs::write(room.path("x.head"), "mine").unwrap();
    fit_head(&room, &["x.features", "-o", "x.head"]).failed(1, &["`x.head` exists", "--force"]);
    assert_eq!(std::fs::read(room.path("x.head")).unwrap(), b"mine");
    let forced = ["x.features", "-o", "x.head", "--force"];
    fit_head(&room, &forced).failed(1, &["`x.head` exists and is another text or table, not a head"]);
    assert_eq!(std::fs::read(room.path("x.head")).unwrap(), b"mine");
    std::fs::write(room.path("x.head"), "").unwrap();
    for _ in 0..2 {
        fit_head(&room, &forced).fine();
    }
    assert!(Head::read(&room.path("x.head")).is_ok());

    std::fs::write(room.path("t.csv"), "mine").unwrap();
    fit_head(&room, &["x.features", "-o", "y.head", "--table", "t.csv"]).failed(1, &["`t.csv` exists"]);
    fit_head(&room, &["x.features", "-o", "gone/y.head"]).failed(1, &["cannot write `gone/y.head`"]);
    assert_eq!(room.names(), ["t.csv", "x.features", "x.head"]);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let cases: [(&[&str], &str); 6] = [
        (&["x.features"], "--output"),
        (
            &["x.features", "-o", "x.head", "--head", "tree"],
            "expected `auto`, `linear`, `ridge`, `lda`, `prototype`, `mlp:UNITS`, `attention:QUERIES` or `knn:K`",
        ),
        (&["x.features", "-o", "x.head", "--epochs", "2"], "--epochs goes with --head mlp:UNITS"),
        (&["x.features", "-o", "x.head", "--l2", "much"], "much"),
        (&["x.features", "-o", "x.head", "--table", "t.txt"], "expected .parquet, .csv or .json"),
        (&["x.features", "-o", "x.csv", "--table", "x.csv"], "both name `x.csv`"),
    ];
    for (arguments, part) in cases {
        fit_head(&room, arguments).failed(2, &[part]);
    }
    assert_eq!(room.names(), ["x.features"]);
}

#[test]
fn quiet_is_silent_and_a_fit_that_did_not_converge_says_so() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let run = fit_head(&room, &["x.features", "-o", "x.head", "--quiet"]).fine();
    assert_eq!(run.stderr(), "");
    let run = fit_head(&room, &["x.features", "-o", "y.head", "--max-iterations", "2"]).fine();
    assert!(
        run.stderr().contains("not converged") && run.stderr().contains("raise --max-iterations"),
        "{}",
        run.stderr()
    );
}
