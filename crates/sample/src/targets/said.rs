//! What is said of samples: by the columns that came with them, or by a manifest instead.

use super::TargetsError;
use crate::Column;
use store::{
    brief::{few, shortened},
    table::SampleTable,
};

/// n samples and the columns that came with them.
pub trait Samples {
    /// n.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A sample's id, which a manifest's column `path` names it by.
    fn id(&self, sample: usize) -> &str;

    /// The names of the columns.
    fn columns(&self) -> &[String];

    /// One of them.
    fn column(&self, name: &str) -> Option<Column>;

    /// What holds them, for messages.
    fn place(&self) -> String;
}

/// Samples, and a manifest whose columns count before theirs, where there is one.
#[derive(Clone, Copy)]
pub struct Said<'a> {
    /// The samples.
    pub samples: &'a dyn Samples,
    /// The manifest.
    pub manifest: Option<&'a SampleTable>,
}

impl Said<'_> {
    /// What a column says of each sample, without spaces around it; none is empty. It is the manifest's where that has it,
    /// else the samples' own.
    ///
    /// # Errors
    /// A column that is not there, a manifest that does not name a sample, a sample of which nothing is said.
    pub fn column(&self, name: &str) -> Result<Column, TargetsError> {
        let Some(manifest) = self.corrects(name) else { return self.own(name) };
        let ids: Vec<&str> = (0..self.samples.len()).map(|sample| self.samples.id(sample)).collect();
        let texts = manifest.values(name, &ids)?;
        Ok(Column::new(name, texts.iter().map(String::as_str)))
    }

    /// Where a column stands, for messages: `m.csv`, or features.
    pub fn place(&self, name: &str) -> String {
        let of = |manifest: &SampleTable| format!("`{}`", manifest.path().display());
        self.corrects(name).map_or_else(|| self.samples.place(), of)
    }

    /// The manifest, where it has the column.
    fn corrects(&self, name: &str) -> Option<&SampleTable> {
        self.manifest.filter(|manifest| manifest.has(name))
    }

    fn own(&self, name: &str) -> Result<Column, TargetsError> {
        let column = self.samples.column(name).ok_or_else(|| TargetsError::NoColumn {
            place: self.samples.place(),
            column: shortened(name).into_owned(),
            known: match self.samples.columns() {
                [] => "and no other".to_owned(),
                columns => format!("only {}", few(columns)),
            },
            manifest: self.manifest.map_or(String::new(), |manifest| {
                format!(", nor has `{}`, only {}", manifest.path().display(), few(manifest.names()))
            }),
        })?;
        match (0..column.len()).find(|&sample| column.text(sample).is_empty()) {
            None => Ok(column),
            Some(sample) => Err(TargetsError::Empty {
                place: self.samples.place(),
                column: shortened(name).into_owned(),
                id: shortened(self.samples.id(sample)).into_owned(),
            }),
        }
    }
}
