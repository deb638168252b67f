use super::*;
use tempfile::TempDir;

fn folder(csv: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("m.csv"), csv.replace("ROOT", root.path().to_str().unwrap())).unwrap();
    root
}

/// One column of these samples.
fn values_of(path: &Path, column: &str, ids: &[&str]) -> Result<Vec<String>, TableError> {
    SampleTable::open(path, &[column])?.values(column, ids)
}

/// The column `patient` of these samples, or the message without the folder's name.
fn values(root: &TempDir, ids: &[&str]) -> Result<Vec<String>, String> {
    let read = values_of(&root.path().join("m.csv"), "patient", ids);
    read.map_err(|error| error.to_string().replace(root.path().to_str().unwrap(), "ROOT"))
}

#[test]
fn samples_are_found_however_their_paths_are_spelt() {
    let root =
        folder("path,patient\n./a/1.png,7\nROOT/b/1.png, 8\nx/../c//1.png,9\n d.png ,10\ne\\1.png,11\n");
    let ids = ["a/1.png", "b/1.png", "c/1.png", "d.png", "e/1.png"];
    assert_eq!(values(&root, &ids).unwrap(), ["7", "8", "9", "10", "11"]);
    assert_eq!(values(&root, &[]).unwrap(), [""; 0]);
}

#[test]
fn samples_may_all_lie_below_one_other_folder() {
    let root = folder("path,patient\n/far/set/a/1.png,7\n/far/set/b/1.png,8\n/else/b/1.png,9\nup/c.png,1\n");
    assert_eq!(values(&root, &["a/1.png", "b/1.png"]).unwrap(), ["7", "8"]);
    assert_eq!(values(&root, &["c.png"]).unwrap(), ["1"]);
    // Not all in one place.
    for ids in [&["a/1.png", "c.png"][..], &["g/1.png"]] {
        let message = values(&root, ids).unwrap_err();
        let missing = format!("`ROOT/m.csv` has no row for `{}`", ids[0]);
        assert!(message.starts_with(&missing), "{message}");
    }
}

#[test]
fn samples_in_two_places_are_refused() {
    let root = folder("path,patient\na/1.png,7\nsub/a/1.png,8\nsub/b/1.png,8\n/far/sub/b/1.png,9\n");
    assert_eq!(values(&root, &["a/1.png", "b/1.png"]).unwrap(), ["8", "8"]);
    let refused = |ids: &[&str], folders: &str| {
        let expected =
            format!("`ROOT/m.csv` has rows for all samples below {folders}; keep the rows of one of them");
        assert_eq!(values(&root, ids).unwrap_err(), expected);
    };
    refused(&["a/1.png"], "its own folder and below `sub`");
    refused(&["b/1.png"], "`/far/sub` and below `sub`");
    assert_eq!(values(&root, &["sub/a/1.png"]).unwrap(), ["8"]);
}

#[test]
fn what_is_missing_is_named_with_its_row() {
    let root = folder("path,patient,age\na.png,7,1\nb.png, ,2\n,,\nc.png,1,\n");
    assert_eq!(
        values(&root, &["a.png", "b.png"]).unwrap_err(),
        "`ROOT/m.csv`, row 2 (line 3): `patient` of `b.png` is empty"
    );
    assert_eq!(values(&root, &["a.png", "c.png"]).unwrap(), ["7", "1"]);
    let path = root.path().join("m.csv");
    let of = |column: &str| values_of(&path, column, &["a.png"]).unwrap_err().to_string();
    assert!(of("size").ends_with("has no column `size`, only `path`, `patient`, `age`"), "{}", of("size"));
    let many: Vec<String> = (0..5000).map(|n| format!("column_{n}")).collect();
    let wide = folder(&format!("path,{}\n", many.join(",")));
    assert!(values(&wide, &["a.png"]).unwrap_err().chars().count() < 500);
    let long = "a/".repeat(1000);
    assert!(values(&root, &[long.trim_end_matches('/')]).unwrap_err().chars().count() < 500);
}

#[test]
fn a_sample_may_have_two_rows_but_not_two_values() {
    let root = folder("path,patient\na.png,7\n./a.png,7\n");
    assert_eq!(values(&root, &["a.png"]).unwrap(), ["7"]);
    let root = folder("path,patient\na.png,7\nb.png,7\nx/../a.png,8\n");
    let message = "`ROOT/m.csv`, row 1 (line 2) and row 3 (line 4) name one sample, with different `patient`; remove one of them";
    assert_eq!(values(&root, &["a.png"]).unwrap_err(), message);
}

#[test]
fn lists_are_no_text() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("m.parquet");
    let lists: ListChunked = [Some(Series::new("".into(), [1i32, 2]))].into_iter().collect();
    let column = lists.into_series().with_name("patient".into()).into_column();
    let mut frame = DataFrame::new(1, vec![Column::new("path".into(), ["a.png"]), column]).unwrap();
    crate::table::write(&mut frame, &path, false, crate::Ours::table("a table", &[])).unwrap();
    let message = values_of(&path, "patient", &["a.png"]).unwrap_err().to_string();
    assert!(
        message.starts_with("column `patient` of")
            && message.ends_with("expected text or numbers, convert it to text"),
        "{message}"
    );
}
