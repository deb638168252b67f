//! Which heads are taken, and what they are compared with.

use super::*;
use harness::network;

#[test]
fn a_head_takes_what_it_was_fitted_on_of_the_features_given() {
    let room = room(&Made::default());
    room.features("y.features", &Made { tap: "layer3", dim: 7, ..Made::default() });
    room.features("z.features", &Made { tap: "layer2", dim: 5, ..Made::default() });
    let mut both = joined(&room, ["x.features", "y.features"]);
    let one = serde_json::json!({"head": "lda", "features": ["a", "b"], "held_out_loss": 0.5, "held_out_accuracy": 0.75});
    both.fit = serde_json::json!({"candidates": {"tried": [one], "chosen": 0}});
    both.write(&room.path("both.head"), false).unwrap();
    let run = |inputs: &[&str], output: &str| evaluate(&room, &[inputs, &["-o", output]].concat());
    run(&["x.features", "y.features", "both.head"], "m.csv").fine();
    // Whatever the order, and whatever is there besides.
    run(&["z.features", "y.features", "x.features", "both.head"], "same.csv").fine();
    let bytes = |name: &str| std::fs::read(room.path(name)).unwrap();
    assert_eq!(bytes("m.csv"), bytes("same.csv"));
    let compared = ["x.features", "y.features", "both.head", "--baseline", "x.head", "--report", "r.html"];
    run(&compared, "m.parquet").fine();
    let accuracy =
        |table: &str| value(&table::read(&room.path(table)).unwrap(), "test", "overall", "accuracy", "null");
    run(&["x.features", "x.head"], "x.parquet").fine();
    let table = table::read(&room.path("m.parquet")).unwrap();
    let difference = value(&table, "test", "difference", "accuracy", "null");
    assert_eq!(difference, accuracy("m.parquet") - accuracy("x.parquet"));
    let page = std::fs::read_to_string(room.path("r.html")).unwrap();
    assert!(page.contains("lda on a + b") && page.contains("log loss 0.5000, accuracy 75.0 % (chosen)"));
    assert!(
        page.contains("resnet18 (tap pooled), weights") && page.contains("resnet18 (tap layer3), weights")
    );
    run(&["x.features", "both.head"], "no.csv").failed(
        1,
        &["`both.head` takes features of resnet18 (tap pooled) and resnet18 (tap layer3); those of resnet18 (tap layer3) are not among `x.features`"],
    );
    run(&["y.features", "z.features", "x.head"], "no.csv")
        .failed(1, &["takes features of resnet18 (tap pooled)"]);
}

#[test]
fn rows_unlike_anything_seen_are_counted_and_named() {
    let room = room(&Made::default());
    let mut known = Head::read(&room.path("x.head")).unwrap();
    // Distances from a mean at zero of the columns less their numbers: noise is up to 2, a class's columns are 0.7 more.
    let dim = known.dim();
    let weight = (0..dim * dim).map(|at| if at % dim == at / dim { 1.0 } else { 0.0 }).collect();
    let bias = (0..dim).map(|column| -(column as f32)).collect();
    let whitening = Dense { inputs: dim, outputs: dim, weight, bias };
    let novelty = |threshold| Novelty { whitening: whitening.clone(), means: vec![0.0; 3 * dim], threshold };
    for (name, threshold) in [("near.head", 0.0), ("some.head", 1.25), ("far.head", 1e3)] {
        known.novelty = Some(novelty(threshold));
        known.write(&room.path(name), false).unwrap();
        let tables = ["-o", "m.parquet", "--predictions", "p.parquet", "--force"];
        evaluate(&room, &[&["x.features", name][..], &tables].concat()).fine();
        let predictions = table::read(&room.path("p.parquet")).unwrap();
        let distances = predictions.column("distance").unwrap().f64().unwrap().to_vec();
        let novel = predictions.column("novel").unwrap().bool().unwrap();
        assert!(novel.iter().zip(&distances).all(|(novel, d)| novel == Some(d.unwrap() > threshold)));
        let rate =
            value(&table::read(&room.path("m.parquet")).unwrap(), "test", "overall", "novelty_rate", "null");
        assert_eq!(rate, novel.iter().filter(|novel| *novel == Some(true)).count() as f64 / 30.0);
        assert!(if threshold == 1.25 {
            0.1 < rate && rate < 0.9
        } else {
            rate == f64::from(u8::from(threshold == 0.0))
        });
    }
}

#[test]
fn a_baseline_is_compared_on_the_same_samples_and_is_a_gate() {
    let room = room(&Made { rows: [30, 10, 60], ..Made::default() });
    // The same head with two classes' weights exchanged is worse.
    let mut other = head(&room, "x.features");
    let (first, rest) = other.layers[0].weight.split_at_mut(20);
    first.swap_with_slice(&mut rest[..20]);
    other.layers[0].bias.swap(0, 1);
    other.write(&room.path("worse.head"), false).unwrap();
    let run = |head: &str, baseline: &str, flags: &[&str]| {
        let inputs = ["x.features", head, "-o", "m.parquet", "--force", "--baseline", baseline];
        evaluate(&room, &[&inputs[..], flags].concat())
    };
    let better = run("x.head", "worse.head", &[]).fine();
    assert!(
        better.stdout().contains("\ntest: better than the baseline: accuracy +0."),
        "{}",
        better.stdout()
    );
    let table = table::read(&room.path("m.parquet")).unwrap();
    let gain = value(&table, "test", "difference", "accuracy", "null");
    assert!(gain > 0.2 && value(&table, "test", "difference", "mcnemar_p_value", "null") < 0.05, "{gain}");

    let worse = run("worse.head", "x.head", &[]);
    assert_eq!(worse.code(), 3);
    assert!(worse.last_line().ends_with(" below the baseline's, tolerance 0"), "{}", worse.stderr());
    // The table is written all the same: it says what is wrong.
    let table = table::read(&room.path("m.parquet")).unwrap();
    assert_eq!(value(&table, "test", "difference", "accuracy", "null"), -gain);
    run("worse.head", "x.head", &["--tolerance", "0.9"]).fine();
    let same = run("x.head", "x.head", &[]).fine();
    assert!(
        same.stdout().contains("not told apart from the baseline: accuracy +0.0000"),
        "{}",
        same.stdout()
    );

    // Other features of the same samples, with a head of theirs.
    room.features("y.features", &Made { rows: [30, 10, 60], ..Made::default() });
    run("x.head", "x.head", &["--baseline-features", "y.features"]).fine();
    room.features("few.features", &Made { rows: [30, 10, 5], ..Made::default() });
    run("x.head", "x.head", &["--baseline-features", "few.features"])
        .failed(1, &["the baseline's features have no `", "the same samples"]);
    run("x.head", "x.head", &["--tolerance", "2"]).failed(2, &["--tolerance: expected a number from 0 to 1"]);
    run("x.head", "none.head", &[]).failed(1, &["none.head"]);
}

#[test]
fn heads_of_other_features_are_refused() {
    type Change = fn(&mut Head);
    fn pictures(head: &mut Head) -> &mut Preprocessing {
        let Recipe::Image(how) = &mut network(&mut head.sources[0]).recipe else { panic!("of pictures") };
        how
    }
    let cases: [(Change, &[&str]); 6] = [
        (
            |head| network(&mut head.sources[0]).tap = "layer3".into(),
            &["tap differs", "expected `layer3`, got `pooled`"],
        ),
        (
            |head| network(&mut head.sources[0]).backbone = "vgg16".into(),
            &["backbone differs", "expected `vgg16`, got `resnet18`"],
        ),
        (
            |head| network(&mut head.sources[0]).weights = Digest::of(b"others"),
            &["weights differs", "fit-head on these"],
        ),
        (|head| pictures(head).crop = Some((96, 96)), &["preprocessing differs"]),
        (
            |head| pictures(head).decode = Decode::Fast,
            &["preprocessing differs", "`decode fast`", "`decode default`"],
        ),
        (
            |head| {
                let classes = head.classes.len();
                head.layers[0] =
                    Dense { inputs: 7, outputs: classes, weight: vec![0.0; 21], bias: vec![0.0; 3] };
                head.probes = vec![0.0; 28];
            },
            &["width differs, expected 7, got 20"],
        ),
    ];
    for (change, parts) in cases {
        let room = room(&Made::default());
        let mut other = head(&room, "x.features");
        change(&mut other);
        other.write(&room.path("y.head"), false).unwrap();
        let run = evaluate(&room, &["x.features", "y.head", "-o", "m.csv"]);
        run.failed(1, &[&["head `y.head` does not belong to `x.features`"], parts].concat());
        assert_eq!(room.names(), ["x.features", "x.head", "y.head"]);
    }
}

#[test]
fn classes_are_matched_by_name() {
    let room = room(&Made::default());
    let run = |output: &str| {
        evaluate(&room, &["x.features", "x.head", "-o", output, "--predictions", "p.csv", "--force"])
    };
    run("m.csv").fine();
    let before = std::fs::read(room.path("p.csv")).unwrap();
    // A head that knows the same classes in another order, and one class more.
    let mut other = head(&room, "x.features");
    let layer = &mut other.layers[0];
    let (first, rest) = (layer.weight[..layer.inputs].to_vec(), layer.weight[layer.inputs..].to_vec());
    layer.weight = [rest, first, vec![0.0; layer.inputs]].concat();
    layer.bias.rotate_left(1);
    layer.bias.push(-1e6);
    layer.outputs = 4;
    other.classes.rotate_left(1);
    other.classes.push("violets".into());
    other.write(&room.path("x.head"), true).unwrap();
    run("m.csv").fine();
    let predicted = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines().skip(1).map(|line| line.split(',').take(4).collect::<Vec<_>>().join(",")).collect()
    };
    assert_eq!(predicted(&before), predicted(&std::fs::read(room.path("p.csv")).unwrap()));
    // One that lacks a class.
    other.classes[0] = "lilies".into();
    other.write(&room.path("x.head"), true).unwrap();
    let said = run("m.csv").fine().stderr();
    let note = "evaluate: 10 rows of classes that the head does not know are left out: `roses` 10\n";
    assert!(said.starts_with(note), "{said}");
}

#[test]
fn damaged_inputs_are_refused() {
    let room = room(&Made::default());
    let run = |room: &Room| evaluate(room, &["x.features", "x.head", "-o", "m.csv"]);
    evaluate(&room, &["y.features", "x.head", "-o", "m.csv"]).failed(1, &["cannot read `y.features`"]);
    evaluate(&room, &["x.features", "y.head", "-o", "m.csv"]).failed(1, &["`y.head`"]);

    let shard = room.path("x.features/shard-00001.rkyv");
    let whole = std::fs::read(&shard).unwrap();
    flip(&shard);
    run(&room).failed(1, &["shard-00001.rkyv", "damaged", "rerun extract"]);
    std::fs::write(&shard, &whole[..100]).unwrap();
    run(&room).failed(1, &["shard-00001.rkyv", "bytes, index says"]);
    std::fs::write(&shard, whole).unwrap();

    let good = std::fs::read(room.path("x.head")).unwrap();
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(room.path("x.head"), damaged).unwrap();
    run(&room).failed(1, &["cannot read `x.head`", "fit-head"]);
    std::fs::write(room.path("x.head"), "no head at all").unwrap();
    run(&room).failed(1, &["cannot read `x.head`"]);
    std::fs::write(room.path("x.head"), good).unwrap();

    let index = room.path("x.features/index.json");
    let text = std::fs::read_to_string(&index).unwrap();
    std::fs::write(&index, text.replacen("\"schema\": 4", "\"schema\": 9", 1)).unwrap();
    run(&room).failed(1, &["schema 9 is newer", "update Headstart"]);
    assert_eq!(room.names(), ["x.features", "x.head"]);
}

/// Heads that the programs of their time wrote, with the log loss that those measured.
#[test]
fn heads_of_older_formats_say_what_they_said() {
    let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let features = format!("{crates}/features/tests/fixtures/schema-1.features");
    for (format, log_loss) in
        [(1, 1.476_330_169_236_446e-11), (2, 1.386_294_353_643_714_4), (3, 1.475_969_346_753_437_4e-11)]
    {
        let room = Room::new();
        let head = format!("{crates}/head/tests/fixtures/format-{format}.head");
        let start = std::fs::read(&head).unwrap();
        let says = format!("\\\"format\\\":{format},");
        assert!(String::from_utf8_lossy(&start[..200]).contains(&says), "{head}");
        evaluate(&room, &["-o", "m.csv", "--split", "val", &features, &head]).fine();
        let metrics = table::read(&room.path("m.csv")).unwrap();
        let [scope, metric, found] = ["scope", "metric", "value"].map(|name| text(&metrics, name));
        let at = (0..metrics.height()).find(|&at| scope[at] == "overall" && metric[at] == "log_loss");
        let found: f64 = found[at.unwrap()].parse().unwrap();
        assert!((found - log_loss).abs() <= 1e-12 * log_loss, "{found} {log_loss}");
    }
}
