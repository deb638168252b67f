//! What is so of samples, and which slices they are in: where that stands.

use cli::UsageError;
use features::{Rows as _, Selection};
use head::Head;
use sample::{
    Column,
    targets::{Said, TargetSpec, TargetsFrom, Task, Truth},
};
use store::table::SampleTable;

use crate::Config;

/// The columns that say it, and the manifest whose columns count before the features' own.
pub(crate) struct TruthSource<'a> {
    spec: TargetSpec,
    /// The outputs' names.
    names: &'a [String],
    manifest: Option<SampleTable>,
}

impl<'a> TruthSource<'a> {
    /// From the columns that the run names, or the head.
    ///
    /// # Errors
    /// Columns that do not go with the head; a manifest that cannot be read, or that nothing is read from.
    pub(crate) fn of(head: &'a Head, config: &Config) -> anyhow::Result<TruthSource<'a>> {
        let spec = match (config.target_columns(), head.task()) {
            (Some([column]), Task::Class) => {
                TargetSpec { task: Task::Class, from: TargetsFrom::Column(column.clone()) }
            }
            (Some(columns), Task::Class) => {
                let got = columns.len();
                let text = format!("--target-columns: expected the one column of classes, got {got}");
                return Err(UsageError(text).into());
            }
            (Some(_), _) => {
                let text = "--target-columns is for heads of classes: this head names its columns itself";
                return Err(UsageError(text.to_owned()).into());
            }
            (None, _) => head.targets.clone(),
        };
        let names = &head.classes[..];
        let wanted: Vec<&str> = spec.columns(names).into_iter().chain(config.slices()).collect();
        let manifest = config.manifest().map(|path| SampleTable::open(path, &wanted)).transpose()?;
        Ok(TruthSource { spec, names, manifest })
    }

    /// The outputs' names.
    pub(crate) fn names(&self) -> &'a [String] {
        self.names
    }

    /// Rows of classes that the head knows, and others.
    ///
    /// # Errors
    /// A column that is nowhere, or says nothing of a sample.
    pub(crate) fn divide<'b>(&self, rows: Selection<'b>) -> anyhow::Result<(Selection<'b>, Selection<'b>)> {
        let knows = self.spec.knows(self.names, self.said(&rows))?;
        Ok(rows.divide(|at| knows[at]))
    }

    /// What is so of `rows`, of classes that the head knows.
    ///
    /// # Errors
    /// A column that is nowhere, or says nothing, or nonsense, of a sample.
    pub(crate) fn read(&self, rows: &Selection<'_>) -> anyhow::Result<Truth> {
        Ok(self.spec.read(self.names, self.said(rows))?)
    }

    /// The texts that say it, of each of `rows`; nothing where none does. Of several columns they come with their names.
    pub(crate) fn texts(&self, rows: &Selection<'_>) -> Vec<String> {
        let own = Said { samples: rows, manifest: None };
        let column = |name: &&str| self.said(rows).column(name).or_else(|_| own.column(name)).ok();
        let columns: Vec<Column> = self.spec.columns(self.names).iter().filter_map(column).collect();
        let text = |row: usize| match &columns[..] {
            [column] => column.text(row).to_owned(),
            columns => {
                let each = columns.iter().map(|column| format!("{} {}", column.name(), column.text(row)));
                each.collect::<Vec<_>>().join(", ")
            }
        };
        (0..rows.len()).map(text).collect()
    }

    /// `rows`, and what is said of them.
    pub(crate) fn said<'b>(&'b self, rows: &'b Selection<'_>) -> Said<'b> {
        Said { samples: rows, manifest: self.manifest.as_ref() }
    }
}
