use super::*;
use crate::{Column, Content, Inputs};
use polars::prelude::{NamedFrom, Series, df};
use tempfile::TempDir;

/// What the manifests of these tests begin with.
const MANIFEST: store::Ours =
    store::Ours::table("a manifest", &[store::Columns { first: &["path", "label"], more: &["split"] }]);

/// A folder with `a.png`, `b.png` and `deep/c.png` (which are never opened) and the manifest `m.csv`.
fn folder(csv: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("deep")).unwrap();
    for file in ["a.png", "b.png", "deep/c.png"] {
        std::fs::write(root.path().join(file), "").unwrap();
    }
    std::fs::write(root.path().join("m.csv"), csv.replace("ROOT", root.path().to_str().unwrap())).unwrap();
    root
}

fn open_csv(root: &TempDir) -> Result<DataSet, DatasetError> {
    DataSet::open(&root.path().join("m.csv"))
}

fn listing(set: &DataSet) -> Vec<String> {
    let split = |split: Option<Split>| split.map_or("-".to_owned(), |split| split.to_string());
    let texts = |at| set.columns.iter().map(|column| column.text(at)).collect::<Vec<_>>().join("+");
    set.samples
        .iter()
        .enumerate()
        .map(|(at, s)| format!("{} {} {}", s.id, texts(at), split(s.split)))
        .collect()
}

#[test]
fn columns_come_in_any_order_and_company() {
    let root = folder("note,label,path,split\nx,dog,deep/c.png,TEST\ny,cat,b.png,train\nz,dog,a.png,train\n");
    let set = open_csv(&root).unwrap();
    assert_eq!(listing(&set), ["a.png z+dog train", "b.png y+cat train", "deep/c.png x+dog test"]);
    assert_eq!(set.samples[2].content, Content::File(root.path().join("deep/c.png")));
}

#[test]
fn nothing_but_paths_is_needed() {
    let set = open_csv(&folder("path\na.png\n")).unwrap();
    assert_eq!((set.columns.len(), set.samples.len(), set.doubt()), (0, 1, None));
    let set = open_csv(&folder("path,age,note\nb.png,7,\na.png,10,x y\n")).unwrap();
    let names: Vec<&str> = set.columns.iter().map(Column::name).collect();
    assert_eq!(
        (names, listing(&set)),
        (vec!["age", "note"], vec!["a.png 10+x y -".into(), "b.png 7+ -".into()])
    );
    assert_eq!(set.columns[0].words(), ["10", "7"]);
}

#[test]
fn columns_that_are_no_text_are_left_out_and_told() {
    let root = folder("");
    let path = root.path().join("m.parquet");
    let lists = Series::new("list".into(), [Series::new("".into(), [1, 2]), Series::new("".into(), [3, 4])]);
    let mut frame = df!("path" => ["b.png", "a.png"], "age" => [10i64, 9], "list" => lists).unwrap();
    store::table::write(&mut frame, &path, false, MANIFEST).unwrap();
    let set = DataSet::open(&path).unwrap();
    assert_eq!(
        (listing(&set), set.left_out),
        (vec!["a.png 9 -".into(), "b.png 10 -".into()], vec!["list".into()])
    );
}

#[test]
fn ids_are_relative_whatever_the_manifest_says() {
    let root = folder("path,label\n./deep/..//deep\\c.png,1\n");
    assert!(open_csv(&root).unwrap_err().to_string().ends_with("folder, with `/` between folders"));
    let root = folder("path,label\ndeep\\c.png,1\nROOT/a.png,007\n b.png ,7\n");
    assert_eq!(listing(&open_csv(&root).unwrap()), ["a.png 007 -", "b.png 7 -", "deep/c.png 1 -"]);
}

#[test]
fn parquet_labels_may_be_numbers() {
    let root = folder("");
    let path = root.path().join("m.parquet");
    let mut frame =
        df!("path" => ["b.png", "a.png"], "label" => [10i64, 9], "split" => ["val", "train"]).unwrap();
    store::table::write(&mut frame, &path, false, MANIFEST).unwrap();
    // Class 10 is not in train: no classifier can be fitted on that, but labels and numbers may be.
    let doubt = crate::Doubt::NotInTrain { class: "10".to_owned(), split: Split::Val };
    assert_eq!(DataSet::open(&path).unwrap().doubt(), Some(doubt));
    let mut frame = frame.drop("split").unwrap();
    store::table::write(&mut frame, &path, true, MANIFEST).unwrap();
    let set = DataSet::open(&path).unwrap();
    assert_eq!(
        (set.labels().unwrap().words(), listing(&set)),
        (&["10".to_owned(), "9".to_owned()][..], vec!["a.png 9 -".to_owned(), "b.png 10 -".to_owned()])
    );
    let mut frame = df!("path" => [Some("b.png"), None], "label" => ["x", "y"]).unwrap();
    store::table::write(&mut frame, &path, true, MANIFEST).unwrap();
    let message = DataSet::open(&path).unwrap_err().to_string();
    assert!(message.ends_with("m.parquet`, row 2: `path` is empty"), "{message}");
}

#[test]
fn json_lines_say_what_csv_says() {
    let root = folder("path,label,split,tags,age\na.png,x,train,u|v,7\nb.png,y,test,,\n");
    let path = root.path().join("m.jsonl");
    let lines = [
        r#"{"path":"a.png","label":"x","split":"train","tags":["u","v"],"age":7}"#,
        "",
        r#"{"split":"test","label":"y","path":"./b.png"}"#,
    ];
    std::fs::write(&path, lines.join("\n")).unwrap();
    assert_eq!(DataSet::open(&path).unwrap(), open_csv(&root).unwrap());
    for (line, expected) in [
        (r#"{"path":"a.png"}"#, "`M`, row 3 (line 4): `label` is empty"),
        (r#"{"path":"z.png","label":"x","split":"val"}"#, "`M`, row 3 (line 4): `z.png` is not a file"),
        (
            r#"{"path":["a.png"],"label":"x","split":"val"}"#,
            "`M`, row 3 (line 4): `a.png` is already in row 1 (line 1)",
        ),
        (r#"{"path":{},"label":"x"}"#, "column `path` of `M` holds objects or lists of them"),
        ("a.png", "cannot read `M`: line 4, column 1: expected value; expected a JSON object a line"),
    ] {
        std::fs::write(&path, format!("{}\n{line}\n", lines.join("\n"))).unwrap();
        let message = DataSet::open(&path).unwrap_err().to_string().replace(path.to_str().unwrap(), "M");
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn what_has_no_paths_is_told_what_would_do() {
    let root = tempfile::tempdir().unwrap();
    let message = |name: &str, text: &str| {
        let path = root.path().join(name);
        match name.ends_with(".parquet") {
            true => store::table::write(
                &mut polars::df!("url" => ["http://x"]).unwrap(),
                &path,
                true,
                store::Ours::table("a table", &[]),
            )
            .unwrap(),
            false => std::fs::write(&path, text).unwrap(),
        }
        DataSet::open(&path).unwrap_err().to_string().replace(path.to_str().unwrap(), "M")
    };
    assert_eq!(message("x.jsonl", "\n"), "`M` has no rows; expected one per sample");
    let expected = "`M` has no column `path`, which names each sample's file; found no column";
    assert_eq!(message("x.jsonl", "{}\n"), expected);
    let expected = "`M` has no column `path`, which names each sample's file, nor a column `image` of their bytes; found `url`";
    assert_eq!(message("x.parquet", ""), expected);
    let path = root.path().join("cut.parquet");
    std::fs::write(&path, "PAR1 and no more").unwrap();
    let message = DataSet::open(&path).unwrap_err().to_string();
    assert!(message.contains(": it is damaged, or was cut short: "), "{message}");
}

#[test]
fn what_is_wrong_is_named_with_its_row() {
    let cases = [
        (
            "file,label\na.png,x\n",
            "`M` has no column `path`, which names each sample's file; found `file`, `label`",
        ),
        (
            "text,label\na,x\n",
            "`M` has no column `path`, which names each sample's file; found `text`, `label`; texts are read by extract \
             --text-column text",
        ),
        ("path,label\n", "`M` has no rows; expected one per sample"),
        ("path,label\na.png,x\n,y\n", "`M`, row 2 (line 3): `path` is empty"),
        ("\npath,label\n\na.png,\"x\ny\"\n\n,y\n", "`M`, row 2 (line 7): `path` is empty"),
        ("path,label\na.png,\nb.png,y\n", "`M`, row 1 (line 2): `label` is empty"),
        ("path,label,split\na.png,x,train\nb.png,y,\n", "`M`, row 2 (line 3): `split` is empty"),
        (
            "path,label,split\na.png,x,extra\n",
            "`M`, row 1 (line 2): split `extra` is unknown; expected train, val or test",
        ),
        (
            "path,label\na.png,x\nz.png,y\n",
            "`M`, row 2 (line 3): `z.png` is not a file; paths are relative to the manifest's folder",
        ),
        (
            "path,label\ndeep,x\n",
            "`M`, row 1 (line 2): `deep` is not a file; paths are relative to the manifest's folder",
        ),
        (
            "path,label\n../a.png,x\n",
            "`M`, row 1 (line 2): `../a.png` lies outside the manifest's folder; give the folder above all images by --root, and paths relative to it",
        ),
        (
            "path,label\n/etc/passwd,x\n",
            "`M`, row 1 (line 2): `/etc/passwd` lies outside the manifest's folder; give the folder above all images by --root, and paths relative to it",
        ),
        (
            "path,label\na.png,x\nb.png,y\ndeep/../a.png,z\n",
            "`M`, row 3 (line 4): `a.png` is already in row 1 (line 2); each path may be there once",
        ),
    ];
    for (csv, expected) in cases {
        let root = folder(csv);
        let message = open_csv(&root).unwrap_err().to_string();
        let manifest = root.path().join("m.csv");
        assert_eq!(message.replace(manifest.to_str().unwrap(), "M"), expected, "{csv}");
    }
    let root = folder("");
    assert!(matches!(open_csv(&root), Err(DatasetError::Table(_))));
}

#[test]
fn pictures_may_lie_below_another_folder() {
    let far = folder("");
    let name = |text: &str| text.replace("FAR", far.path().to_str().unwrap());
    let root = folder(&name("path,label\nb.png,x\nFAR/a.png,y\n./deep//c.png,x\n"));
    let manifest = root.path().join("m.csv");
    let set = DataSet::open_inputs(&Inputs {
        paths: std::slice::from_ref(&manifest),
        root: Some(far.path()),
        spool: None,
        bare: false,
        texts: None,
    })
    .unwrap();
    assert_eq!(listing(&set), ["a.png y -", "b.png x -", "deep/c.png x -"]);
    assert_eq!(set.samples[2].content, Content::File(far.path().join("deep/c.png")));
    let message = DataSet::open(&manifest).unwrap_err().to_string();
    assert!(
        message.ends_with("lies outside the manifest's folder; give the folder above all images by --root, and paths relative to it")
    );
    let message = DataSet::open_inputs(&Inputs {
        paths: &[manifest],
        root: Some(&far.path().join("deep")),
        spool: None,
        bare: false,
        texts: None,
    })
    .unwrap_err()
    .to_string();
    assert!(message.contains("row 1 (line 2): `b.png` is not a file; paths are relative to `"), "{message}");
}

#[test]
fn a_file_that_cannot_be_looked_at_is_not_called_missing() {
    let root = folder(&format!("path,label\n{}.png,x\nb.png,y\n", "n".repeat(300)));
    let message = open_csv(&root).unwrap_err().to_string();
    assert!(message.contains("row 1") && message.chars().count() < 500, "{message}");
    #[cfg(unix)]
    {
        let root = folder("path,label\nself/a.png,x\nb.png,y\n");
        std::os::unix::fs::symlink("self", root.path().join("self")).unwrap();
        let message = open_csv(&root).unwrap_err().to_string();
        assert!(message.starts_with("cannot read `") && message.contains("self/a.png"), "{message}");
    }
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let root = folder("path,label,label\na.png,x,y\n");
    assert!(
        open_csv(&root).unwrap_err().to_string().ends_with("has two columns `label`; rename one of them")
    );
}
