//! Which splits are scored.

use anyhow::bail;
use features::{FeatureSet, Rows as _, Selection};
use head::Head;
use sample::Split;

use crate::{Config, belonging::Seen, config::SplitChoice, scores::SplitScores};

/// The splits to score, and why these if that was not asked for, or what is to be known of them.
pub(crate) struct Splits {
    pub(crate) chosen: Vec<Split>,
    pub(crate) why: Option<String>,
}

/// Decides which splits are scored.
pub(crate) fn choose(features: &FeatureSet, head: &Head, config: &Config) -> anyhow::Result<Splits> {
    let counts = features.splits();
    let has = |split: &Split| counts.get(split).is_some_and(|&rows| rows > 0);
    match config.split() {
        Some(SplitChoice::One(split)) if !has(&split) => {
            let there: Vec<String> =
                Split::ALL.iter().filter(|split| has(split)).map(Split::to_string).collect();
            bail!(
                "{} no {split} rows, only {}; give another --split",
                has_or_have(features),
                there.join(" and ")
            )
        }
        Some(choice) => {
            let chosen: Vec<Split> = match choice {
                SplitChoice::One(split) => vec![split],
                SplitChoice::All => Split::ALL.into_iter().filter(has).collect(),
            };
            // Without those that it has seen there is nothing to warn of.
            let warns = chosen.contains(&Split::Train) && !config.unseen_only();
            let why = warns.then(|| format!("the train rows are scored: {}", seen(features, head)));
            Ok(Splits { chosen, why })
        }
        None => {
            let preferred = [Split::Test, Split::Val, Split::Train];
            let Some(split) = preferred.into_iter().find(has) else {
                bail!("{} no rows to score; rerun extract", has_or_have(features))
            };
            let why = match split {
                Split::Test => None,
                Split::Val => Some("no test rows, so the val rows are scored".to_owned()),
                Split::Train => {
                    let why = "no test or val rows, so the train rows are scored";
                    Some(if config.unseen_only() {
                        why.to_owned()
                    } else {
                        format!("{why}: {}", seen(features, head))
                    })
                }
            };
            Ok(Splits { chosen: vec![split], why })
        }
    }
}

/// Whether the head was fitted on the train rows, as a sentence's end.
fn seen(features: &FeatureSet, head: &Head) -> String {
    let rows = Selection::split(features, Split::Train);
    Seen::of(&rows, Split::Train, features, head).words(rows.len(), features)
}

/// `` `x.features` has ``
fn has_or_have(features: &FeatureSet) -> String {
    format!("`{}` {}", features.names(), if features.parts().len() == 1 { "has" } else { "have" })
}

/// Of the splits scored the one that a page is about and that the gate judges: test, else val, else train.
pub(crate) fn judged(scores: &[SplitScores<'_>]) -> Option<usize> {
    let preferred = [Split::Test, Split::Val, Split::Train];
    preferred.iter().find_map(|split| scores.iter().position(|scores| scores.split == *split))
}
