//! Which of several features, kinds and penalties is kept.

use super::*;

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
    let taps: Vec<&str> = head.sources.iter().map(|source| source.network().unwrap().tap.as_str()).collect();
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
            "--epochs goes with --head mlp:UNITS or attention:QUERIES; --head auto, the default, stands for linear and lda",
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
