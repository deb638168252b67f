use super::*;

const SAMPLES: [Sample<'static>; 3] = [
    Sample { id: "a.png", class: "dog|cat" },
    Sample { id: "b.png", class: "none" },
    Sample { id: "c.png", class: " cat | cat" },
];

fn manifest(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("m.csv");
    std::fs::write(&path, text).unwrap();
    (root, path)
}

#[test]
fn class_names_hold_lists_or_numbers() {
    let (targets, names) = TargetSpec::find(Task::Labels, &SAMPLES, &[], None).unwrap();
    assert_eq!((targets.from.clone(), names.clone()), (TargetsFrom::Class, vec!["cat".into(), "dog".into()]));
    assert_eq!(targets.read(&names, &SAMPLES, None).unwrap().values(), [1.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    let error = targets.read(&names[..1], &SAMPLES, None).unwrap_err().to_string();
    assert_eq!(
        error,
        "--target labels by class names: `a.png` bears `dog`, which is no label of the head, only `cat`"
    );

    let both = [Sample { id: "d.png", class: "none|cat" }];
    let error = targets.read(&names, &both, None).unwrap_err().to_string();
    assert!(
        error.ends_with("`d.png` has `none|cat`, expected `none` alone, or labels without it"),
        "{error}"
    );

    let numbers = [Sample { id: "a.png", class: "-1.5e1" }, Sample { id: "b.png", class: "inf" }];
    let (targets, names) = TargetSpec::find(Task::Numbers, &numbers, &[], None).unwrap();
    assert_eq!(targets.read(&names, &numbers[..1], None).unwrap().values(), [-15.0]);
    let error = targets.read(&names, &numbers, None).unwrap_err().to_string();
    assert_eq!(
        error,
        "--target number by class names: `b.png` has `inf`, expected a finite number (below 3.4e38)"
    );
    assert!(TargetSpec::find(Task::Labels, &SAMPLES[1..2], &[], None).is_err());
}

#[test]
fn columns_hold_one_output_each_or_lists() {
    let (_root, path) =
        manifest("path,cat,dog,tags,age\n./a.png,1,TRUE,x|y,1\nb.png,0,false,none,2.5\nc.png,1,0,y,-3\n");
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let find = |task, names: &[&str]| TargetSpec::find(task, &SAMPLES, &[], Some((&path, &columns(names))));
    let values = |task, of: &[&str]| {
        let (targets, names) = find(task, of).unwrap();
        (targets.from.clone(), targets.read(&names, &SAMPLES, Some(&path)).unwrap().values().to_vec())
    };
    let both = vec![1.0, 1.0, 0.0, 0.0, 1.0, 0.0];
    assert_eq!(values(Task::Labels, &["cat", "dog"]), (TargetsFrom::Columns, both));
    assert_eq!(values(Task::Labels, &["dog"]), (TargetsFrom::Columns, vec![1.0, 0.0, 0.0]));
    let lists = vec![1.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    assert_eq!(values(Task::Labels, &["tags"]), (TargetsFrom::Column("tags".into()), lists));
    let numbers = vec![1.0, 1.0, 2.5, 0.0, -3.0, 1.0];
    assert_eq!(values(Task::Numbers, &["age", "cat"]), (TargetsFrom::Columns, numbers));
}

#[test]
fn each_lie_has_its_line() {
    let (_root, path) = manifest("path,cat,dog,tags,age\na.png,1,maybe,x,1\nb.png,0,1,,old\nc.png,1,,y,3\n");
    let message = |task, names: &[&str]| {
        let columns: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let read = TargetSpec::find(task, &SAMPLES, &[], Some((&path, &columns)))
            .and_then(|(targets, names)| targets.read(&names, &SAMPLES, Some(&path)));
        read.unwrap_err().to_string()
    };
    for (got, part) in [
        (message(Task::Labels, &["cat", "dog"]), "row 3 (line 4): `dog` of `c.png` is empty"),
        (message(Task::Labels, &["tags"]), "row 2 (line 3): `tags` of `b.png` is empty"),
        (message(Task::Labels, &["tags"]), "; a sample without labels says `none`"),
        (
            message(Task::Numbers, &["age"]),
            "column `age`: `b.png` has `old`, expected a finite number (below 3.4e38)",
        ),
        (message(Task::Numbers, &["size"]), "has no column `size`, only `path`, `cat`"),
        (message(Task::Numbers, &["cat", "cat"]), "the column `cat` is named twice"),
        (message(Task::Labels, &["cat", "age"]), "column `age`: `b.png` has `old`, expected 0 or 1"),
    ] {
        assert!(got.contains(part), "{got}");
    }
    let columns = TargetSpec { task: Task::Numbers, from: TargetsFrom::Columns };
    let error = columns.read(&["age".to_owned()], &SAMPLES, None).unwrap_err().to_string();
    assert_eq!(error, "the targets stand in `age` of a manifest: give it by --manifest");
}

#[test]
fn classes_are_those_of_the_features_or_of_a_column() {
    let classes: Vec<String> = ["x", "cat", "dog"].map(str::to_owned).to_vec();
    let samples = [Sample { id: "a.png", class: "dog" }, Sample { id: "b.png", class: "x" }];
    let (own, names) = TargetSpec::find(Task::Class, &samples, &classes, None).unwrap();
    assert!(own.is_of_features() && !own.need_manifest());
    assert_eq!((own.read(&names, &samples, None).unwrap(), names), (Truth::Class(vec![2, 0]), classes));

    let (_root, path) = manifest("path,label,kind\na.png,cat,\nb.png, bird ,k\n");
    let find = |columns: &[&str]| {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        TargetSpec::find(Task::Class, &samples, &[], Some((&path, &columns)))
    };
    let (corrected, names) = find(&["label"]).unwrap();
    assert_eq!(
        (&corrected.from, &names[..]),
        (&TargetsFrom::Column("label".into()), &["bird", "cat"].map(str::to_owned)[..])
    );
    assert_eq!(corrected.read(&names, &samples, Some(&path)).unwrap(), Truth::Class(vec![1, 0]));
    let error = corrected.read(&names[..1], &samples, Some(&path)).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "column `label`: `a.png` is of class `cat`, which the head does not know, only `bird`"
        ),
        "{error}"
    );
    let error = find(&["label", "kind"]).unwrap_err().to_string();
    assert_eq!(error, "classes stand in one column of a manifest, got `label`, `kind`");
    let error = find(&["kind"]).unwrap_err().to_string();
    assert!(error.contains("`kind` of `a.png` is empty"), "{error}");
}
