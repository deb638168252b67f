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
                "expected `auto`, `linear`, `ridge`, `lda`, `prototype`, `mlp:UNITS` or `knn:K` with a number from 1 to 65,536, \
                 such as `mlp:512`, or several of them, separated by commas; got `{text}`"
            )),
        }
    }
}

/// All that `--head` names: one kind, or several to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadChoices {
    kinds: Vec<HeadChoice>,
    /// Whether they stand for `auto`.
    auto: bool,
}

impl HeadChoices {
    /// What `auto` stands for: the kinds that take seconds, and whose probabilities are calibrated.
    const AUTO: [HeadChoice; 3] = [HeadChoice::Linear, HeadChoice::Ridge, HeadChoice::Lda];

    /// Of `auto` those that `fits` picks; of kinds that were named all.
    pub(crate) fn fitting(mut self, fits: impl Fn(HeadChoice) -> bool) -> HeadChoices {
        if self.auto {
            self.kinds.retain(|&kind| fits(kind));
        }
        self
    }

    /// The kinds, each once, in the order that they were named in.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = HeadChoice> {
        self.kinds.iter().copied()
    }

    /// `linear`, `linear and lda`
    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.iter().map(HeadChoice::name).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, first)) => format!("{} and {last}", first.join(", ")),
            None => String::new(),
        }
    }

    /// Whether there is a choice.
    pub(crate) fn are_several(&self) -> bool {
        self.kinds.len() > 1
    }
}

impl FromStr for HeadChoices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(HeadChoices { kinds: HeadChoices::AUTO.to_vec(), auto: true });
        }
        let mut choices = Vec::new();
        for name in text.split(',') {
            let choice = name.parse()?;
            if choices.contains(&choice) {
                return Err(format!("expected each kind once, got `{name}` twice"));
            }
            choices.push(choice);
        }
        Ok(HeadChoices { kinds: choices, auto: false })
    }
}
