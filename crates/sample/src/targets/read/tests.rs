use super::*;
use crate::targets::Samples;
use store::table::SampleTable;

/// Samples `a.png`, `b.png` … with what stands in their columns.
struct Made {
    ids: Vec<String>,
    names: Vec<String>,
    columns: Vec<Column>,
}

impl Made {
    fn new(columns: &[(&str, &[&str])]) -> Made {
        let rows = columns[0].1.len();
        Made {
            ids: (0..rows).map(|row| format!("{}.png", char::from(b'a' + row as u8))).collect(),
            names: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            columns: columns.iter().map(|(name, texts)| Column::new(name, texts.iter().copied())).collect(),
        }
    }

    fn said(&self) -> Said<'_> {
        Said { samples: self, manifest: None }
    }

    fn with<'a>(&'a self, manifest: &'a SampleTable) -> Said<'a> {
        Said { samples: self, manifest: Some(manifest) }
    }
}

impl Samples for Made {
    fn len(&self) -> usize {
        self.ids.len()
    }

    fn id(&self, sample: usize) -> &str {
        &self.ids[sample]
    }

    fn columns(&self) -> &[String] {
        &self.names
    }

    fn column(&self, name: &str) -> Option<Column> {
        self.columns.iter().find(|column| column.name() == name).cloned()
    }

    fn place(&self) -> String {
        "`x.features`".to_owned()
    }
}

fn three() -> Made {
    Made::new(&[("label", &["dog|cat", "none", " cat | cat"]), ("age", &["1", "", "3"])])
}

/// All columns of a manifest of this text.
fn manifest(text: &str) -> SampleTable {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("m.csv");
    std::fs::write(&path, text).unwrap();
    let columns: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    SampleTable::open(&path, &columns).unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn class_names_hold_lists_or_numbers() {
    let made = three();
    let (targets, found) = TargetSpec::find(Task::Labels, made.said(), None).unwrap();
    assert_eq!((&targets.from, &found), (&TargetsFrom::Class, &names(&["cat", "dog"])));
    assert_eq!(targets.read(&found, made.said()).unwrap().values(), [1.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    let error = targets.read(&found[..1], made.said()).unwrap_err().to_string();
    assert_eq!(
        error,
        "`x.features`, column `label`: `a.png` bears `dog`, which is no label of the head, only `cat`"
    );
    let both = Made::new(&[("label", &["none|cat"])]);
    let error = targets.read(&found, both.said()).unwrap_err().to_string();
    assert!(
        error.ends_with("`a.png` has `none|cat`, expected `none` alone, or labels without it"),
        "{error}"
    );
    let none = Made::new(&[("label", &["none"])]);
    assert!(TargetSpec::find(Task::Labels, none.said(), None).is_err());

    let numbers = Made::new(&[("label", &["-1.5e1", "inf", "x"])]);
    let (targets, found) = TargetSpec::find(Task::Numbers, numbers.said(), None).unwrap();
    let error = targets.read(&found, numbers.said()).unwrap_err().to_string();
    assert_eq!(
        error,
        "`x.features`, column `label`: `b.png` has `inf`, expected a finite number (below 3.4e38), such as 28.2"
    );
    let fine = Made::new(&[("label", &["-1.5e1", "2"])]);
    assert_eq!(targets.read(&found, fine.said()).unwrap(), Truth::Numbers(vec![-15.0, 2.0]));
}

#[test]
fn columns_hold_one_output_each_or_lists() {
    let path =
        manifest("path,cat,dog,tags,age\n./a.png,1,TRUE,x|y,1\nb.png,0,false,none,2.5\nc.png,1,0,y,-3\n");
    let table = three();
    let own = Made::new(&[
        ("cat", &["1", "0", "1"]),
        ("dog", &["TRUE", "false", "0"]),
        ("tags", &["x|y", "none", "y"]),
        ("age", &["1", "2.5", "-3"]),
    ]);
    // In a manifest, and in the features.
    for said in [table.with(&path), own.said()] {
        let values = |task, of: &[&str]| {
            let (targets, found) = TargetSpec::find(task, said, Some(&names(of))).unwrap();
            (targets.from.clone(), targets.read(&found, said).unwrap().values().to_vec())
        };
        let both = vec![1.0, 1.0, 0.0, 0.0, 1.0, 0.0];
        assert_eq!(values(Task::Labels, &["cat", "dog"]), (TargetsFrom::Columns, both));
        assert_eq!(values(Task::Labels, &["dog"]), (TargetsFrom::Columns, vec![1.0, 0.0, 0.0]));
        let lists = vec![1.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(values(Task::Labels, &["tags"]), (TargetsFrom::Column("tags".into()), lists));
        let numbers = vec![1.0, 1.0, 2.5, 0.0, -3.0, 1.0];
        assert_eq!(values(Task::Numbers, &["age", "cat"]), (TargetsFrom::Columns, numbers));
    }
}

#[test]
fn each_lie_has_its_line() {
    let path = manifest("path,cat,dog,tags,age\na.png,1,maybe,x,1\nb.png,0,1,,old\nc.png,1,,y,3\n");
    let made = three();
    let message = |said: Said<'_>, task, of: &[&str]| {
        let read = TargetSpec::find(task, said, Some(&names(of)))
            .and_then(|(targets, found)| targets.read(&found, said));
        read.unwrap_err().to_string()
    };
    let (said, own) = (made.with(&path), made.said());
    for (got, part) in [
        (message(said, Task::Labels, &["cat", "dog"]), "row 3 (line 4): `dog` of `c.png` is empty"),
        (message(said, Task::Labels, &["tags"]), "row 2 (line 3): `tags` of `b.png` is empty"),
        (message(said, Task::Labels, &["tags"]), "; a sample without labels says `none`"),
        (
            message(said, Task::Numbers, &["age"]),
            "column `age`: `b.png` has `old`, expected a finite number (below 3.4e38)",
        ),
        (
            message(said, Task::Numbers, &["size"]),
            "`x.features` has no column `size`, only `label`, `age`, nor has `",
        ),
        (message(said, Task::Numbers, &["cat", "cat"]), "the column `cat` is named twice"),
        (message(said, Task::Labels, &["cat", "age"]), "column `age`: `b.png` has `old`, expected 0 or 1"),
        (
            message(own, Task::Numbers, &["age"]),
            "`x.features`: `age` of `b.png` is empty; fill it in a --manifest",
        ),
        (message(own, Task::Numbers, &["size"]), "`x.features` has no column `size`, only `label`, `age`; "),
    ] {
        assert!(got.contains(part), "{got}");
    }
    let bare = Made::new(&[("kind", &["x", "y"])]);
    let error = TargetSpec::find(Task::Class, bare.said(), None).unwrap_err().to_string();
    assert!(error.contains("`x.features` has no column `label`, only `kind`;"), "{error}");
    let none = Made { names: Vec::new(), columns: Vec::new(), ..Made::new(&[("x", &["1"])]) };
    let error = TargetSpec::find(Task::Class, none.said(), None).unwrap_err().to_string();
    assert!(error.contains("has no column `label`, and no other; name"), "{error}");
    let empty = Made::new(&[("label", &["cat", ""])]);
    let error = TargetSpec::find(Task::Labels, empty.said(), None).unwrap_err().to_string();
    assert!(error.ends_with("fill it in a --manifest; a sample without labels says `none`"), "{error}");
}

#[test]
fn classes_are_those_of_the_features_or_of_a_column() {
    let made = Made::new(&[("label", &["dog", "x"]), ("kind", &["k", "l"])]);
    let (own, found) = TargetSpec::find(Task::Class, made.said(), None).unwrap();
    assert!(own.is_of_features());
    assert_eq!(
        (own.read(&found, made.said()).unwrap(), found),
        (Truth::Class(vec![0, 1]), names(&["dog", "x"]))
    );
    // A head may know more classes than there are.
    let more = names(&["cat", "dog", "x"]);
    assert_eq!(own.read(&more, made.said()).unwrap(), Truth::Class(vec![1, 2]));

    let path = manifest("path,label,kind\na.png,cat,\nb.png, bird ,k\n");
    let find = |columns: &[&str]| TargetSpec::find(Task::Class, made.with(&path), Some(&names(columns)));
    let (corrected, found) = find(&["label"]).unwrap();
    // As if nobody had named the column.
    assert_eq!((&corrected.from, &found), (&TargetsFrom::Class, &names(&["bird", "cat"])));
    assert_eq!(corrected.read(&found, made.with(&path)).unwrap(), Truth::Class(vec![1, 0]));
    assert_eq!(corrected.knows(&found[..1], made.with(&path)).unwrap(), [false, true]);
    let error = corrected.read(&found[..1], made.with(&path)).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "column `label`: `a.png` is of class `cat`, which the head does not know, only `bird`"
        ),
        "{error}"
    );
    let error = find(&["label", "kind"]).unwrap_err().to_string();
    assert_eq!(error, "classes stand in one column, got `label`, `kind`");
    let error = find(&["kind"]).unwrap_err().to_string();
    assert!(error.contains("`kind` of `a.png` is empty"), "{error}");
}

#[test]
fn a_column_is_the_manifests_where_it_has_it() {
    let made = Made::new(&[("label", &["dog", "x"]), ("kind", &["k", "l"])]);
    let manifest = manifest("path,label\na.png,cat\nb.png,x\n");
    let said = made.with(&manifest);
    assert_eq!((said.column("label").unwrap().text(0), said.column("kind").unwrap().text(0)), ("cat", "k"));
    assert!(said.place("label").ends_with("m.csv`") && said.place("kind") == "`x.features`");
}
