//! Reading the truth of samples: from their classes as features have them, or from a manifest.

use super::parse::{NONE, label_set, number, positive};
use super::{TargetSpec, TargetsError, TargetsFrom, Task, Truth};
use crate::{
    brief::{few, shortened},
    table::{TableError, values_of_columns},
};
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

/// The name of the one output of numbers that stand in class names.
const VALUE: &str = "value";

/// A sample as features know it.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Its id, which a manifest's column `path` names it by.
    pub id: &'a str,
    /// The name of its class.
    pub class: &'a str,
}

impl TargetSpec {
    /// Where the truth of `samples` stands, and the names of the outputs: in their classes, all of which `classes` names, or
    /// in some columns of a manifest. Classes and labels are in order of their names, columns as they are given.
    ///
    /// Classes of a manifest stand in one column. A single column of labels holds lists, unless all that stands in it is 0
    /// and 1, or false and true.
    ///
    /// # Errors
    /// A manifest that cannot be read or does not name a sample, no label at all, a column given twice, several columns of
    /// classes.
    pub fn find(
        task: Task,
        samples: &[Sample<'_>],
        classes: &[String],
        manifest: Option<(&Path, &[String])>,
    ) -> Result<(TargetSpec, Vec<String>), TargetsError> {
        let Some((path, columns)) = manifest else {
            let spec = TargetSpec { task, from: TargetsFrom::Class };
            let names = match task {
                Task::Class => classes.to_vec(),
                Task::Labels => labels(samples.iter().map(|sample| sample.class), &spec.place(None))?,
                Task::Numbers => vec![VALUE.to_owned()],
            };
            return Ok((spec, names));
        };
        let mut seen = BTreeSet::new();
        if let Some(twice) = columns.iter().find(|column| !seen.insert(*column)) {
            return Err(TargetsError::Twice(shortened(twice).into_owned()));
        }
        let each = TargetSpec { task, from: TargetsFrom::Columns };
        let ([column], Task::Class | Task::Labels) = (columns, task) else {
            return match task {
                Task::Class => Err(TargetsError::Columns { columns: few(columns) }),
                Task::Labels | Task::Numbers => Ok((each, columns.to_vec())),
            };
        };
        let whole = TargetSpec { task, from: TargetsFrom::Column(column.clone()) };
        let texts = whole.texts(columns, samples, path)?.remove(0);
        if task == Task::Class {
            let names: BTreeSet<String> = texts.into_iter().collect();
            return Ok((whole, names.into_iter().collect()));
        }
        if texts.iter().all(|text| positive(text).is_some()) {
            return Ok((each, columns.to_vec()));
        }
        let names = labels(texts.iter().map(String::as_str), &whole.place(Some((path, column))))?;
        Ok((whole, names))
    }

    /// The truth of `samples`. `names` are the outputs'.
    ///
    /// # Errors
    /// Truth in a manifest that is not given, cannot be read or does not name a sample; what is no number, no label, or a
    /// class or label that is not among `names`.
    pub fn read(
        &self,
        names: &[String],
        samples: &[Sample<'_>],
        manifest: Option<&Path>,
    ) -> Result<Truth, TargetsError> {
        let columns = match &self.from {
            TargetsFrom::Class => &[][..],
            TargetsFrom::Columns => names,
            TargetsFrom::Column(column) => std::slice::from_ref(column),
        };
        let Some((column, more)) = columns.split_first() else {
            let texts = samples.iter().map(|sample| sample.class);
            return self.parse(names, samples, &self.place(None), texts);
        };
        let path = manifest.ok_or_else(|| TargetsError::Manifest { columns: few(columns) })?;
        let texts = self.texts(columns, samples, path)?;
        let parse = |column: &String, texts: &[String], names: &[String]| {
            self.parse(names, samples, &self.place(Some((path, column))), texts.iter().map(String::as_str))
        };
        if self.from != TargetsFrom::Columns {
            return parse(column, &texts[0], names);
        }
        let own =
            |(column, texts): (&String, &Vec<String>)| parse(column, texts, std::slice::from_ref(column));
        let first = own((column, &texts[0]))?;
        if more.is_empty() {
            return Ok(first);
        }
        let rest = more.iter().zip(&texts[1..]).map(own).collect::<Result<Vec<Truth>, TargetsError>>()?;
        let each: Vec<&[f64]> = std::iter::once(&first).chain(&rest).map(Truth::values).collect();
        let values = (0..samples.len()).flat_map(|row| each.iter().map(move |column| column[row])).collect();
        Ok(self.of_values(values))
    }

    /// What stands in some columns of a manifest, one list a column.
    fn texts(
        &self,
        columns: &[String],
        samples: &[Sample<'_>],
        path: &Path,
    ) -> Result<Vec<Vec<String>>, TargetsError> {
        let ids: Vec<&str> = samples.iter().map(|sample| sample.id).collect();
        let is_list = self.task == Task::Labels && self.from != TargetsFrom::Columns;
        values_of_columns(path, columns, &ids).map_err(|error| match error {
            TableError::Empty { .. } if is_list => TargetsError::NoList(error),
            _ => error.into(),
        })
    }

    /// The truth that `texts` tell, one a sample.
    fn parse<'a>(
        &self,
        names: &[String],
        samples: &[Sample<'_>],
        place: &str,
        texts: impl Iterator<Item = &'a str>,
    ) -> Result<Truth, TargetsError> {
        let told = |sample: &Sample<'_>, text: &str| {
            (place.to_owned(), shortened(sample.id).into_owned(), shortened(text).into_owned())
        };
        let mut rows = samples.iter().zip(texts);
        if self.task == Task::Class {
            let known: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
            let class = |(sample, text): (&Sample<'_>, &str)| {
                known.get(text).copied().ok_or_else(|| {
                    let ((place, id, class), known) = (told(sample, text), few(names));
                    TargetsError::UnknownClass { place, id, class, known }
                })
            };
            return Ok(Truth::Class(rows.map(class).collect::<Result<_, _>>()?));
        }
        let mut values = Vec::with_capacity(samples.len() * names.len());
        rows.try_for_each(|(sample, text)| {
            if self.task == Task::Numbers {
                values.push(number(text).ok_or_else(|| {
                    let (place, id, value) = told(sample, text);
                    TargetsError::Number { place, id, value }
                })?);
            } else if self.from == TargetsFrom::Columns {
                let positive = positive(text).ok_or_else(|| {
                    let (place, id, value) = told(sample, text);
                    TargetsError::Label { place, id, value }
                })?;
                values.push(f64::from(u8::from(positive)));
            } else {
                let labels = label_set(text);
                if labels.contains(NONE) {
                    let (place, id, value) = told(sample, text);
                    return Err(TargetsError::None { place, id, value });
                }
                let is_known = |label: &&&str| names.iter().any(|name| name == **label);
                if let Some(label) = labels.iter().find(|label| !is_known(label)) {
                    let (place, id, _) = told(sample, text);
                    let (label, known) = (shortened(label).into_owned(), few(names));
                    return Err(TargetsError::Unknown { place, id, label, known });
                }
                values.extend(names.iter().map(|name| f64::from(u8::from(labels.contains(name.as_str())))));
            }
            Ok(())
        })?;
        Ok(self.of_values(values))
    }

    fn of_values(&self, values: Vec<f64>) -> Truth {
        match self.task {
            Task::Numbers => Truth::Numbers(values),
            Task::Class | Task::Labels => Truth::Labels(values),
        }
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
fn labels<'a>(texts: impl Iterator<Item = &'a str>, place: &str) -> Result<Vec<String>, TargetsError> {
    // `none` beside others is told of where a sample is named.
    let names: BTreeSet<&str> = texts.flat_map(label_set).filter(|label| *label != NONE).collect();
    if names.is_empty() {
        return Err(TargetsError::NoLabels { place: place.to_owned() });
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
