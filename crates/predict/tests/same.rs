//! What `predict` says of pictures, of features and by a bundle is what `evaluate --predictions` says, to the bit.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::Room;
use polars::prelude::DataFrame;
use store::table;

const TOOL: &str = env!("CARGO_BIN_EXE_predict");

/// Forty pictures of two classes, and a manifest that says more of them.
fn room() -> Room {
    let room = Room::new();
    room.pictures("photos", 2, 20);
    let mut manifest = "path,split,label,tags,age\n".to_owned();
    for class in ["a", "b"] {
        for n in 0..20 {
            let split = ["train", "train", "val", "test"][n % 4];
            let tags = ["x", "x|y", "none", "y"][(n / 4 + usize::from(class == "b")) % 4];
            manifest += &format!("photos/{class}/{n:03}.png,{split},{class},{tags},{}\n", 10 + 3 * n);
        }
    }
    room.write("m.csv", manifest);
    room
}

/// The table without what only one of the two has, sorted by id.
fn frame(room: &Room, name: &str) -> DataFrame {
    let frame = table::read(&room.path(name)).unwrap();
    let only = |name: &str| ["split", "label", "error"].contains(&name) || name.starts_with("target:");
    let names: Vec<String> = frame.get_column_names().iter().map(ToString::to_string).collect();
    let kept: Vec<String> = names.into_iter().filter(|name| !only(name)).collect();
    frame.select(kept).unwrap().sort(["id"], Default::default()).unwrap()
}

#[test]
fn every_kind_of_head_says_the_same_of_pictures_features_and_by_a_bundle() {
    let room = room();
    let run = |tool: &str, arguments: &[&str]| room.tool(tool, arguments).fine();
    run("extract", &["m.csv", "-o", "wide.features", "-q"]);
    run("extract", &["m.csv", "-o", "half.features", "--dtype", "f16", "-q"]);
    run("extract", &["m.csv", "-o", "two.features", "--tap", "pooled", "--tap", "layer1", "-q"]);
    run("extract", &["m.csv", "-o", "small.features", "--resize", "40", "--crop", "32", "-q"]);
    let two = ["two.pooled.features", "two.layer1.features"];
    for (name, features, flags) in [
        ("class", &["wide.features"][..], &["--reject-at", "0.9", "--novelty-at", "0.9"][..]),
        ("half", &["half.features"], &["--head", "mlp:8", "--epochs", "3"]),
        ("knn", &["wide.features"], &["--head", "knn:3"]),
        (
            "labels",
            &["wide.features"],
            &["--target", "labels", "--target-columns", "tags", "--reject-at", "0.8"],
        ),
        (
            "numbers",
            &["half.features"],
            &["--target", "number", "--target-columns", "age", "--novelty-at", "0.9"],
        ),
        ("taps", &two, &[]),
        // Of one network, on pictures that are prepared in two ways.
        ("sizes", &["wide.features", "small.features"], &[]),
    ] {
        let head = format!("{name}.head");
        run("fit-head", &[features, &["-o", &head, "-q"], flags].concat());
        let outputs =
            ["-o", "metrics.csv", "--predictions", "expected.parquet", "--split", "all", "--force", "-q"];
        run("evaluate", &[features, &[head.as_str()][..], &outputs].concat());
        let bundle = format!("{name}.hst");
        run("export", &[&head, "-o", &bundle, "-q"]);
        let probabilities = if name == "numbers" { &[][..] } else { &["--probabilities"] };
        for (model, inputs) in
            [(&head, &["m.csv"][..]), (&bundle, &["m.csv"]), (&bundle, features), (&head, features)]
        {
            let flags = ["-o", "got.parquet", "--force", "-q"];
            let arguments = [&[model.as_str()][..], inputs, &flags, probabilities].concat();
            room.call(TOOL, &arguments).fine();
            let (got, expected) = (frame(&room, "got.parquet"), frame(&room, "expected.parquet"));
            assert_eq!(got.height(), 40);
            assert!(got.equals_missing(&expected), "{name}, {model} {inputs:?}: {got} instead of {expected}");
        }
    }
}

#[test]
fn in_bf16_it_says_what_features_in_bf16_say() {
    let room = room();
    let run = |tool: &str, arguments: &[&str]| room.tool(tool, arguments).fine();
    run("extract", &["m.csv", "-o", "x.features", "--precision", "bf16", "-q"]);
    run("fit-head", &["x.features", "-o", "x.head", "-q"]);
    run("export", &["x.head", "-o", "x.onnx", "-q"]);
    let outputs = ["-o", "metrics.csv", "--predictions", "expected.parquet", "--split", "all", "-q"];
    run("evaluate", &[&["x.features", "x.head"][..], &outputs].concat());
    let predicted = |flags: &[&str]| {
        let arguments = ["x.head", "m.csv", "-o", "got.parquet", "--probabilities", "--force", "-q"];
        room.call(TOOL, &[&arguments[..], flags].concat()).fine();
        frame(&room, "got.parquet")
    };
    let expected = frame(&room, "expected.parquet");
    assert!(predicted(&["--precision", "bf16"]).equals_missing(&expected));
    // In f32 the probabilities are others, within bf16's tolerance, at which the probes are asked.
    assert!(!predicted(&[]).equals_missing(&expected));
    let arguments = ["x.head", "m.csv", "--precision", "f16", "--device", "cpu"];
    room.call(TOOL, &arguments).failed(2, &["the CPU runs in f32 or bf16, not in f16"]);
}

#[test]
fn rows_do_not_depend_on_batches_threads_or_others() {
    let room = room();
    let run = |tool: &str, arguments: &[&str]| room.tool(tool, arguments).fine();
    run("extract", &["m.csv", "-o", "x.features", "-q"]);
    run("fit-head", &["x.features", "-o", "x.head", "-q"]);
    run("export", &["x.head", "-o", "x.hst", "-q"]);
    let all = room.call(TOOL, &["x.hst", "m.csv", "--probabilities"]).fine().stdout();
    for flags in [&["--batch", "1"][..], &["--batch", "7", "--threads", "1"], &["--threads", "3"]] {
        let got = room.call(TOOL, &[&["x.hst", "m.csv", "--probabilities"], flags].concat()).fine().stdout();
        assert_eq!(got, all);
    }
    let alone = room.call(TOOL, &["x.hst", "photos/b/007.png", "--probabilities"]).fine().stdout();
    assert!(all.contains(&alone), "{alone} is not in {all}");
    // The same head, weights and networks make the same bundle.
    run("export", &["x.head", "-o", "y.hst", "-q"]);
    assert_eq!(room.bytes("x.hst"), room.bytes("y.hst"));
}
