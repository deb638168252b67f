//! What is said of samples: by the columns that came with them, or by a manifest instead.

use super::TargetsError;
use crate::Column;
use std::path::Path;
use store::{
    brief::{few, shortened},
    table::values_of_columns,
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

/// Samples, and the manifest whose columns count instead of theirs, where there is one.
#[derive(Clone, Copy)]
pub struct Said<'a> {
    /// The samples.
    pub samples: &'a dyn Samples,
    /// The manifest.
    pub manifest: Option<&'a Path>,
}

impl Said<'_> {
    /// What some columns say of each sample, without spaces around it; none is empty.
    ///
    /// # Errors
    /// A column that is not there, a manifest that cannot be read or does not name a sample, a sample of which nothing is said.
    pub fn columns(&self, names: &[String]) -> Result<Vec<Column>, TargetsError> {
        let Some(path) = self.manifest else {
            return names.iter().map(|name| self.own(name)).collect();
        };
        let ids: Vec<&str> = (0..self.samples.len()).map(|sample| self.samples.id(sample)).collect();
        let texts = values_of_columns(path, names, &ids)?;
        let column =
            |(name, texts): (&String, Vec<String>)| Column::new(name, texts.iter().map(String::as_str));
        Ok(names.iter().zip(texts).map(column).collect())
    }

    /// The same of one column.
    ///
    /// # Errors
    /// As [`Said::columns`].
    pub fn column(&self, name: &str) -> Result<Column, TargetsError> {
        Ok(self.columns(&[name.to_owned()])?.remove(0))
    }

    /// Where columns stand, for messages: a manifest, or features.
    pub fn place(&self) -> String {
        self.manifest.map_or_else(|| self.samples.place(), |path| format!("`{}`", path.display()))
    }

    fn own(&self, name: &str) -> Result<Column, TargetsError> {
        let column = self.samples.column(name).ok_or_else(|| TargetsError::NoColumn {
            place: self.samples.place(),
            column: shortened(name).into_owned(),
            known: few(self.samples.columns()),
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
