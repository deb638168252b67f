//! The page, and what else is looked at in the data.

use super::*;

#[test]
fn labels_of_which_no_class_has_two_rows_are_left_undecided() {
    // Also where all but one class have one row, and a row can be held out.
    for (rows, last, undecided) in [([1, 0, 0], 1, true), ([0, 0, 1], 0, true), ([1, 0, 0], 2, false)] {
        let room = room(&Made { rows, last_class_train_rows: Some(last), ..Made::default() });
        let tables = ["--suspects", "s.csv", "--report", "r.html"];
        let run = evaluate(&room, &[&["x.features", "x.head", "-o", "m.csv"][..], &tables].concat()).fine();
        assert_eq!(run.stderr().contains("no class has two rows"), undecided, "{}", run.stderr());
        let suspects = table::read(&room.path("s.csv")).unwrap();
        let [labels, suggested, quality, likely] =
            ["label", "suggested", "quality", "likely"].map(|column| text(&suspects, column));
        assert_eq!(labels.len(), if undecided { 3 } else { 4 });
        assert!(labels.iter().zip(&suggested).all(|(label, suggested)| label != suggested));
        if undecided {
            assert_eq!((quality, likely), (vec!["0.5".to_owned(); 3], vec!["false".to_owned(); 3]));
        }
    }
}

#[test]
fn the_hardest_rows_come_first() {
    let room = room(&Made::default());
    let tables = ["--hardest", "h.parquet", "--predictions", "p.parquet", "--split", "all"];
    evaluate(&room, &[&["x.features", "x.head", "-o", "m.parquet"][..], &tables].concat()).fine();
    let [hardest, predictions] =
        ["h.parquet", "p.parquet"].map(|name| table::read(&room.path(name)).unwrap());
    let losses = hardest.column("loss").unwrap().f64().unwrap().to_vec();
    assert!(losses.len() == 150 && losses.is_sorted_by(|a, b| a >= b));
    let mean = losses.iter().map(|loss| loss.unwrap()).sum::<f64>() / 150.0;
    let metrics = table::read(&room.path("m.parquet")).unwrap();
    let splits = [("train", 90.0), ("val", 30.0), ("test", 30.0)];
    let expected: f64 =
        splits.iter().map(|(split, n)| n * value(&metrics, split, "overall", "log_loss", "null")).sum();
    assert!((mean - expected / 150.0).abs() < 1e-12);
    let mut ids = [text(&hardest, "id"), text(&predictions, "id")];
    ids.iter_mut().for_each(|ids| ids.sort());
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn the_report_is_one_page_with_what_was_found() {
    let room = room(&Made { rows: [30, 10, 30], ..Made::default() });
    let outputs = ["x.features", "x.head", "-o", "m.csv", "--report", "r.html"];
    let tables = ["--suspects", "s.parquet", "--duplicates", "d.csv", "--baseline", "x.head"];
    let run = |flags: &[&str]| evaluate(&room, &[&outputs[..], &tables, flags].concat());
    let said = run(&[]).fine();
    assert_eq!(said.last_line(), "evaluate: 90 rows, 3 classes → m.csv, s.parquet, d.csv, r.html");
    let page = std::fs::read_to_string(room.path("r.html")).unwrap();
    for part in ["<!doctype html>", "daisy/0040.png", "Not told apart", "id=\"confusion\"", "id=\"lineage\""]
    {
        assert!(page.contains(part), "no `{part}` in the page");
    }
    assert!(!page.contains("data:image/jpeg"), "no pictures without --images");

    // All 210 rows, of every split, worst first.
    let suspects = table::read(&room.path("s.parquet")).unwrap();
    assert_eq!(suspects.height(), 210);
    let quality = suspects.column("quality").unwrap().f64().unwrap().to_vec();
    assert!(quality.windows(2).all(|pair| pair[0] <= pair[1]));
    let [labels, suggested] = ["label", "suggested"].map(|name| text(&suspects, name));
    assert!(labels.iter().zip(&suggested).all(|(label, suggested)| label != suggested));

    let bytes = || ["r.html", "s.parquet", "d.csv"].map(|name| std::fs::read(room.path(name)).unwrap());
    let first = bytes();
    run(&["--force", "--threads", "1"]).fine();
    assert_eq!(bytes(), first, "another number of threads");
    run(&[]).failed(1, &["`m.csv` exists"]);
    evaluate(&room, &["x.features", "x.head", "-o", "n.csv", "--report", "r.txt"])
        .failed(2, &["--report: expected a name in .html, got `r.txt`"]);
    evaluate(&room, &["x.features", "x.head", "-o", "n.csv", "--images", "."])
        .failed(2, &["--images goes with --report or --duplicates"]);
}

#[test]
fn pictures_of_the_report_are_those_of_the_samples() {
    let room = Room::new();
    room.pictures("data", 2, 12);
    room.tool("extract", &["data", "-o", "x.features", "--split", "50/0/50", "-q"]).fine();
    room.tool("fit-head", &["x.features", "-o", "x.head", "-q"]).fine();
    let arguments = ["x.features", "x.head", "-o", "m.csv", "--report", "r.html", "--force", "--images"];
    let run = evaluate(&room, &[&arguments[..], &["data"]].concat()).fine();
    assert!(!run.stderr().contains("that changed since"), "{}", run.stderr());
    let page = std::fs::read_to_string(room.path("r.html")).unwrap();
    assert!(page.matches("data:image/jpeg;base64,").count() > 3, "pictures behind the cells");
    evaluate(&room, &[&arguments[..], &["nowhere"]].concat()).failed(2, &["`nowhere` is no folder"]);
    // A tar of the same pictures shows the same.
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("data", room.path("data")).unwrap();
    room.write("data.tar", tar.into_inner().unwrap());
    evaluate(&room, &[&arguments[..], &["data.tar"]].concat()).fine();
    assert!(page == std::fs::read_to_string(room.path("r.html")).unwrap());
    room.write("cut.tar", &std::fs::read(room.path("data.tar")).unwrap()[..5000]);
    evaluate(&room, &[&arguments[..], &["cut.tar"]].concat())
        .failed(2, &["--images: cannot read `cut.tar`", "not written or copied in full"]);
    let duplicates = ["x.features", "x.head", "-o", "m.csv", "--duplicates", "d.csv", "--force", "--images"];
    for arguments in [&arguments, &duplicates] {
        // Another folder has none of them; some may be missing or damaged.
        evaluate(&room, &[&arguments[..], &["x.features"]].concat())
            .failed(1, &["no picture of 24 in `x.features` is of use: 24 are missing"]);
    }
    for file in ["a/000.png", "a/001.png", "b/002.png"] {
        let path = room.path("data").join(file);
        if file.starts_with('a') {
            std::fs::remove_file(path).unwrap();
        } else {
            std::fs::write(path, "x").unwrap();
        }
    }
    std::fs::copy(room.path("data/a/002.png"), room.path("data/a/003.png")).unwrap();
    let counted =
        "evaluate: of the pictures in --images 2 are missing, 1 cannot be decoded: their duplicates";
    for arguments in [&arguments, &duplicates] {
        let run = evaluate(&room, &[&arguments[..], &["data"]].concat()).fine();
        assert!(run.stderr().contains(counted), "{}", run.stderr());
        let changed = "evaluate: pictures in --images that changed since they were extracted: 1;";
        assert!(run.stderr().contains(changed), "{}", run.stderr());
    }
    // What is there and cannot be read is not missing in silence.
    for path in room.bytes("data").into_keys() {
        std::fs::remove_file(room.path("data").join(&path)).unwrap();
        std::fs::create_dir(room.path("data").join(&path)).unwrap();
    }
    evaluate(&room, &[&arguments[..], &["data"]].concat())
        .failed(1, &["cannot read `data/", "not a regular file"]);
    evaluate(&room, &[&duplicates[..], &["data"]].concat())
        .failed(1, &["cannot read `data/", "not a regular file"]);
}

#[test]
fn a_sample_that_is_there_twice_is_found() {
    let room = Room::new();
    room.pictures("data", 2, 40);
    let twin = room.path("data/a/000.png");
    std::fs::copy(twin, room.path("data/b/twin.png")).unwrap();
    room.tool("extract", &["data", "-o", "x.features", "-q", "--split", "60/0/40"]).fine();
    room.tool("fit-head", &["x.features", "-o", "x.head", "-q"]).fine();
    evaluate(&room, &["x.features", "x.head", "-o", "m.csv", "--duplicates", "d.csv"]).fine();
    let found = table::read(&room.path("d.csv")).unwrap();
    let pairs = |found: &DataFrame| -> Vec<(String, String)> {
        text(found, "id").into_iter().zip(text(found, "other_id")).collect()
    };
    let twins = ("a/000.png".to_owned(), "b/twin.png".to_owned());
    assert!(pairs(&found).contains(&twins), "{:?}", pairs(&found));
    // With the pictures at hand, their pixels say so too.
    let more = ["--duplicates", "d.parquet", "--images", "data", "--force"];
    evaluate(&room, &[&["x.features", "x.head", "-o", "m.csv"][..], &more].concat()).fine();
    let found = table::read(&room.path("d.parquet")).unwrap();
    let at = pairs(&found).iter().position(|pair| *pair == twins).unwrap();
    assert!(found.column("pixels").unwrap().f64().unwrap().get(at).unwrap() > 0.999);
}
