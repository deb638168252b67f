//! Reading targets from class names or from a manifest.

use super::{Targets, TargetsError, TargetsFrom, Task};
use std::{collections::BTreeSet, path::Path};
use store::{
    brief::{few, shortened},
    table::{TableError, values_of_columns},
};

/// The name of the one output of numbers that stand in class names.
const VALUE: &str = "value";
/// What a sample without labels says.
const NONE: &str = "none";

/// A sample as features know it.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Its id, which a manifest's column `path` names it by.
    pub id: &'a str,
    /// The name of its class.
    pub class: &'a str,
}

/// The labels that `text` lists: parts between `|`, without spaces around them. Nothing, and `none` alone, is no label.
pub fn label_set(text: &str) -> BTreeSet<&str> {
    let labels: BTreeSet<&str> = text.split('|').map(str::trim).filter(|label| !label.is_empty()).collect();
    if labels.iter().eq([&NONE]) { BTreeSet::new() } else { labels }
}

/// The first of some labels that looks like a list between other signs than `|`: `cat;dog`, `cat, dog`.
pub fn list_in_disguise(labels: &[String]) -> Option<&str> {
    let several = |label: &&String| {
        [';', ','].iter().any(|&sign| label.split(sign).filter(|part| !part.trim().is_empty()).count() > 1)
    };
    labels.iter().find(several).map(String::as_str)
}

impl Targets {
    /// How the targets of `samples` are read, and the names of the outputs: from the names of their classes, or from some
    /// columns of a manifest. Labels are in order of their names, columns as they are given.
    ///
    /// A single column of labels holds lists, unless all that stands in it is 0 and 1, or false and true.
    ///
    /// # Errors
    /// A manifest that cannot be read or does not name a sample, no label at all, a column given twice.
    pub fn find(
        task: Task,
        samples: &[Sample<'_>],
        manifest: Option<(&Path, &[String])>,
    ) -> Result<(Targets, Vec<String>), TargetsError> {
        let Some((path, columns)) = manifest else {
            let targets = Targets { task, from: TargetsFrom::Class };
            let names = match task {
                Task::Number => vec![VALUE.to_owned()],
                Task::Labels => names(samples.iter().map(|sample| sample.class), &targets.place(None))?,
            };
            return Ok((targets, names));
        };
        let mut seen = BTreeSet::new();
        if let Some(twice) = columns.iter().find(|column| !seen.insert(*column)) {
            return Err(TargetsError::Twice(shortened(twice).into_owned()));
        }
        let whole = Targets { task, from: TargetsFrom::Columns };
        let ([column], Task::Labels) = (columns, task) else { return Ok((whole, columns.to_vec())) };
        let list = Targets { task, from: TargetsFrom::List(column.clone()) };
        let texts = list.texts(columns, samples, path)?;
        if texts[0].iter().all(|text| truth(text).is_some()) {
            return Ok((whole, columns.to_vec()));
        }
        let names = names(texts[0].iter().map(String::as_str), &list.place(Some((path, column))))?;
        Ok((list, names))
    }

    /// The targets of `samples`: (n, outputs) row-major; of labels 1 and 0. `names` are the outputs'.
    ///
    /// # Errors
    /// Targets in a manifest that is not given, cannot be read or does not name a sample; what is no number, no label or
    /// an unknown one.
    pub fn values(
        &self,
        names: &[String],
        samples: &[Sample<'_>],
        manifest: Option<&Path>,
    ) -> Result<Vec<f64>, TargetsError> {
        let columns = match &self.from {
            TargetsFrom::Class => &[][..],
            TargetsFrom::Columns => names,
            TargetsFrom::List(column) => std::slice::from_ref(column),
        };
        if columns.is_empty() {
            let texts = samples.iter().map(|sample| sample.class);
            return self.parse(names, samples, &self.place(None), texts);
        }
        let path = manifest.ok_or_else(|| TargetsError::Manifest { columns: few(columns) })?;
        let texts = self.texts(columns, samples, path)?;
        let each = columns.iter().zip(&texts).map(|(column, texts)| {
            let own = if self.from == TargetsFrom::Columns { std::slice::from_ref(column) } else { names };
            self.parse(own, samples, &self.place(Some((path, column))), texts.iter().map(String::as_str))
        });
        let mut each = each.collect::<Result<Vec<Vec<f64>>, _>>()?;
        if each.len() == 1 {
            return Ok(each.remove(0));
        }
        Ok((0..samples.len()).flat_map(|row| each.iter().map(move |column| column[row])).collect())
    }

    /// What stands in some columns of a manifest, one list a column.
    fn texts(
        &self,
        columns: &[String],
        samples: &[Sample<'_>],
        path: &Path,
    ) -> Result<Vec<Vec<String>>, TargetsError> {
        let ids: Vec<&str> = samples.iter().map(|sample| sample.id).collect();
        let is_list = matches!(self.from, TargetsFrom::List(_));
        values_of_columns(path, columns, &ids).map_err(|error| match error {
            TableError::Empty { .. } if is_list => TargetsError::NoList(error),
            _ => error.into(),
        })
    }

    /// The targets that `texts` say, one a sample: (n, names).
    fn parse<'a>(
        &self,
        names: &[String],
        samples: &[Sample<'_>],
        place: &str,
        texts: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<f64>, TargetsError> {
        let mut values = Vec::with_capacity(samples.len() * names.len());
        for (sample, text) in samples.iter().zip(texts) {
            let told = || {
                let (id, text) = (shortened(sample.id), shortened(text));
                (place.to_owned(), id.into_owned(), text.into_owned())
            };
            match (self.task, &self.from) {
                (Task::Number, _) => {
                    // A head's numbers are f32.
                    let number = text.trim().parse().ok().filter(|value: &f64| (*value as f32).is_finite());
                    values.push(number.ok_or_else(|| {
                        let (place, id, value) = told();
                        TargetsError::Number { place, id, value }
                    })?);
                }
                (Task::Labels, TargetsFrom::Columns) => {
                    let truth = truth(text).ok_or_else(|| {
                        let (place, id, value) = told();
                        TargetsError::Label { place, id, value }
                    })?;
                    values.push(f64::from(u8::from(truth)));
                }
                (Task::Labels, TargetsFrom::Class | TargetsFrom::List(_)) => {
                    let labels = label_set(text);
                    if labels.contains(NONE) {
                        let (place, id, value) = told();
                        return Err(TargetsError::None { place, id, value });
                    }
                    let is_known = |label: &&&str| names.iter().any(|name| name == **label);
                    if let Some(label) = labels.iter().find(|label| !is_known(label)) {
                        let (place, id, _) = told();
                        let (label, known) = (shortened(label).into_owned(), few(names));
                        return Err(TargetsError::Unknown { place, id, label, known });
                    }
                    let bears = |name: &String| f64::from(u8::from(labels.contains(name.as_str())));
                    values.extend(names.iter().map(bears));
                }
            }
        }
        Ok(values)
    }

    /// Where a text stands, for messages.
    fn place(&self, column: Option<(&Path, &str)>) -> String {
        match column {
            None => format!("--target {} by class names", self.task.name()),
            Some((path, column)) => format!("`{}`, column `{}`", path.display(), shortened(column)),
        }
    }
}

/// All labels that `texts` list.
fn names<'a>(texts: impl Iterator<Item = &'a str>, place: &str) -> Result<Vec<String>, TargetsError> {
    // `none` beside others is told of where a sample is named.
    let names: BTreeSet<&str> = texts.flat_map(label_set).filter(|label| *label != NONE).collect();
    if names.is_empty() {
        return Err(TargetsError::NoLabels { place: place.to_owned() });
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" => Some(true),
        "0" | "0.0" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
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
    fn lists_are_sets() {
        assert!(["", " ", "|", "none", " none |"].iter().all(|text| label_set(text).is_empty()));
        assert_eq!(label_set("b|a| b"), BTreeSet::from(["a", "b"]));
        assert_eq!(label_set("none|a"), BTreeSet::from(["a", "none"]));
    }

    #[test]
    fn other_separators_are_noticed() {
        let found = |labels: &[&str]| {
            let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
            list_in_disguise(&labels).map(str::to_owned)
        };
        assert_eq!(found(&["cat", "cat;dog"]).as_deref(), Some("cat;dog"));
        assert_eq!(found(&["cat, dog"]).as_deref(), Some("cat, dog"));
        assert_eq!(found(&["cat", "dog;", "a/b", ","]), None);
    }

    #[test]
    fn class_names_hold_lists_or_numbers() {
        let (targets, names) = Targets::find(Task::Labels, &SAMPLES, None).unwrap();
        assert_eq!(
            (targets.from.clone(), names.clone()),
            (TargetsFrom::Class, vec!["cat".into(), "dog".into()])
        );
        assert_eq!(targets.values(&names, &SAMPLES, None).unwrap(), [1.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
        let error = targets.values(&names[..1], &SAMPLES, None).unwrap_err().to_string();
        assert_eq!(
            error,
            "--target labels by class names: `a.png` bears `dog`, which is no label of the head, only `cat`"
        );

        let both = [Sample { id: "d.png", class: "none|cat" }];
        let error = targets.values(&names, &both, None).unwrap_err().to_string();
        assert!(
            error.ends_with("`d.png` has `none|cat`, expected `none` alone, or labels without it"),
            "{error}"
        );

        let numbers = [Sample { id: "a.png", class: "-1.5e1" }, Sample { id: "b.png", class: "inf" }];
        let (targets, names) = Targets::find(Task::Number, &numbers, None).unwrap();
        assert_eq!(targets.values(&names, &numbers[..1], None).unwrap(), [-15.0]);
        let error = targets.values(&names, &numbers, None).unwrap_err().to_string();
        assert_eq!(
            error,
            "--target number by class names: `b.png` has `inf`, expected a finite number (below 3.4e38)"
        );
        assert!(Targets::find(Task::Labels, &SAMPLES[1..2], None).is_err());
    }

    #[test]
    fn columns_hold_one_output_each_or_lists() {
        let (_root, path) =
            manifest("path,cat,dog,tags,age\n./a.png,1,TRUE,x|y,1\nb.png,0,false,none,2.5\nc.png,1,0,y,-3\n");
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let find = |task, names: &[&str]| Targets::find(task, &SAMPLES, Some((&path, &columns(names))));
        let values = |task, of: &[&str]| {
            let (targets, names) = find(task, of).unwrap();
            (targets.from.clone(), targets.values(&names, &SAMPLES, Some(&path)).unwrap())
        };
        let both = vec![1.0, 1.0, 0.0, 0.0, 1.0, 0.0];
        assert_eq!(values(Task::Labels, &["cat", "dog"]), (TargetsFrom::Columns, both));
        assert_eq!(values(Task::Labels, &["dog"]), (TargetsFrom::Columns, vec![1.0, 0.0, 0.0]));
        let lists = vec![1.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(values(Task::Labels, &["tags"]), (TargetsFrom::List("tags".into()), lists));
        let numbers = vec![1.0, 1.0, 2.5, 0.0, -3.0, 1.0];
        assert_eq!(values(Task::Number, &["age", "cat"]), (TargetsFrom::Columns, numbers));
    }

    #[test]
    fn each_lie_has_its_line() {
        let (_root, path) =
            manifest("path,cat,dog,tags,age\na.png,1,maybe,x,1\nb.png,0,1,,old\nc.png,1,,y,3\n");
        let message = |task, names: &[&str]| {
            let columns: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let read = Targets::find(task, &SAMPLES, Some((&path, &columns)))
                .and_then(|(targets, names)| targets.values(&names, &SAMPLES, Some(&path)));
            read.unwrap_err().to_string()
        };
        for (got, part) in [
            (message(Task::Labels, &["cat", "dog"]), "row 3 (line 4): `dog` of `c.png` is empty"),
            (message(Task::Labels, &["tags"]), "row 2 (line 3): `tags` of `b.png` is empty"),
            (message(Task::Labels, &["tags"]), "; a sample without labels says `none`"),
            (
                message(Task::Number, &["age"]),
                "column `age`: `b.png` has `old`, expected a finite number (below 3.4e38)",
            ),
            (message(Task::Number, &["size"]), "has no column `size`, only `path`, `cat`"),
            (message(Task::Number, &["cat", "cat"]), "the column `cat` is named twice"),
            (message(Task::Labels, &["cat", "age"]), "column `age`: `b.png` has `old`, expected 0 or 1"),
        ] {
            assert!(got.contains(part), "{got}");
        }
        let columns = Targets { task: Task::Number, from: TargetsFrom::Columns };
        let error = columns.values(&["age".to_owned()], &SAMPLES, None).unwrap_err().to_string();
        assert_eq!(error, "the targets stand in `age` of a manifest: give it by --manifest");
    }
}
