//! Augmented views.

use super::*;

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
