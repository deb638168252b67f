//! What each kind of head is, and carries.

use super::*;

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
