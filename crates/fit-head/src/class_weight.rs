//! `--class-weight`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};
use head::ClassWeights;
use store::table;

/// What `--class-weight` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClassWeight {
    /// `none`
    #[default]
    None,
    /// `balanced`
    Balanced,
    /// A table with the columns `class` and `weight`.
    File(PathBuf),
}

impl FromStr for ClassWeight {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(ClassWeight::None),
            "balanced" => Ok(ClassWeight::Balanced),
            file if [".csv", ".parquet"].iter().any(|ending| file.ends_with(ending)) => {
                Ok(ClassWeight::File(file.into()))
            }
            _ => Err(format!("expected `none`, `balanced`, or a .csv or .parquet table; got `{text}`")),
        }
    }
}

impl ClassWeight {
    /// The table that is read.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            ClassWeight::File(path) => Some(path),
            ClassWeight::None | ClassWeight::Balanced => None,
        }
    }

    /// The weights for `classes`.
    pub(crate) fn resolve(&self, classes: &[String]) -> anyhow::Result<ClassWeights> {
        match self {
            ClassWeight::None => Ok(ClassWeights::None),
            ClassWeight::Balanced => Ok(ClassWeights::Balanced),
            ClassWeight::File(path) => Ok(ClassWeights::Each(read(path, classes)?)),
        }
    }
}

/// The weight of each of `classes`: (C,).
fn read(path: &Path, classes: &[String]) -> anyhow::Result<Vec<f64>> {
    let pairs = table::pairs(path, "class", "weight")?;
    let shown = path.display();
    let mut weights = vec![None; classes.len()];
    for (class, text) in pairs {
        let Some(at) = classes.iter().position(|known| *known == class) else {
            bail!("`{shown}` has a weight for `{class}`, which is no class of the features");
        };
        let weight = text.parse().ok().filter(|weight: &f64| *weight > 0.0 && weight.is_finite());
        let weight = weight.with_context(|| {
            format!("`{shown}`, class `{class}`: expected a weight above 0, got `{text}`")
        })?;
        if weights[at].replace(weight).is_some() {
            bail!("`{shown}` has two weights for `{class}`");
        }
    }
    let named = weights.into_iter().zip(classes);
    named
        .map(|(weight, class)| weight.with_context(|| format!("`{shown}` has no weight for `{class}`")))
        .collect()
}
