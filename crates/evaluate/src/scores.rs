//! The head's scores on the rows of a split: one pass for what each row alone says, one for how rows rank.

use anyhow::{Context, anyhow, bail};
use artifact::{FeatureSet, Head, Rows as _, Selection, Split};
use head::{Scorer, softmax};
use metrics::{Interval, OneVsRest, Outcomes, Rankings, ScoreError};

use crate::Config;
use crate::belonging;
use crate::blocks::for_each_block;
use crate::config::SplitChoice;
use crate::novelty::Novelties;

/// The splits to score, and why these if that was not asked for, or what is to be known of them.
pub(crate) struct Splits {
    pub(crate) chosen: Vec<Split>,
    pub(crate) why: Option<String>,
}

/// The rows of one split and what the head makes of them.
pub(crate) struct SplitScores<'a> {
    pub(crate) split: Split,
    pub(crate) rows: Selection<'a>,
    pub(crate) outcomes: Outcomes,
    pub(crate) ranking: Ranking,
    pub(crate) novelties: Option<Novelties>,
}

/// How well each class's rows rank above the others.
pub(crate) struct Ranking {
    pub(crate) rankings: Rankings,
}

/// A value and its interval.
pub(crate) type Ranked = (Option<f64>, Option<Interval>);

/// Decides which splits are scored.
pub(crate) fn splits(features: &FeatureSet, head: &Head, config: &Config) -> anyhow::Result<Splits> {
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
            let why = chosen
                .contains(&Split::Train)
                .then(|| format!("the train rows are scored: {}", belonging::seen(features, head)));
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
                    let seen = belonging::seen(features, head);
                    Some(format!("no test or val rows, so the train rows are scored: {seen}"))
                }
            };
            Ok(Splits { chosen: vec![split], why })
        }
    }
}

/// `` `x.features` has ``
fn has_or_have(features: &FeatureSet) -> String {
    format!("`{}` {}", features.names(), if features.parts().len() == 1 { "has" } else { "have" })
}

/// Calls `with` with the first row, labels and probabilities (rows, classes) of block after block.
pub(crate) fn blocks<E>(
    scorer: &Scorer,
    rows: &Selection<'_>,
    mut with: impl FnMut(usize, &[u32], &[f64]) -> Result<(), E>,
) -> Result<(), E> {
    let (labels, dim) = (rows.labels(), rows.dim());
    for_each_block(rows, scorer.outputs(), |first, x| {
        let labels = &labels[first..][..x.len() / dim];
        with(first, labels, &softmax(&scorer.of_rows(x), scorer.outputs()))
    })
}

/// One outcome a row; `rows` are of `features`.
///
/// # Errors
/// A row whose scores are no numbers.
pub(crate) fn outcomes(
    scorer: &Scorer,
    rows: &Selection<'_>,
    features: &FeatureSet,
) -> anyhow::Result<Outcomes> {
    let mut outcomes = Outcomes::new(scorer.outputs());
    blocks(scorer, rows, |_, labels, probabilities| outcomes.push(labels, probabilities)).map_err(
        |error| match error {
            ScoreError::Probability { row, .. } => too_large(features, rows, row),
            other => other.into(),
        },
    )?;
    Ok(outcomes)
}

/// What scores that are no numbers mean: artefacts hold finite ones alone, so that a sum of products has passed what f32 has.
pub(crate) fn too_large(features: &FeatureSet, rows: &Selection<'_>, at: usize) -> anyhow::Error {
    anyhow!(
        "its scores of `{}` are no numbers: the features in `{}` are too large for this head; were they extracted by the same network?",
        features.id(rows.row(at)),
        features.names()
    )
}

fn ranking(scorer: &Scorer, rows: &Selection<'_>, outcomes: &Outcomes) -> anyhow::Result<Ranking> {
    let mut ranks = OneVsRest::new(outcomes);
    blocks(scorer, rows, |_, _, probabilities| ranks.push(probabilities))?;
    Ok(Ranking { rankings: ranks.finish()? })
}

impl<'a> SplitScores<'a> {
    pub(crate) fn compute(
        split: Split,
        features: &'a FeatureSet,
        head: &Head,
        config: &Config,
    ) -> anyhow::Result<SplitScores<'a>> {
        let scorer = Scorer::of(head);
        let rows = Selection::split(features, split);
        let cannot = || format!("cannot score `{}`", config.head().display());
        let outcomes = outcomes(&scorer, &rows, features).with_context(cannot)?;
        let ranking = ranking(&scorer, &rows, &outcomes).with_context(cannot)?;
        let novelties = Novelties::of(head, &rows);
        Ok(SplitScores { split, rows, outcomes, ranking, novelties })
    }
}

impl Ranking {
    pub(crate) fn macro_roc_auc(&self) -> Ranked {
        (self.rankings.macro_roc_auc(), self.rankings.macro_roc_auc_interval())
    }

    pub(crate) fn macro_average_precision(&self) -> Ranked {
        (self.rankings.macro_average_precision(), self.rankings.macro_average_precision_interval())
    }

    pub(crate) fn roc_auc(&self, class: usize) -> Ranked {
        let class = self.rankings.class(class);
        (class.map(|class| class.roc_auc), class.map(metrics::ClassRanking::roc_auc_interval))
    }

    pub(crate) fn average_precision(&self, class: usize) -> Ranked {
        let class = self.rankings.class(class);
        let interval = class.map(metrics::ClassRanking::average_precision_interval);
        (class.map(|class| class.average_precision), interval)
    }
}
