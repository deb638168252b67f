//! The main job on texts: sentences in; features, a head, metrics, predictions and a bundle out.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use features::Features;
use harness::{Room, sentences, write_bert, write_model2vec};
use polars::prelude::{AnyValue, DataFrame};
use std::{collections::BTreeMap, fs, sync::OnceLock};
use store::table;

/// A room with a network in `bert`, a table, its features, and a head.
fn done() -> &'static Room {
    static DONE: OnceLock<Room> = OnceLock::new();
    DONE.get_or_init(|| {
        let room = Room::new();
        write_bert(&room.path("bert"));
        // One longer than the network reads.
        let long = format!("the film {} is good", "is very ".repeat(9));
        let rows = sentences(60).into_iter().chain([(long, "good")]).enumerate();
        let rows = rows.map(|(i, (text, class))| {
            let split = if i / 8 % 4 == 3 { "test" } else { "train" };
            format!("{},{text},{class},{split}\n", i * 7 % 121)
        });
        room.write("s.csv", format!("nr,text,label,split\n{}", rows.collect::<String>()));
        let run = room.tool("extract", &["s.csv", "-o", "s.features", "--weights", "bert"]).fine();
        let said = run.stderr();
        assert!(
            said.contains("1 text with more tokens than are read, which lost their end: `s#000120`"),
            "{said}"
        );
        assert!(said.contains("121 rows of 64 features"), "{said}");
        room.tool("fit-head", &["s.features", "-o", "s.head", "--head", "linear"]).fine();
        room
    })
}

fn features(room: &Room, name: &str) -> BTreeMap<String, Vec<u32>> {
    let features = Features::open(&room.path(name)).unwrap();
    let all = (0..features.len()).map(|row| {
        let bits = features.matrix(&[row]).iter().map(|x| x.to_bits()).collect();
        (features.id(row).to_owned(), bits)
    });
    all.collect()
}

#[test]
fn a_head_learns_from_sentences() {
    let room = done();
    let run = room.tool("evaluate", &["s.features", "s.head", "-o", "m.csv", "--force"]).fine();
    let accuracy: f64 = run
        .stdout()
        .lines()
        .find_map(|line| line.trim().strip_prefix("accuracy")?.split_whitespace().next()?.parse().ok())
        .unwrap();
    // Of a network that nobody trained.
    assert!(accuracy > 0.7, "{accuracy}");
}

#[test]
fn rows_are_the_same_however_they_are_made() {
    let room = done();
    let first = features(room, "s.features");
    for (name, flags) in [
        ("one", &["--batch", "1"][..]),
        ("plain", &["--isa", "portable", "--batch", "7"]),
        ("alone", &["--threads", "1"]),
    ] {
        let to = format!("{name}.features");
        let all = [&["s.csv", "-o", &to, "--weights", "bert"], flags].concat();
        room.tool("extract", &all).fine();
        assert!(features(room, &to) == first, "{name}");
        assert_eq!(room.bytes(&to), room.bytes("s.features"), "{name}");
    }
    // The same texts in files of class folders, and on standard input.
    for (i, (text, class)) in sentences(60).iter().enumerate() {
        room.write(&format!("tree/{class}/{i:03}.txt"), text);
    }
    room.tool("extract", &["tree", "-o", "tree.features", "--weights", "bert"]).fine();
    let tree = features(room, "tree.features");
    assert_eq!(tree.len(), 120);
    for (id, bits) in &tree {
        let i: usize = id.rsplit('/').next().unwrap().trim_end_matches(".txt").parse().unwrap();
        assert!(first[&format!("s#{i:06}")] == *bits, "{id}");
    }
    let lines: String = sentences(60).iter().map(|(text, _)| format!("{text}\n")).collect();
    let call = ["-", "-o", "lines.features", "--weights", "bert"];
    room.call_piped(harness::program("extract"), &call, lines.as_bytes()).fine();
    let piped = features(room, "lines.features");
    assert!(piped.iter().all(|(id, bits)| first[&id.replace("-#", "s#")] == *bits));
}

#[test]
fn a_long_text_is_the_mean_of_its_windows() {
    let room = Room::new();
    write_bert(&room.path("bert"));
    let words = ["the", "film", "is", "good", "very", "bad"].into_iter().cycle().take(15);
    let words: Vec<&str> = words.collect();
    // Of eight tokens, two of which the tokenizer adds.
    let pieces = [&words[..6], &words[6..12], &words[9..]].map(|piece| piece.join(" "));
    let rows = [words.join(" "), "the film".to_owned()].into_iter().chain(pieces);
    let table: String = rows.enumerate().map(|(i, text)| format!("{text},{}\n", ["a", "b"][i % 2])).collect();
    room.write("t.csv", format!("text,label\n{table}"));
    let extract = |to: &str, flags: &[&str]| {
        let all = [&["t.csv", "-o", to, "--weights", "bert", "--split", "80/0/20"], flags].concat();
        room.tool("extract", &all).fine();
        features(&room, to)
    };
    let cut = extract("cut.features", &["--max-tokens", "8"]);
    let all = extract("all.features", &["--window", "8"]);
    assert!(extract("one.features", &["--window", "8", "--batch", "1", "--isa", "portable"]) == all);
    for i in 1..5 {
        assert!(all[&format!("t#00000{i}")] == cut[&format!("t#00000{i}")], "{i}");
    }
    let numbers = |bits: &[u32]| bits.iter().map(|x| f64::from(f32::from_bits(*x))).collect::<Vec<_>>();
    let pieces: Vec<_> = (2..5).map(|i| numbers(&cut[&format!("t#00000{i}")])).collect();
    for (k, x) in numbers(&all["t#000000"]).into_iter().enumerate() {
        let mean = pieces.iter().map(|row| row[k]).sum::<f64>() / 3.0;
        assert!((x - mean).abs() <= 1e-7 * mean.abs().max(1.0), "{x} {mean}");
    }
    let overlapping = extract("half.features", &["--window", "8", "--stride", "3"]);
    assert!(overlapping["t#000000"] != all["t#000000"] && overlapping["t#000001"] == all["t#000001"]);

    // A bundle reads them so, too; a model that reads one window at a time does not leave the house.
    room.tool("fit-head", &["all.features", "-o", "w.head", "--head", "linear", "--l2", "1"]).fine();
    let bundle = ["w.head", "-o", "w.hst", "--to", "bundle", "--weights", "bert"];
    room.tool("export", &bundle).fine();
    for (to, call) in [("a.csv", ["w.hst", "t.csv"]), ("b.csv", ["w.head", "all.features"])] {
        room.tool("predict", &[&call[..], &["-o", to, "--probabilities"]].concat()).fine();
    }
    let read = |name: &str| table::read(&room.path(name)).unwrap();
    assert_eq!(sorted(&read("a.csv"), "confidence"), sorted(&read("b.csv"), "confidence"));
    let export = ["w.head", "-o", "w.onnx", "--weights", "bert"];
    room.tool("export", &export).failed(1, &["texts are read in windows", "--to bundle"]);
    for (flags, code, expected) in [
        (&["--stride", "3"][..], 2, "--window"),
        (&["--window", "8", "--stride", "7"], 2, "windows have room for 6"),
        (&["--window", "99"], 2, "at most the network's 16"),
        (&["--window", "8", "--max-tokens", "9"], 2, "leave out --max-tokens"),
        (&["--window", "--text-column-2", "label"], 2, "--window is of single texts"),
    ] {
        let call = [&["t.csv", "-o", "x.features", "--weights", "bert"], flags].concat();
        room.tool("extract", &call).failed(code, &[expected]);
    }
    let table = ["t.csv", "-o", "x.features", "--text-column", "text", "--window"];
    room.tool("extract", &table).failed(2, &["needs no windows"]);
}

#[test]
fn what_changed_alone_is_run_again() {
    let room = done();
    room.tool("extract", &["s.csv", "-o", "again.features", "--weights", "bert"]).fine();
    let before = room.bytes("again.features");
    let run = room
        .tool("extract", &["s.csv", "-o", "again.features", "--weights", "bert", "--update", "--verbose"])
        .fine();
    assert!(run.stderr().contains("up to 121 rows are there already"), "{}", run.stderr());
    assert_eq!(room.bytes("again.features"), before);
}

/// By id: evaluate has one split after the other.
fn sorted(frame: &DataFrame, column: &str) -> Vec<(String, String)> {
    let mut rows: Vec<_> = values(frame, "id").into_iter().zip(values(frame, column)).collect();
    rows.sort();
    rows
}

fn values(frame: &DataFrame, column: &str) -> Vec<String> {
    let column = frame.column(column).unwrap();
    (0..frame.height())
        .map(|row| match column.get(row).unwrap() {
            AnyValue::Float64(x) => format!("{:x}", x.to_bits()),
            other => other.to_string(),
        })
        .collect()
}

#[test]
fn predictions_are_those_of_evaluate_by_every_door() {
    let room = done();
    let said =
        ["s.features", "s.head", "-o", "p.csv", "--predictions", "said.parquet", "--split", "all", "--force"];
    room.tool("evaluate", &said).fine();
    room.tool("export", &["s.head", "-o", "s.hst", "--to", "bundle", "--weights", "bert", "--force"]).fine();
    let expected = table::read(&room.path("said.parquet")).unwrap();
    for (to, call) in [
        ("head.parquet", &["s.head", "s.csv", "--weights", "bert"][..]),
        ("bundle.parquet", &["s.hst", "s.csv"]),
        ("features.parquet", &["s.head", "s.features"]),
    ] {
        let all = [call, &["-o", to, "--probabilities", "--force"]].concat();
        room.tool("predict", &all).fine();
        let got = table::read(&room.path(to)).unwrap();
        for column in ["predicted", "confidence"] {
            assert_eq!(sorted(&got, column), sorted(&expected, column), "{to}, {column}");
        }
    }
    let piped = room.call_piped(harness::program("predict"), &["s.hst", "-"], b"the film is good\n").fine();
    assert!(piped.stdout().starts_with(r#"{"id":"-#000000","predicted":"good""#), "{}", piped.stdout());
    // The library too.
    let bytes = fs::read(room.path("s.hst")).unwrap();
    let tokenizer = fs::read(room.path("bert/tokenizer.json")).unwrap();
    assert!(bytes.windows(tokenizer.len()).any(|window| window == tokenizer));
    // An ONNX model agrees with the cache, by the tokenizer that it holds.
    let told = room.tool("export", &["s.head", "-o", "s.onnx", "--weights", "bert"]).fine();
    assert!(told.stderr().contains("of the probes within"), "{}", told.stderr());
    let bytes = fs::read(room.path("s.onnx")).unwrap();
    assert!(bytes.windows(tokenizer.len()).any(|window| window == tokenizer));
}

#[test]
fn a_report_shows_the_texts() {
    let room = done();
    let call =
        ["s.features", "s.head", "-o", "r.csv", "--report", "r.html", "--texts", "s.csv", "--split", "all"];
    room.tool("evaluate", &call).fine();
    let page = fs::read_to_string(room.path("r.html")).unwrap();
    let shown = page.split_once(r#""texts":{"#).unwrap().1;
    assert!(shown.contains("film"), "{}", &shown[..200]);
    let tables =
        ["--hardest", "h.parquet", "--suspects", "u.csv", "--duplicates", "d.parquet", "--texts", "s.csv"];
    for _ in 0..2 {
        // What it wrote it knows again.
        room.tool("evaluate", &[&["s.features", "s.head", "-o", "t.csv", "--force"], &tables[..]].concat())
            .fine();
    }
    let ids = |name: &str| table::read(&room.path(name)).unwrap();
    let own: BTreeMap<String, String> = sorted(&ids("u.csv"), "text").into_iter().collect();
    assert!(own.len() == 121 && own["\"s#000120\""].contains("is very is very"), "{own:?}");
    let hardest = ids("h.parquet");
    assert!(hardest.height() > 0 && sorted(&hardest, "text").iter().all(|(id, text)| own[id] == *text));
    let pairs = ids("d.parquet");
    for (id, text) in values(&pairs, "other_id").iter().zip(values(&pairs, "other_text")) {
        assert_eq!(own[id], text);
    }
    let alone = ["s.features", "s.head", "-o", "n.csv", "--texts", "s.csv"];
    room.tool("evaluate", &alone).failed(2, &["--texts goes with --report"]);
    let other = [
        "s.features",
        "s.head",
        "-o",
        "n.csv",
        "--report",
        "n.html",
        "--texts",
        "s.csv",
        "--text-column",
        "t",
    ];
    room.tool("evaluate", &other).failed(2, &["--texts: ", "has no column `t`"]);
}

#[test]
fn a_pair_is_not_its_two_texts() {
    let room = done();
    room.write("pairs.csv", "text,text_b\nthe film,is good\nthe film is good,\n");
    let call = [
        "pairs.csv",
        "-o",
        "pairs.features",
        "--weights",
        "bert",
        "--text-column-2",
        "text_b",
        "--max-skipped",
        "50",
    ];
    let run = room.tool("extract", &call).fine();
    assert!(run.stderr().contains("no text"), "{}", run.stderr());
    assert_eq!(features(room, "pairs.features").len(), 1);
    room.write("whole.csv", "text\nthe film is good\n");
    room.tool("extract", &["whole.csv", "-o", "whole.features", "--weights", "bert"]).fine();
    assert!(
        features(room, "pairs.features")["pairs#000000"] != features(room, "whole.features")["whole#000000"]
    );
}

#[test]
fn the_embedded_table_is_there_without_weights() {
    let room = done();
    let run = room.tool("extract", &["s.csv", "-o", "w.features", "--text-column", "text"]).fine();
    assert!(run.stderr().contains("121 rows of 96 features"), "{}", run.stderr());
    // By its name too, and where no table has a column.
    room.tool("extract", &["s.csv", "-o", "named.features", "--backbone", "headstart_words"]).fine();
    assert_eq!(room.bytes("named.features"), room.bytes("w.features"));
    room.tool("fit-head", &["w.features", "-o", "w.head", "--head", "linear"]).fine();
    room.tool("export", &["w.head", "-o", "w.hst"]).fine();
    for model in ["w.head", "w.hst"] {
        let piped = room.call_piped(harness::program("predict"), &[model, "-"], b"the film is good\n").fine();
        assert!(piped.stdout().starts_with(r#"{"id":"-#000000","predicted":"good""#), "{}", piped.stdout());
    }
    // Of what it does not know nothing is made up.
    room.write("other.csv", "text\n\u{597d}\u{770b}\na good film\n");
    let call = ["other.csv", "-o", "other.features", "--text-column", "text", "--max-skipped", "50"];
    let run = room.tool("extract", &call).fine();
    assert!(run.stderr().contains("has no token that the network knows"), "{}", run.stderr());
    assert_eq!(features(room, "other.features").len(), 1);
}

#[test]
fn a_table_of_model2vec_s_goes_all_the_way() {
    let room = done();
    write_model2vec(&room.path("table"));
    room.tool("extract", &["s.csv", "-o", "t.features", "--weights", "table"]).fine();
    let call = ["s.csv", "-o", "alone_t.features", "--weights", "table", "--threads", "1", "--batch", "1"];
    room.tool("extract", &call).fine();
    assert_eq!(room.bytes("t.features"), room.bytes("alone_t.features"));
    room.tool("fit-head", &["t.features", "-o", "t.head", "--head", "linear"]).fine();
    room.tool("export", &["t.head", "-o", "t.hst", "--weights", "table"]).fine();
    for (to, call) in
        [("a.csv", &["t.head", "s.csv", "--weights", "table"][..]), ("b.csv", &["t.hst", "s.csv"])]
    {
        room.tool("predict", &[call, &["-o", to]].concat()).fine();
    }
    assert_eq!(room.bytes("a.csv"), room.bytes("b.csv"));
    // Cut shorter, texts are others.
    let call = ["s.csv", "-o", "short.features", "--weights", "table", "--max-tokens", "2"];
    let run = room.tool("extract", &call).fine();
    assert!(run.stderr().contains("texts with more tokens than are read"), "{}", run.stderr());
}

#[test]
fn what_does_not_go_together_is_told() {
    let room = done();
    room.write("bare.csv", "sentence,label\nthe film is good,a\n");
    let other = room.path("other");
    write_bert(&other);
    let json = fs::read_to_string(other.join("tokenizer.json")).unwrap();
    fs::write(other.join("tokenizer.json"), json.replace("Whitespace", "WhitespaceSplit")).unwrap();
    let missing = room.path("missing");
    write_bert(&missing);
    fs::remove_file(missing.join("tokenizer.json")).unwrap();
    let small = room.path("small");
    write_bert(&small);
    let json = fs::read_to_string(small.join("tokenizer.json")).unwrap();
    fs::write(small.join("tokenizer.json"), json.replace(r#""again":"#, r#""new":99,"again":"#)).unwrap();
    for (tool, call, code, expected) in [
        (
            "extract",
            &["s.csv", "-o", "x.features", "--weights", "bert", "--resize", "3"][..],
            2,
            "--resize goes with pictures",
        ),
        (
            "extract",
            &["s.csv", "-o", "x.features", "--weights", "bert", "--max-tokens", "99"],
            2,
            "at most the network's 16",
        ),
        ("extract", &["s.csv", "-o", "x.features", "--weights", "bert", "--max-tokens", "3"], 2, "too few"),
        (
            "extract",
            &["s.csv", "-o", "x.features", "--weights", "bert", "--text-column", "t"],
            1,
            "has no column `t`",
        ),
        ("extract", &["s.csv", "-o", "x.features", "--weights", "missing"], 1, "has no tokenizer.json"),
        ("extract", &["s.csv", "-o", "x.features", "--weights", "small"], 1, "belong to different models"),
        (
            "extract",
            &["s.csv", "-o", "x.features", "--text-column", "text", "--backbone", "headstart_tiny"],
            2,
            "--text-column goes with a network of texts",
        ),
        ("predict", &["s.head", "s.csv", "--weights", "other"], 1, "the tokenizer is another"),
        (
            "export",
            &["s.head", "-o", "x.onnx", "--weights", "bert", "--with-preprocessing"],
            1,
            "onnx without --with-preprocessing",
        ),
        ("export", &["s.head", "-o", "x.torch", "--to", "torch", "--weights", "bert"], 1, "give --to hf"),
    ] {
        room.tool(tool, call).failed(code, &[expected]);
    }
    // A column that is called so is found.
    room.tool("extract", &["bare.csv", "-o", "bare.features", "--weights", "bert"]).fine();
}
