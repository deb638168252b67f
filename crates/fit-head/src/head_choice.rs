//! `--head`.

use std::str::FromStr;

/// What `--head` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadChoice {
    /// `linear`
    Linear,
    /// `ridge`
    Ridge,
    /// `lda`
    Lda,
    /// `prototype`
    Prototype,
    /// `mlp:UNITS`
    Mlp {
        /// Units of the hidden layer.
        units: usize,
    },
    /// `knn:K`
    Knn {
        /// How many of the nearest vote.
        neighbours: usize,
    },
}

impl HeadChoice {
    /// As the help writes it.
    pub(crate) fn pattern(self) -> &'static str {
        match self {
            HeadChoice::Linear => "linear",
            HeadChoice::Ridge => "ridge",
            HeadChoice::Lda => "lda",
            HeadChoice::Prototype => "prototype",
            HeadChoice::Mlp { .. } => "mlp:UNITS",
            HeadChoice::Knn { .. } => "knn:K",
        }
    }

    /// Without its number.
    pub(crate) fn name(self) -> &'static str {
        self.pattern().split(':').next().unwrap_or_default()
    }
}

impl FromStr for HeadChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = text.split_once(':').map_or((text, None), |(name, number)| (name, Some(number)));
        match (name, number.map(str::parse)) {
            ("linear", None) => Ok(HeadChoice::Linear),
            ("ridge", None) => Ok(HeadChoice::Ridge),
            ("lda", None) => Ok(HeadChoice::Lda),
            ("prototype", None) => Ok(HeadChoice::Prototype),
            ("mlp", Some(Ok(units @ 1..=65_536))) => Ok(HeadChoice::Mlp { units }),
            ("knn", Some(Ok(neighbours @ 1..=65_536))) => Ok(HeadChoice::Knn { neighbours }),
            _ => Err(format!(
                "expected `linear`, `ridge`, `lda`, `prototype`, `mlp:UNITS` or `knn:K` with a number from 1 to 65,536, \
                 such as `mlp:512`; got `{text}`"
            )),
        }
    }
}
