//! `--head`.

use std::str::FromStr;

use crate::methods::{KINDS, Kind, Method};

/// What `--head` names: a kind, and the number after it.
#[derive(Clone, Copy, Debug)]
pub struct HeadChoice {
    pub(crate) kind: &'static Kind,
    /// 0 where the kind has none.
    pub(crate) number: usize,
}

/// A kind that is to be fitted, with its settings.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) kind: &'static Kind,
    /// As `--head` names it, with its number.
    pub(crate) name: String,
    pub(crate) method: Box<dyn Method>,
}

impl HeadChoice {
    /// With its number.
    pub(crate) fn name(self) -> String {
        match self.kind.number {
            Some(_) => format!("{}:{}", self.kind.name, self.number),
            None => self.kind.name.to_owned(),
        }
    }
}

impl PartialEq for HeadChoice {
    fn eq(&self, other: &HeadChoice) -> bool {
        (self.kind.name, self.number) == (other.kind.name, other.number)
    }
}

impl FromStr for HeadChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = text.split_once(':').map_or((text, None), |(name, number)| (name, Some(number)));
        let number = number.map(str::parse);
        let kind =
            KINDS.iter().copied().find(|kind| kind.name == name && kind.number.is_some() == number.is_some());
        match (kind, number) {
            (Some(kind), None) => Ok(HeadChoice { kind, number: 0 }),
            (Some(kind), Some(Ok(number @ 1..=65_536))) => Ok(HeadChoice { kind, number }),
            _ => Err(format!(
                "expected {} with a number from 1 to 65,536, such as `mlp:512`, or several of them, separated by commas; got `{text}`",
                list(
                    std::iter::once("`auto`".to_owned())
                        .chain(KINDS.map(|kind| format!("`{}`", kind.pattern()))),
                    "or"
                )
            )),
        }
    }
}

/// All that `--head` names: one kind, or several to choose from.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadChoices {
    choices: Vec<HeadChoice>,
    /// Whether they stand for `auto`.
    auto: bool,
}

impl HeadChoices {
    /// Whether they stand for `auto`, whose first kind is kept unless another is clearly better.
    pub(crate) fn are_auto(&self) -> bool {
        self.auto
    }

    /// Takes the kinds that `auto` stands for in this run.
    pub(crate) fn stand_for(&mut self, kinds: &[&'static Kind]) {
        self.choices = kinds.iter().map(|kind| HeadChoice { kind, number: 0 }).collect();
    }

    /// Each once, in the order that they were named in.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = HeadChoice> {
        self.choices.iter().copied()
    }

    /// `linear`, `linear and lda`
    pub(crate) fn names(&self) -> String {
        list(self.iter().map(|choice| choice.kind.name.to_owned()), "and")
    }

    /// Whether there is a choice.
    pub(crate) fn are_several(&self) -> bool {
        self.choices.len() > 1
    }
}

impl FromStr for HeadChoices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            // What it stands for depends on the other flags.
            return Ok(HeadChoices { choices: Vec::new(), auto: true });
        }
        let mut choices = Vec::new();
        for name in text.split(',') {
            let choice = name.parse()?;
            if choices.contains(&choice) {
                return Err(format!("expected each kind once, got `{name}` twice"));
            }
            choices.push(choice);
        }
        Ok(HeadChoices { choices, auto: false })
    }
}

/// `linear`, `linear or ridge`, `linear, ridge or lda`
pub(crate) fn list(names: impl Iterator<Item = String>, last: &str) -> String {
    let names: Vec<String> = names.collect();
    match &names[..] {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}
