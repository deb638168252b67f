//! The rows that are fitted on, and those that are looked at meanwhile.

use std::path::Path;

use anyhow::bail;
use artifact::{Features, Split};
use head::{Examples, HeadFitError};

/// Rows of one split.
pub(crate) struct Part {
    /// (n, d) f32 row-major.
    features: Vec<f32>,
    labels: Vec<u32>,
    dim: usize,
    classes: usize,
}

/// Train rows, and val rows where there are any.
pub(crate) struct Rows {
    pub(crate) train: Part,
    pub(crate) val: Option<Part>,
}

impl Rows {
    /// Takes both splits from `features` (of `path`) and checks that a classifier can be fitted.
    pub(crate) fn load(features: &Features, path: &Path) -> anyhow::Result<Rows> {
        let path = path.display();
        if let [class] = features.classes() {
            bail!("`{path}` has one class, `{class}`: expected two or more to tell apart");
        }
        let Some(train) = Part::load(features, Split::Train)? else {
            bail!(
                "`{path}` has no train rows, expected some to fit on; give it a train folder, a train split in the manifest, or --split, and rerun extract"
            );
        };
        let counts = train.examples()?.counts();
        if let Some(absent) = counts.iter().position(|&count| count == 0) {
            let class = &features.classes()[absent];
            bail!("class `{class}` of `{path}` has no train rows, expected some of every class");
        }
        Ok(Rows { train, val: Part::load(features, Split::Val)? })
    }
}

impl Part {
    /// `None` where the split has no rows.
    fn load(features: &Features, split: Split) -> anyhow::Result<Option<Part>> {
        let rows = features.rows_of(split);
        if rows.is_empty() {
            return Ok(None);
        }
        let part = Part {
            features: features.matrix(&rows),
            labels: features.labels(&rows),
            dim: features.dim(),
            classes: features.classes().len(),
        };
        match part.examples() {
            Err(HeadFitError::NotFinite { row, column, value }) => {
                let id = features.id(rows[row]);
                bail!("feature {column} of row `{id}` is {value}, expected a finite number; rerun extract")
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Some(part)),
        }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(crate) fn examples(&self) -> Result<Examples<'_>, HeadFitError> {
        Examples::new(&self.features, &self.labels, self.dim, self.classes)
    }
}
