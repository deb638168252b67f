//! Reading the truth of samples from columns.

use super::parse::{NONE, label_set, number, positive};
use super::{Said, TargetSpec, TargetsError, TargetsFrom, Task, Truth};
use crate::{Column, LABEL};
use std::collections::{BTreeSet, HashMap, HashSet};
use store::brief::{few, shortened};
use store::table::TableError;

/// The name of the one output of numbers that stand in class names.
const VALUE: &str = "value";

impl TargetSpec {
    /// Where the truth of samples stands, and the names of the outputs: in their classes, or in `columns`. Classes and labels
    /// are in order of their names, columns as they are given.
    ///
    /// Classes stand in one column. A single column of labels holds lists, unless all that stands in it is 0 and 1, or false
    /// and true.
    ///
    /// # Errors
    /// As [`Said::column`]; no label at all, a column given twice, several columns of classes.
    pub fn find(
        task: Task,
        said: Said<'_>,
        columns: Option<&[String]>,
    ) -> Result<(TargetSpec, Vec<String>), TargetsError> {
        let Some(columns) = columns else {
            let spec = TargetSpec { task, from: TargetsFrom::Class };
            let names = match task {
                Task::Numbers => vec![VALUE.to_owned()],
                Task::Class => spec.texts(&[], said)?.remove(0).words().to_vec(),
                Task::Labels => labels(&spec.texts(&[], said)?[0], &place_of(said, LABEL))?,
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
        // A head that was told so is the same as one that was not.
        let from = if column == LABEL { TargetsFrom::Class } else { TargetsFrom::Column(column.clone()) };
        let whole = TargetSpec { task, from };
        let texts = whole.texts(columns, said)?.remove(0);
        if task == Task::Class {
            return Ok((whole, texts.words().to_vec()));
        }
        if texts.words().iter().all(|text| positive(text).is_some()) {
            return Ok((each, columns.to_vec()));
        }
        let names = labels(&texts, &place_of(said, column))?;
        Ok((whole, names))
    }

    /// Of each sample whether its class is among `names`. Of labels and numbers all are taken: whoever reads them is told.
    ///
    /// # Errors
    /// As [`Said::column`].
    pub fn knows(&self, names: &[String], said: Said<'_>) -> Result<Vec<bool>, TargetsError> {
        if self.task != Task::Class {
            return Ok(vec![true; said.samples.len()]);
        }
        let column = self.texts(names, said)?.remove(0);
        let known: HashSet<&str> = names.iter().map(String::as_str).collect();
        let words: Vec<bool> = column.words().iter().map(|word| known.contains(word.as_str())).collect();
        Ok(column.codes().iter().map(|&code| words[code as usize]).collect())
    }

    /// The truth of samples. `names` are the outputs'.
    ///
    /// # Errors
    /// As [`Said::column`]; what is no number, no label, or a class or label that is not among `names`.
    pub fn read(&self, names: &[String], said: Said<'_>) -> Result<Truth, TargetsError> {
        let columns = self.texts(names, said)?;
        let known: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
        let place = |column: &Column| place_of(said, column.name());
        match (self.task, &columns[..]) {
            (Task::Class, [column, ..]) => {
                let class = |text: &str| {
                    known.get(text).copied().ok_or(|place, id, class| TargetsError::UnknownClass {
                        place,
                        id,
                        class,
                        known: few(names),
                    })
                };
                Ok(Truth::Class(each_row(column, said, &place(column), class)?))
            }
            (Task::Numbers, columns) => {
                let number = |text: &str| {
                    number(text).ok_or(|place, id, value| TargetsError::Number { place, id, value })
                };
                let each = columns.iter().map(|column| each_row(column, said, &place(column), number));
                Ok(Truth::Numbers(side_by_side(&each.collect::<Result<Vec<_>, _>>()?)))
            }
            (Task::Labels, columns) if self.from == TargetsFrom::Columns => {
                let bears = |text: &str| {
                    let positive = positive(text).map(|positive| f64::from(u8::from(positive)));
                    positive.ok_or(|place, id, value| TargetsError::Label { place, id, value })
                };
                let each = columns.iter().map(|column| each_row(column, said, &place(column), bears));
                Ok(Truth::Labels(side_by_side(&each.collect::<Result<Vec<_>, _>>()?)))
            }
            (Task::Labels, columns) => {
                let column = &columns[0];
                let set = |text: &str| {
                    let labels = label_set(text);
                    if labels.contains(NONE) {
                        return Err(Unread::None);
                    }
                    match labels.iter().find(|label| !known.contains_key(**label)) {
                        Some(label) => Err(Unread::Unknown(shortened(label).into_owned())),
                        None => Ok(labels.iter().map(|label| known[*label]).collect::<Vec<u32>>()),
                    }
                };
                let rows = each_row(column, said, &place(column), |text| {
                    set(text).map_err(|unread| {
                        move |place, id, value| match unread {
                            Unread::None => TargetsError::None { place, id, value },
                            Unread::Unknown(label) => {
                                TargetsError::Unknown { place, id, label, known: few(names) }
                            }
                        }
                    })
                })?;
                let mut values = vec![0.0; rows.len() * names.len()];
                for (row, labels) in values.chunks_exact_mut(names.len()).zip(rows) {
                    labels.into_iter().for_each(|label| row[label as usize] = 1.0);
                }
                Ok(Truth::Labels(values))
            }
            (Task::Class, []) => unreachable!("classes stand in one column"),
        }
    }

    /// The names of the columns that the truth stands in, of the outputs `names`.
    pub fn columns<'a>(&'a self, names: &'a [String]) -> Vec<&'a str> {
        match &self.from {
            TargetsFrom::Class => vec![LABEL],
            TargetsFrom::Columns => names.iter().map(String::as_str).collect(),
            TargetsFrom::Column(column) => vec![column],
        }
    }

    /// Those columns.
    fn texts(&self, names: &[String], said: Said<'_>) -> Result<Vec<Column>, TargetsError> {
        let is_list = self.task == Task::Labels && self.from != TargetsFrom::Columns;
        let column = |name: &str| {
            said.column(name).map_err(|error| match error {
                TargetsError::Empty { .. } | TargetsError::Table(TableError::Empty { .. }) if is_list => {
                    TargetsError::NoList(Box::new(error))
                }
                other => other,
            })
        };
        self.columns(names).into_iter().map(column).collect()
    }
}

/// Why a list of labels is none.
enum Unread {
    None,
    Unknown(String),
}

/// Where a column stands, for messages.
fn place_of(said: Said<'_>, column: &str) -> String {
    format!("{}, column `{}`", said.place(column), shortened(column))
}

/// What every row's text comes to, each text being read once. `error` gets the place, the id and the text.
fn each_row<T: Clone, F: FnOnce(String, String, String) -> TargetsError>(
    column: &Column,
    said: Said<'_>,
    place: &str,
    read: impl Fn(&str) -> Result<T, F>,
) -> Result<Vec<T>, TargetsError> {
    let mut words: Vec<Result<T, Option<F>>> =
        column.words().iter().map(|word| read(word).map_err(Some)).collect();
    let mut rows = Vec::with_capacity(column.len());
    for (row, &code) in column.codes().iter().enumerate() {
        match &mut words[code as usize] {
            Ok(value) => rows.push(value.clone()),
            Err(error) => {
                let (id, text) = (shortened(said.samples.id(row)), shortened(column.text(row)));
                let error = error.take().expect("the first of them ends the reading");
                return Err(error(place.to_owned(), id.into_owned(), text.into_owned()));
            }
        }
    }
    Ok(rows)
}

/// Columns (n,) each, as rows (n, columns).
fn side_by_side(columns: &[Vec<f64>]) -> Vec<f64> {
    let rows = columns.first().map_or(0, Vec::len);
    (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect()
}

/// All labels that a column's texts list.
fn labels(column: &Column, place: &str) -> Result<Vec<String>, TargetsError> {
    // `none` beside others is told of where a sample is named.
    let texts = column.words().iter().map(String::as_str);
    let names: BTreeSet<&str> = texts.flat_map(label_set).filter(|label| *label != NONE).collect();
    if names.is_empty() {
        return Err(TargetsError::NoLabels { place: place.to_owned() });
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
