//! Looking at the data behind a head: what is likely wrong, pictures that are nearly the same.

use cli::{Session, count};
use features::{FeatureSet, Rows as _, Selection};
use head::Head;
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};
use review::{NEIGHBOURS, Neighbours, Space};
use sample::targets::TargetsError;
use store::table::TableError;

use crate::{
    Config,
    duplicates::{Duplicate, duplicates},
    suspects::Suspects,
    truth::TruthSource,
};

/// Of more rows it takes a minute or more to find each one's neighbours.
const LONG: usize = 50_000;

/// What was found; rows are the artefact's.
pub(crate) struct Findings {
    /// `None` where nothing was to be judged.
    pub(crate) suspects: Option<Suspects>,
    /// The surest first.
    pub(crate) duplicates: Vec<Duplicate>,
    /// What is so of each row, as it was written; empty of augmented views.
    texts: Vec<String>,
}

impl Findings {
    /// Looks at all rows of `features`, and at their pictures for duplicates; judges what is so of them where that is asked
    /// for.
    pub(crate) fn of(
        features: &FeatureSet,
        head: &Head,
        config: &Config,
        source: &TruthSource<'_>,
        session: &Session,
    ) -> anyhow::Result<Findings> {
        let rows = Selection::of(features, |_| true);
        if rows.len() > LONG {
            session.note(format!(
                "evaluate: {} rows are compared with one another: time grows with the square of their number",
                count(rows.len() as u64)
            ));
        }
        let whitened = Neighbours::find(&Space::whitened(&rows)?, NEIGHBOURS);
        let (duplicates, unused) = duplicates(&whitened, &rows, features, config.images())?;
        if let Some(unused) = unused.words() {
            session.note(format!(
                "evaluate: of the pictures in --images {unused}: their duplicates are told by features alone"
            ));
        }
        if unused.changed() > 0 {
            session.note(format!(
                "evaluate: pictures in --images that changed since they were extracted: {}; near-duplicates are of what they are now",
                count(unused.changed())
            ));
        }
        let mut texts = vec![String::new(); features.len()];
        for (at, text) in source.texts(&rows).into_iter().enumerate() {
            texts[rows.row(at)] = text;
        }
        let mut findings = Findings { suspects: None, duplicates, texts };
        if config.judges() {
            // Nothing is known of what a row of a class that the head does not know should be.
            let (known, unknown) = source.divide(rows).map_err(of_all_splits)?;
            let truth = source.read(&known).map_err(of_all_splits)?;
            let among = match unknown.is_empty() {
                true => whitened,
                false => Neighbours::find(&Space::whitened(&known)?, NEIGHBOURS),
            };
            findings.suspects = Some(Suspects::of(&known, &truth, head, &among, config.seed(), session)?);
        }
        Ok(findings)
    }

    /// What is so of a row, as it was written.
    pub(crate) fn text(&self, row: u32) -> &str {
        &self.texts[row as usize]
    }

    /// Rows that are likely wrong, the least credible first.
    pub(crate) fn likely(&self) -> Vec<u32> {
        self.suspects.as_ref().map(Suspects::likely).unwrap_or_default()
    }

    /// Pairs across splits.
    pub(crate) fn leaks<'a>(&'a self, features: &'a FeatureSet) -> impl Iterator<Item = &'a Duplicate> {
        let split = |row: u32| features.split(row as usize);
        self.duplicates.iter().filter(move |pair| split(pair.first) != split(pair.second))
    }

    /// `id, split, label, other_id, other_split, other_label, similarity, pixels, leak`, surest first.
    pub(crate) fn duplicates_frame(&self, features: &FeatureSet) -> PolarsResult<DataFrame> {
        let rows = |of: fn(&Duplicate) -> u32| self.duplicates.iter().map(move |pair| of(pair) as usize);
        let (first, second) = (|| rows(|pair| pair.first), || rows(|pair| pair.second));
        let label = |row: usize| self.text(row as u32);
        df!(
            "id" => first().map(|row| features.id(row)).collect::<Vec<_>>(),
            "split" => first().map(|row| features.split(row).name()).collect::<Vec<_>>(),
            "label" => first().map(label).collect::<Vec<_>>(),
            "other_id" => second().map(|row| features.id(row)).collect::<Vec<_>>(),
            "other_split" => second().map(|row| features.split(row).name()).collect::<Vec<_>>(),
            "other_label" => second().map(label).collect::<Vec<_>>(),
            "similarity" => self.duplicates.iter().map(|pair| pair.similarity.map(f64::from)).collect::<Vec<_>>(),
            "pixels" => self.duplicates.iter().map(|pair| pair.pixels.map(f64::from)).collect::<Vec<_>>(),
            "leak" => first().zip(second()).map(|(a, b)| features.split(a) != features.split(b)).collect::<Vec<_>>(),
        )
    }
}

/// Whoever scores one split may have a manifest of its samples alone.
fn of_all_splits(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref() {
        Some(TargetsError::Table(TableError::Sample { .. })) => error
            .context("--report and --suspects look at all splits, so the manifest must name every sample"),
        _ => error,
    }
}
