//! `fit-head` as users run it.

use harness::{Made, Room, Run, flip};
use head::{Head, HeadKind};
use store::table;

const TOOL: &str = env!("CARGO_BIN_EXE_fit-head");

fn fit_head(room: &Room, arguments: &[&str]) -> Run {
    room.call(TOOL, arguments)
}

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
        "default: adam]",
        "default: 0.001; of sgd 0.01",
        "default: constant]",
        "default: 0.01; of sgd 0",
        "default: 0]",
        "default: 1]",
        "default: 5 where",
        "default: 1000",
        "default: 1e-5",
        "default: 10]",
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
fn of_several_features_each_is_tried_alone_and_all_side_by_side() {
    let room = Room::new();
    room.features("a.features", &Made::default());
    room.features("b.features", &Made { tap: "layer3", dim: 7, ..Made::default() });
    let flags = ["a.features", "b.features", "-o", "x.head", "--head", "linear", "--table", "t.parquet"];
    let run = fit_head(&room, &flags).fine();
    let lines: Vec<String> = run.stderr().lines().map(str::to_owned).collect();
    let [a, b, both, last] = &lines[..] else { panic!("{lines:?}") };
    assert!(a.starts_with("fit-head: linear on resnet18 (tap pooled): l2 "), "{a}");
    assert!(b.starts_with("fit-head: linear on resnet18 (tap layer3): l2 "), "{b}");
    assert!(both.starts_with("fit-head: linear on resnet18 (tap pooled) + resnet18 (tap layer3): l2 "));
    assert!(
        last.contains("linear on resnet18 (tap pooled) + resnet18 (tap layer3), of 3 tried: l2"),
        "{last}"
    );

    let head = Head::read(&room.path("x.head")).unwrap();
    let taps: Vec<&str> = head.sources.iter().map(|source| source.tap.as_str()).collect();
    assert_eq!((taps, head.dim(), head.probes.len()), (vec!["pooled", "layer3"], 27, 4 * 27));
    let tried = head.fit["candidates"]["tried"].as_array().unwrap();
    let losses: Vec<f64> = tried.iter().map(|one| one["held_out_loss"].as_f64().unwrap()).collect();
    assert!(losses.len() == 3 && losses[2] < losses[0] && losses[2] < losses[1], "{losses:?}");
    assert_eq!(head.fit["candidates"]["chosen"], 2);
    let table = table::read(&room.path("t.parquet")).unwrap();
    let chosen: Vec<Option<bool>> = table.column("chosen").unwrap().bool().unwrap().iter().collect();
    assert_eq!(chosen.iter().filter(|chosen| **chosen == Some(true)).count(), 1);
    assert_eq!(table.column("features").unwrap().n_unique().unwrap(), 3);

    // Side by side the order of the parts is the head's, so another one is another head of the same quality.
    let alone = fit_head(&room, &["a.features", "-o", "a.head", "--head", "linear"]).fine();
    assert!(!alone.stderr().contains("tried"), "{}", alone.stderr());
    let alone = Head::read(&room.path("a.head")).unwrap();
    assert_eq!(alone.fit["held_out_loss"], tried[0]["held_out_loss"]);
}

#[test]
fn of_several_kinds_the_one_of_least_held_out_loss_is_kept() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let flags = ["x.features", "-o", "x.head", "--head", "linear,ridge,lda", "--table", "t.parquet"];
    fit_head(&room, &flags).fine();
    let head = Head::read(&room.path("x.head")).unwrap();
    let record = &head.fit["candidates"];
    let tried = record["tried"].as_array().unwrap();
    assert_eq!(tried.iter().map(|one| &one["head"]).collect::<Vec<_>>(), ["linear", "ridge", "lda"]);
    let loss = |at: usize| tried[at]["held_out_loss"].as_f64().unwrap();
    let chosen = record["chosen"].as_u64().unwrap() as usize;
    assert!((0..3).all(|at| loss(chosen) <= loss(at)), "{record}");
    assert_eq!(head.fit["head"], tried[chosen]["head"]);
    let table = table::read(&room.path("t.parquet")).unwrap();
    assert!(
        table.column("l2").unwrap().null_count() > 0 && table.column("shrinkage").unwrap().null_count() > 0
    );
    // Each knows the flags of its kind; what is wanted of the head all must know.
    let kinds =
        ["x.features", "-o", "y.head", "--head", "knn:5,linear,mlp:8", "--l2", "1,10", "--epochs", "2"];
    fit_head(&room, &kinds).fine();
    for (flags, expected) in [
        (
            &["--head", "linear,knn:5", "--reject-at", "0.9"][..],
            "--reject-at goes with --head linear, ridge, lda or prototype; these heads are linear and knn",
        ),
        (
            &["--head", "auto", "--epochs", "2"],
            "--epochs goes with --head mlp:UNITS; --head auto, the default, stands for linear and lda",
        ),
        (&["--head", "lda,lda"], "got `lda` twice"),
        (&["--head", "lda,"], "separated by commas; got ``"),
    ] {
        fit_head(&room, &[&["x.features", "-o", "z.head"], flags].concat()).failed(2, &[expected]);
    }
    room.features("no-val.features", &Made { rows: [30, 0, 10], ..Made::default() });
    fit_head(&room, &["no-val.features", "-o", "z.head", "--head", "linear,knn:5"])
        .failed(1, &["knn:5 heads are compared with others on val rows, and there are none"]);
}

#[test]
fn by_default_a_head_is_linear_unless_lda_is_clearly_better() {
    let room = Room::new();
    // Val rows that lda does worse on; folds of rows that it does better on by several standard errors.
    room.features("few.features", &Made { dim: 40, ..Made::default() });
    let classes = vec!["a", "b", "c", "d", "e", "f"];
    room.features("many.features", &Made { classes, dim: 100, rows: [100, 0, 10], ..Made::default() });
    for (name, kept) in [("few", "linear"), ("many", "lda")] {
        let (features, out) = (format!("{name}.features"), format!("{name}.head"));
        let run = fit_head(&room, &[&features, "-o", &out]).fine();
        // One line says what was tried and what was kept.
        assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
        let expected = format!(" classes, linear and lda tried, {kept} kept: ");
        assert!(run.last_line().contains(&expected), "{}", run.last_line());
        let head = Head::read(&room.path(&out)).unwrap();
        let candidates = &head.fit["candidates"];
        let [linear, lda] = &candidates["tried"].as_array().unwrap()[..] else { panic!("{candidates}") };
        let of = |one: &serde_json::Value, key: &str| one[key].as_f64().unwrap();
        let difference = of(lda, "held_out_loss") - of(linear, "held_out_loss");
        assert!((difference - of(lda, "loss_difference")).abs() < 1e-6, "{candidates}");
        assert_eq!(kept == "lda", difference < -of(lda, "standard_error"), "{candidates}");
        assert_eq!(
            (&head.fit["head"], &candidates["chosen"]),
            (&kept.into(), &u64::from(kept == "lda").into())
        );
        // It is the head of that kind to the bit, and --head auto says nothing else.
        for (kind, other) in [(kept, "alone.head"), ("auto", "auto.head")] {
            fit_head(&room, &[&features, "-o", other, "--head", kind, "--force"]).fine();
            let other = Head::read(&room.path(other)).unwrap();
            assert!(other.layers == head.layers, "{kind}");
            assert_eq!(other.fit.get("candidates").is_some(), kind == "auto");
        }
    }
    // What is wrong with rows or flags is told once.
    fit_head(&room, &["few.features", "-o", "z.head", "--folds", "999"]).failed(1, &["got 999"]);
}

#[test]
fn by_default_the_best_of_several_features_is_kept() {
    let room = Room::new();
    room.features("a.features", &Made::default());
    room.features("b.features", &Made { tap: "layer3", dim: 7, ..Made::default() });
    let run = fit_head(&room, &["a.features", "b.features", "-o", "x.head"]).fine();
    assert!(run.last_line().contains(" on resnet18 (tap pooled) + resnet18 (tap layer3), of 6 tried: "));
    let head = Head::read(&room.path("x.head")).unwrap();
    assert_eq!((head.dim(), head.fit["candidates"]["tried"].as_array().unwrap().len()), (27, 6));
}

#[test]
fn every_head_of_one_layer_finds_the_confidence_to_answer_from() {
    let room = Room::new();
    room.features("x.features", &Made { rows: [60, 0, 20], ..Made::default() });
    for kind in ["linear", "ridge", "lda", "prototype", "auto"] {
        let flags = ["x.features", "-o", "x.head", "--head", kind, "--reject-at", "0.8", "--force"];
        let run = fit_head(&room, &flags).fine();
        assert!(
            run.last_line().contains("right in 80.0 % where its confidence is 0."),
            "{}",
            run.last_line()
        );
        let fit = Head::read(&room.path("x.head")).unwrap().fit;
        let number = |key: &str| fit[key].as_f64().unwrap();
        assert!(number("reject_threshold") > 1.0 / 3.0 && number("reject_coverage") > 0.1, "{fit}");
        // What is kept is righter than all.
        assert!(number("held_out_accuracy") < 0.8, "{fit}");
    }
}

#[test]
fn a_head_knows_how_far_is_too_far() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let mut first = None;
    for kind in ["linear", "mlp:4", "knn:3"] {
        let flags = ["x.features", "-o", "x.head", "--head", kind, "--novelty-at", "0.9", "--force"];
        let run = fit_head(&room, &flags).fine();
        assert!(
            run.last_line().contains(", 90.0 % of held-out rows within a distance of 1."),
            "{}",
            run.last_line()
        );
        let head = Head::read(&room.path("x.head")).unwrap();
        let novelty = head.novelty.unwrap();
        assert_eq!(head.fit["novelty_threshold"], novelty.threshold);
        assert_eq!(head.fit["novelty_held_out"], "val");
        // It follows from the rows alone.
        assert_eq!(*first.get_or_insert(novelty.clone()), novelty);
    }
}

#[test]
fn a_candidate_that_fails_is_left_out_and_others_are_not() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let flags = ["--head", "linear,mlp:4", "--optimizer", "sgd", "--learning-rate", "1e30"];
    let run = fit_head(&room, &[&["x.features", "-o", "x.head"][..], &flags].concat()).fine();
    assert!(
        run.stderr().contains("fit-head: mlp:4 on resnet18 (tap pooled) is left out: the loss became"),
        "{}",
        run.stderr()
    );
    let head = Head::read(&room.path("x.head")).unwrap();
    assert_eq!((head.kind, head.fit["candidates"]["tried"].as_array().unwrap().len()), (HeadKind::Linear, 1));
    let flags = ["--head", "mlp:4", "--optimizer", "sgd", "--learning-rate", "1e30"];
    let run = fit_head(&room, &[&["x.features", "-o", "y.head"][..], &flags].concat());
    assert!(run.code() == 1 && run.last_line().contains("the loss became"), "{}", run.stderr());
    // An MLP is judged on other rows than the others where there is no val split.
    room.features("no-val.features", &Made { rows: [30, 0, 10], ..Made::default() });
    fit_head(&room, &["no-val.features", "-o", "z.head", "--head", "linear,mlp:4"])
        .failed(1, &["mlp:4 heads are compared with others on val rows, and there are none"]);
}

#[test]
fn features_of_other_samples_are_told() {
    let room = Room::new();
    room.features("a.features", &Made::default());
    room.features("few.features", &Made { tap: "layer3", rows: [30, 10, 9], ..Made::default() });
    room.features("split.features", &Made { tap: "layer3", rows: [29, 11, 10], ..Made::default() });
    room.features("others.features", &Made { tap: "layer3", pictures: "others", ..Made::default() });
    room.features("same.features", &Made::default());
    room.features("named.features", &Made { classes: vec!["daisy", "roses", "violets"], ..Made::default() });
    for (other, expected) in [
        (
            "few",
            "`few.features` is not of the same samples as `a.features`: only one of them has `daisy/0049.png`",
        ),
        ("split", "`daisy/0029.png` is in val, not in train; extract both from the same data"),
        ("others", "its files have the same names, and hold something else; extract both from the same data"),
        ("same", "`a.features` and `same.features` hold the same features; give each once"),
        ("named", "only one of them has `tulips/0000.png`"),
    ] {
        fit_head(&room, &["a.features", &format!("{other}.features"), "-o", "x.head"]).failed(1, &[expected]);
    }
}

#[test]
fn a_linear_head_says_what_it_is() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let run = fit_head(&room, &["x.features", "-o", "x.head"]).fine();
    assert_eq!(run.stdout(), "");
    let last = run.stderr().lines().last().unwrap().to_owned();
    assert!(
        last.starts_with("fit-head: 90 rows, 3 classes, ")
            && last.contains(" iterations, converged, best of ")
            && last.contains(" on val (accuracy ")
            && last.ends_with(" %) → x.head"),
        "{last}"
    );
    let head = Head::read(&room.path("x.head")).unwrap();
    assert_eq!(head.kind, HeadKind::Linear);
    assert_eq!(head.classes, ["daisy", "roses", "tulips"]);
    assert_eq!((head.layers.len(), head.layers[0].inputs, head.layers[0].outputs), (1, 20, 3));
    assert_eq!(head.probes[1], 0.125);
    for (key, expected) in [
        ("head", "\"linear\""),
        ("held_out", "\"val\""),
        ("converged", "true"),
        ("train_rows", "90"),
        ("val_rows", "30"),
        ("standardize", "true"),
        ("class_weight", "\"none\""),
    ] {
        assert_eq!(head.fit[key].to_string(), expected, "{key}");
    }
    let accuracy = head.fit["train_accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.6 && accuracy <= 1.0, "{accuracy}");
    assert_eq!(room.names(), ["x.features", "x.head"]);
}

#[test]
fn the_penalty_of_least_val_loss_is_kept() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    fit_head(&room, &["x.features", "-o", "x.head", "--l2", "0.001,10,1000", "--table", "fits.parquet"])
        .fine();
    let table = table::read(&room.path("fits.parquet")).unwrap();
    let column = |name: &str| table.column(name).unwrap().f64().unwrap().to_vec();
    assert_eq!(column("l2"), [Some(1000.0), Some(10.0), Some(0.001)]);
    let losses = column("held_out_loss");
    let least = (0..3).min_by(|a, b| losses[*a].partial_cmp(&losses[*b]).unwrap()).unwrap();
    let chosen = table.column("chosen").unwrap().bool().unwrap().iter().collect::<Vec<_>>();
    assert_eq!(chosen.iter().position(|chosen| *chosen == Some(true)), Some(least));
    let head = Head::read(&room.path("x.head")).unwrap();
    assert_eq!(head.fit["l2"].as_f64(), column("l2")[least]);
}

#[test]
fn a_sweep_over_folds_finds_what_no_val_rows_could() {
    let room = Room::new();
    // More columns than rows: without a penalty the fit is perfect, and wrong.
    room.features("x.features", &Made { dim: 200, rows: [40, 0, 100], ..Made::default() });
    let run = fit_head(
        &room,
        &["x.features", "-o", "x.head", "--head", "linear", "--table", "sweep.parquet", "-v"],
    )
    .fine();
    let head = Head::read(&room.path("x.head")).unwrap();
    let table = table::read(&room.path("sweep.parquet")).unwrap();
    let column =
        |name: &str| table.column(name).unwrap().f64().unwrap().into_no_null_iter().collect::<Vec<f64>>();
    let (penalties, losses) = (column("l2"), column("held_out_loss"));
    assert!(penalties.len() > 8 && penalties.windows(2).all(|pair| pair[0] > pair[1]), "{penalties:?}");
    let least = (0..losses.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap();
    assert!(least > 0 && least < losses.len() - 1, "an end of the path is the best: {losses:?}");
    assert_eq!(head.fit["l2"].as_f64(), Some(penalties[least]));
    assert_eq!(head.fit["held_out"], "5 folds");
    let of = |key: &str| head.fit[key].as_f64().unwrap();
    assert!(of("held_out_loss") <= of("held_out_loss_before_temperature"));
    assert!(of("temperature") > 0.0 && of("held_out_accuracy") > 0.9);
    assert_eq!(run.stderr().lines().filter(|line| line.starts_with("l2 ")).count(), losses.len());
    // Other folds are drawn from another seed; the same from the same.
    let bytes = |seed: &str| {
        fit_head(&room, &["x.features", "-o", "y.head", "--seed", seed, "--folds", "4", "--force"]).fine();
        std::fs::read(room.path("y.head")).unwrap()
    };
    assert_eq!(bytes("1"), bytes("1"));
    assert_ne!(bytes("1"), bytes("2"));
}

#[test]
fn a_learning_curve_and_a_reject_threshold_are_written_and_carried() {
    let room = Room::new();
    room.features("x.features", &Made { dim: 60, rows: [120, 0, 40], ..Made::default() });
    let flags = ["--curve", "curve.parquet", "--reject-at", "0.9"];
    let run = fit_head(&room, &[&["x.features", "-o", "x.head"][..], &flags].concat()).fine();
    assert!(run.last_line().contains(", right in 90.0 % where its confidence is "), "{}", run.last_line());
    let head = Head::read(&room.path("x.head")).unwrap();
    let threshold = head.reject_threshold().unwrap();
    assert!((0.3..1.0).contains(&threshold), "{threshold}");
    let curve = table::read(&room.path("curve.parquet")).unwrap();
    let rows = curve.column("rows").unwrap().u64().unwrap().to_vec();
    // Of 360 rows four fifths are fitted; the first parts would be of fewer rows than there are classes.
    assert_eq!(rows.last(), Some(&Some(288)));
    let loss: Vec<f64> = curve.column("held_out_loss").unwrap().f64().unwrap().into_no_null_iter().collect();
    assert!(loss.len() >= 5 && loss[0] > loss[loss.len() - 1], "{loss:?}");
    assert_eq!(head.fit["curve"]["rows"].as_array().unwrap().len(), loss.len());

    let cases: [(&[&str], &str); 5] = [
        (&["--curve", "t.txt"], "expected .parquet, .csv or .json"),
        (&["--curve", "t.csv", "--table", "t.csv"], "--curve and --table both name `t.csv`"),
        (&["--reject-at", "1.5"], "--reject-at: expected a number above 0 and at most 1, got 1.5"),
        (&["--reject-at", "0.9", "--logit-adjustment", "1"], "give one"),
        (&["--head", "ridge", "--curve", "t.csv"], "--curve goes with --head linear; this head is ridge"),
    ];
    for (flags, part) in cases {
        fit_head(&room, &[&["x.features", "-o", "y.head"], flags].concat()).failed(2, &[part]);
    }
}

#[test]
fn groups_are_held_out_together() {
    let room = Room::new();
    room.features("x.features", &Made { rows: [40, 0, 10], ..Made::default() });
    let samples = ["daisy", "roses", "tulips"].iter().flat_map(|class| (0..50).map(move |n| (class, n)));
    let rows: String = samples.map(|(class, n)| format!("{class}/{n:04}.png,{}\n", n / 8)).collect();
    room.write("m.csv", format!("path,patient\n{rows}"));
    let grouped = ["--group-column", "patient", "--manifest", "m.csv"];
    fit_head(&room, &[&["x.features", "-o", "x.head"][..], &grouped].concat()).fine();
    assert_eq!(Head::read(&room.path("x.head")).unwrap().fit["held_out"], "5 folds");
    // However the manifest spells the paths, and wherever it lies.
    let digest = |name: &str| {
        let head = Head::read(&room.path(name)).unwrap();
        head.layers.iter().map(|layer| layer.weight.clone()).collect::<Vec<_>>()
    };
    let here = room.path("");
    let here = here.to_str().unwrap().trim_end_matches('/');
    for (at, before) in
        ["./", "x/../", ".//", " ", &format!("{here}/"), "/far/away/", "photos/"].iter().enumerate()
    {
        let spelt: String = rows.lines().map(|line| format!("{before}{line}\n")).collect();
        room.write("spelt.csv", format!("path,patient\n{spelt}"));
        let name = format!("spelt{at}.head");
        let grouped = ["--group-column", "patient", "--manifest", "spelt.csv"];
        fit_head(&room, &[&["x.features", "-o", &name][..], &grouped].concat()).fine();
        assert_eq!(digest(&name), digest("x.head"), "{before}");
    }
    room.write("holes.csv", format!("path,patient\n{}", rows.replacen(",0\n", ",\n", 1)));
    fit_head(&room, &["x.features", "-o", "y.head", "--group-column", "patient", "--manifest", "holes.csv"])
        .failed(1, &["`holes.csv`, row 1 (line 2): `patient` of `daisy/0000.png` is empty"]);
    // Five patients have train rows: six folds cannot be made of them.
    fit_head(&room, &[&["x.features", "-o", "y.head", "--folds", "6"][..], &grouped].concat())
        .failed(1, &["expected folds", "got 6"]);
}

#[test]
fn calibration_divides_all_logits_and_can_be_left_out() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let fit = |flags: &[&str]| {
        fit_head(&room, &[&["x.features", "-o", "x.head", "--l2", "0.1", "--force"], flags].concat()).fine();
        Head::read(&room.path("x.head")).unwrap()
    };
    let (calibrated, plain) = (fit(&[]), fit(&["--no-calibrate"]));
    assert!(plain.fit.get("temperature").is_none());
    let temperature = calibrated.fit["temperature"].as_f64().unwrap();
    // A penalty so small overfits 90 rows: the head is too sure of itself.
    assert!(temperature > 1.2, "{temperature}");
    for (calibrated, plain) in calibrated.layers[0].weight.iter().zip(&plain.layers[0].weight) {
        let apart = f64::from(*calibrated) * temperature - f64::from(*plain);
        assert!(apart.abs() < 2e-2 * f64::from(plain.abs()).max(0.1), "{calibrated} {plain}");
    }
}

#[test]
fn closed_forms_are_chosen_calibrated_and_recorded() {
    let room = Room::new();
    room.features("x.features", &Made { dim: 60, ..Made::default() });
    for (kind, strength, tried) in
        [("ridge", Some("l2"), 25), ("lda", Some("shrinkage"), 16), ("prototype", None, 1)]
    {
        let settings = ["-o", "x.head", "--force", "--table", "t.parquet", "--head", kind];
        let run = fit_head(&room, &[&["x.features"][..], &settings].concat()).fine();
        let best = if tried > 1 { format!(", best of {tried}") } else { String::new() };
        assert!(run.stderr().contains(&format!("{best} on val (accuracy ")), "{}", run.stderr());
        let head = Head::read(&room.path("x.head")).unwrap();
        assert_eq!((head.kind, head.layers.len(), &head.fit["head"]), (HeadKind::Linear, 1, &kind.into()));
        let of = |key: &str| head.fit[key].as_f64().unwrap_or_else(|| panic!("no {key} of {kind}"));
        assert!(of("held_out_loss") < of("held_out_loss_before_temperature"), "{kind}");
        assert!(of("temperature") > 0.0 && of("train_accuracy") > 0.8, "{kind}");
        let table = table::read(&room.path("t.parquet")).unwrap();
        assert_eq!(table.height(), tried);
        let accuracies = table.column("held_out_accuracy").unwrap().f64().unwrap().to_vec();
        let chosen = table.column("chosen").unwrap().bool().unwrap().iter().collect::<Vec<_>>();
        let best =
            (0..tried).rev().max_by(|a, b| accuracies[*a].partial_cmp(&accuracies[*b]).unwrap()).unwrap();
        assert_eq!(chosen.iter().position(|chosen| *chosen == Some(true)), Some(best), "{kind}");
        assert_eq!(accuracies[best], Some(of("held_out_accuracy")));
        if let Some(strength) = strength {
            let strengths = table.column(strength).unwrap().f64().unwrap().to_vec();
            assert_eq!(strengths[best], Some(of(strength)));
        }
        // One strength as it is: nothing is held out, nothing calibrated.
        fit_head(&room, &[&["x.features", "--no-calibrate", "--folds", "4"][..], &settings].concat()).fine();
        let plain = Head::read(&room.path("x.head")).unwrap();
        assert!(plain.fit.get("temperature").is_none());
    }
    fit_head(&room, &["x.features", "-o", "y.head", "--head", "ridge", "--l2", "2", "--no-calibrate"]).fine();
    let fit = Head::read(&room.path("y.head")).unwrap().fit;
    assert!(fit["l2"] == 2.0 && fit.get("held_out").is_none(), "{fit}");
}

#[test]
fn class_weights_come_from_a_table_and_priors_can_be_taken_off() {
    let room = Room::new();
    room.features("x.features", &Made { last_class_train_rows: Some(6), ..Made::default() });
    room.write("w.csv", "class,weight\ntulips,5\ndaisy,1\nroses,0.5\n");
    for kind in ["linear", "ridge", "lda", "mlp:4"] {
        let fit = |flags: &[&str]| {
            let settings = ["x.features", "-o", "x.head", "--force", "--head", kind];
            fit_head(&room, &[&settings[..], flags].concat()).fine();
            Head::read(&room.path("x.head")).unwrap()
        };
        let (plain, weighted) = (fit(&[]), fit(&["--class-weight", "w.csv"]));
        assert_eq!(weighted.fit["class_weight"].to_string(), "[1.0,0.5,5.0]");
        assert_ne!(plain.layers, weighted.layers, "{kind}");
        let adjusted = fit(&["--logit-adjustment", "0.5"]);
        assert_eq!(adjusted.fit["logit_adjustment"], 0.5);
        let (before, after) = (plain.layers.last().unwrap(), adjusted.layers.last().unwrap());
        assert_eq!(before.weight, after.weight, "{kind}");
        for (class, rows) in [30.0f32, 30.0, 6.0].into_iter().enumerate() {
            let moved = after.bias[class] - before.bias[class];
            assert!((moved + 0.5 * (rows / 66.0).ln()).abs() < 1e-4, "{kind}: {moved}");
        }
    }
    for (text, parts) in [
        ("class,weight\ndaisy,1\nroses,1\n", &["no weight for `tulips`"][..]),
        ("class,weight\ndaisy,1\nroses,1\ntulips,0\n", &["class `tulips`", "a weight above 0, got `0`"]),
        ("class,weight\ndaisy,1\ndaisy,1\n", &["two weights for `daisy`"]),
        ("class,weight\noaks,1\n", &["`oaks`, which is no class of the features"]),
        ("class,mass\ndaisy,1\n", &["no column `weight`"]),
    ] {
        room.write("w.csv", text);
        fit_head(&room, &["x.features", "-o", "y.head", "--class-weight", "w.csv"]).failed(1, parts);
    }
}

#[test]
fn classes_of_too_few_rows_are_named() {
    let room = Room::new();
    room.features("x.features", &Made { last_class_train_rows: Some(6), ..Made::default() });
    fit_head(&room, &["x.features", "-o", "x.head", "--min-class-rows", "6", "--head", "prototype"]).fine();
    fit_head(&room, &["x.features", "-o", "y.head", "--min-class-rows", "31"])
        .failed(1, &["fewer than 31 train rows", "`daisy` 30, `roses` 30, `tulips` 6"]);
}

#[test]
fn an_mlp_that_is_asked_to_ends_early_and_is_calibrated() {
    let room = Room::new();
    let noisy = Made { dim: 60, ..Made::default() };
    room.features("val.features", &noisy);
    room.features("none.features", &Made { rows: [40, 0, 10], ..noisy });
    for (features, held, key) in
        [("val.features", "val", "val_loss"), ("none.features", "train rows set aside", "held_out_loss")]
    {
        let settings = ["--head", "mlp:32", "--epochs", "200", "--patience", "3", "--learning-rate", "0.01"];
        let outputs = [features, "-o", "x.head", "--force", "--table", "t.parquet"];
        let run = fit_head(&room, &[&outputs[..], &settings].concat()).fine();
        let fit = Head::read(&room.path("x.head")).unwrap().fit;
        let of = |name: &str| fit[name].as_f64().unwrap_or_else(|| panic!("no {name}: {fit}"));
        assert_eq!(of("epochs_run"), of("best_epoch") + 3.0);
        assert_eq!(fit["held_out"], held);
        assert!(run.stderr().contains(&format!("the best of them {}", of("best_epoch"))), "{}", run.stderr());
        let table = table::read(&room.path("t.parquet")).unwrap();
        let losses: Vec<f64> = table.column("val_loss").unwrap().f64().unwrap().into_no_null_iter().collect();
        assert_eq!(losses[of("best_epoch") as usize - 1], of(key));
        assert!(losses.iter().all(|loss| *loss >= of(key)), "{losses:?}");
        fit_head(&room, &[&outputs[..], &settings, &["--calibrate"]].concat()).fine();
        let fit = Head::read(&room.path("x.head")).unwrap().fit;
        let of = |name: &str| fit[name].as_f64().unwrap_or_else(|| panic!("no {name}: {fit}"));
        assert!(of("held_out_loss") <= of("held_out_loss_before_temperature"));
    }
    let fit = Head::read(&room.path("x.head")).unwrap().fit;
    assert_eq!((&fit["train_rows"], &fit["rows_set_aside"]), (&108.into(), &12.into()));
}

#[test]
fn neighbours_are_kept_in_the_head() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let run = fit_head(&room, &["x.features", "-o", "x.head", "--head", "knn:7", "--table", "t.csv"]).fine();
    assert!(run.stderr().contains("knn, 7 neighbours, val loss "), "{}", run.stderr());
    let head = Head::read(&room.path("x.head")).unwrap();
    let memory = head.memory.as_ref().unwrap();
    assert_eq!((head.kind, head.dim(), head.layers.len()), (HeadKind::Knn, 20, 0));
    assert_eq!((memory.neighbours, memory.truth.classes().len(), memory.rows.len()), (7, 90, 90 * 20));
    assert!(
        head.fit["standardize"] == false && head.fit["val_accuracy"].as_f64().unwrap() > 0.4,
        "{}",
        head.fit
    );
    fit_head(&room, &["x.features", "-o", "y.head", "--head", "knn:91"])
        .failed(1, &["expected neighbours", "got 91"]);
}

#[test]
fn an_mlp_tells_every_epoch() {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let arguments = ["x.features", "-o", "x.head", "--head", "mlp:16", "--epochs", "4", "--seed", "3"];
    let run = fit_head(&room, &[&arguments[..], &["--table", "epochs.csv"]].concat()).fine();
    let lines: Vec<String> = run.stderr().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert!(lines[0].starts_with("epoch 1/4: train loss ") && lines[0].contains("; val loss "), "{lines:?}");
    assert!(lines[4].starts_with("fit-head: 90 rows, 3 classes, 4 epochs, train accuracy "), "{lines:?}");
    let head = Head::read(&room.path("x.head")).unwrap();
    assert_eq!(head.kind, HeadKind::Mlp);
    assert_eq!(
        head.layers.iter().map(|layer| (layer.inputs, layer.outputs)).collect::<Vec<_>>(),
        [(20, 16), (16, 3)]
    );
    assert_eq!(head.fit["head"], "mlp:16");
    let table = table::read(&room.path("epochs.csv")).unwrap();
    assert_eq!((table.height(), table.get_column_names()[0].as_str()), (4, "epoch"));
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
            "expected `auto`, `linear`, `ridge`, `lda`, `prototype`, `mlp:UNITS` or `knn:K`",
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

/// Features of six classes that are hard to tell apart, in so many views of each train sample.
fn noise(room: &Room, name: &str, views: u32, rows: [usize; 3]) {
    let classes = vec!["a", "b", "c", "d", "e", "f"];
    room.features(name, &Made { classes, dim: 40, rows, views, ..Made::default() });
}

fn fit_of(room: &Room, name: &str, flags: &[&str]) -> (Head, String) {
    let run = fit_head(room, &[&[name, "-o", "x.head", "--force"], flags].concat()).fine();
    (Head::read(&room.path("x.head")).expect("a head"), run.last_line())
}

#[test]
fn a_held_out_sample_is_not_learnt_from_by_its_views() {
    let room = Room::new();
    noise(&room, "plain.features", 1, [12, 0, 0]);
    noise(&room, "viewed.features", 4, [12, 0, 0]);
    for flags in [
        &["--head", "linear", "--l2", "0.01,0.001"][..],
        &["--head", "ridge", "--l2", "0.01,0.001"],
        &["--head", "lda", "--shrinkage", "0.1,0.2"],
        &["--head", "prototype"],
        &["--head", "mlp:64", "--epochs", "60", "--patience", "60"],
    ] {
        let accuracy = |name: &str| {
            let (head, line) = fit_of(&room, name, flags);
            (head.fit["held_out_accuracy"].as_f64().unwrap(), line)
        };
        let ((plain, line), (viewed, viewed_line)) =
            (accuracy("plain.features"), accuracy("viewed.features"));
        assert!(line.starts_with("fit-head: 72 rows, 6 classes, "), "{line}");
        let begin = "fit-head: 288 rows (72 samples and their views), 6 classes, ";
        assert!(viewed_line.starts_with(begin), "{viewed_line}");
        // Whoever has seen a view of a row that is held out knows its class: of 72 rows nearly all would be right.
        assert!(viewed < 0.6 && (viewed - plain).abs() < 0.25, "{flags:?}: {plain}, with views {viewed}");
    }
    let (head, _) = fit_of(&room, "viewed.features", &["--l2", "10"]);
    assert_eq!((head.fit["train_rows"].as_u64(), head.fit["train_samples"].as_u64()), (Some(288), Some(72)));
    let (head, _) = fit_of(&room, "plain.features", &["--l2", "10"]);
    assert!(head.fit.get("train_samples").is_none());
}

#[test]
fn parts_of_the_curve_thresholds_and_groups_are_of_samples() {
    let room = Room::new();
    noise(&room, "x.features", 3, [20, 0, 0]);
    let flags = ["--curve", "curve.csv", "--reject-at", "0.5"];
    let (head, _) = fit_of(&room, "x.features", &flags);
    let curve = &head.fit["curve"];
    // Of 120 samples in five folds 96 are learnt from, and each is judged once.
    assert_eq!(curve["held_out_rows"], 120);
    let rows: Vec<u64> =
        curve["rows"].as_array().unwrap().iter().map(|rows| rows.as_u64().unwrap()).collect();
    assert_eq!(rows.last(), Some(&96));
    assert!(rows[0] <= 12, "{rows:?}");
    assert!(curve["held_out_accuracy"].as_array().unwrap().iter().all(|part| part.as_f64().unwrap() < 0.7));

    let names: Vec<String> = ["a", "b", "c", "d", "e", "f"]
        .iter()
        .flat_map(|class| (0..20).map(move |n| format!("{class}/{n:04}.png,{}", n / 4)))
        .collect();
    room.write("m.csv", format!("path,patient\n{}\n", names.join("\n")));
    let (head, _) = fit_of(&room, "x.features", &["--manifest", "m.csv", "--group-column", "patient"]);
    assert!(head.fit["held_out_accuracy"].as_f64().unwrap() < 0.7);
    fit_head(&room, &["x.features", "-o", "y.head", "--min-class-rows", "21"])
        .failed(1, &["has fewer than 21 train rows of some classes: `a` 20, "]);
}

#[test]
fn views_are_learnt_from_and_neighbours_are_samples() {
    let room = Room::new();
    noise(&room, "plain.features", 1, [10, 5, 5]);
    noise(&room, "viewed.features", 3, [10, 5, 5]);
    // One more term each a view: at thrice the penalty the minimum is nearly the same.
    let (plain, _) = fit_of(&room, "plain.features", &["--l2", "10", "--no-calibrate"]);
    let (viewed, _) = fit_of(&room, "viewed.features", &["--l2", "30", "--no-calibrate"]);
    let (other, _) = fit_of(&room, "viewed.features", &["--l2", "10", "--no-calibrate"]);
    let apart = |a: &Head, b: &Head| {
        let pairs = a.layers[0].weight.iter().zip(&b.layers[0].weight);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max)
    };
    assert!(apart(&plain, &viewed) < 0.01 * apart(&plain, &other), "{}", apart(&plain, &viewed));
    let (plain, _) = fit_of(&room, "plain.features", &["--head", "knn:5"]);
    let (viewed, line) = fit_of(&room, "viewed.features", &["--head", "knn:5"]);
    assert_eq!(plain.memory, viewed.memory);
    assert_eq!(plain.fit["train_rows"], viewed.fit["train_rows"]);
    assert!(line.contains("knn, 5 neighbours among the samples themselves, without their views"), "{line}");
}

#[test]
fn features_side_by_side_have_the_same_views() {
    let room = Room::new();
    let made = Made { views: 3, ..Made::default() };
    room.features("x.features", &made);
    room.features("y.features", &Made { tap: "layer3", ..made.clone() });
    let flags = ["-o", "x.head", "--concat", "--l2", "10"];
    let line = fit_head(&room, &[&["x.features", "y.features"], &flags[..]].concat()).fine().last_line();
    assert!(line.starts_with("fit-head: 270 rows (90 samples and their views), 3 classes, "), "{line}");
    room.features("z.features", &Made { tap: "layer3", views: 1, ..made });
    fit_head(&room, &["x.features", "z.features", "-o", "z.head"]).failed(
        1,
        &["`z.features` is not of the same samples as `x.features`: it has other augmented views"],
    );
}
