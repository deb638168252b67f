//! What every kind of head of such targets is fitted from.

use artifact::{Dense, FeatureSet, Task};
use cli::{Interrupt, Session};
use head::{Folds, HeldOut, Quality, Targets, Units, quality_targets};

use super::rows::Rows;
use crate::config::Choice;
use crate::held_out::{FOLDS, Held, folds_of};
use crate::report::{Report, describe};

/// What every kind of head is fitted from.
pub(crate) struct Job<'a> {
    pub(crate) task: Task,
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) features: &'a FeatureSet,
    pub(crate) choice: &'a Choice,
    pub(crate) standardize: bool,
    /// Whether it is to be compared with others, and so must do without some rows.
    pub(crate) compare: bool,
    pub(crate) session: &'a Session,
    pub(crate) interrupt: &'a Interrupt,
}

impl<'a> Job<'a> {
    /// The val rows where there are any, unless folds are asked for; else folds of the train rows.
    pub(crate) fn held_out(&self) -> anyhow::Result<Held<'a>> {
        match &self.rows.val {
            Some(val) if !self.choice.asks_for_folds() => Ok(Held::Val(HeldOut::Targets(val.targets()?))),
            _ => Ok(Held::Folds(self.folds(FOLDS)?)),
        }
    }

    /// Folds of the train rows, as many as was asked for, else `usual`: a sample's augmented views are held out with it.
    pub(crate) fn folds(&self, usual: usize) -> anyhow::Result<Folds> {
        let train = &self.rows.train;
        let (strata, count) = train.strata();
        let ids = train.rows.samples().map(|at| self.features.id(train.rows.row(at)));
        Ok(folds_of(self.choice, usual, &strata, count, ids)?.of_views(train.rows.views()))
    }

    /// Begins the record of a fit.
    pub(crate) fn report(&self, head: &str) -> Report {
        let val = self.rows.val.as_ref().map(|val| &val.rows);
        Report::of_targets(head, self.task, self.standardize, &self.rows.train.rows, val)
    }

    /// Records how a head does on the rows that were fitted.
    pub(crate) fn finish(&self, layers: &[Dense], train: &Targets<'_>, report: &mut Report) -> Quality {
        let quality = quality_targets(layers, train, &Units::of(train));
        self.set_quality(report, "train", quality);
        quality
    }

    /// Loss, and of labels the part that is right.
    pub(crate) fn set_quality(&self, report: &mut Report, split: &str, quality: Quality) {
        match self.task {
            Task::Labels => report.set_quality(split, quality),
            Task::Class | Task::Numbers => report.set(&format!("{split}_loss"), quality.loss),
        }
    }

    /// The same in words.
    pub(crate) fn describe(&self, split: &str, quality: Quality) -> String {
        match self.task {
            Task::Labels => describe(split, quality),
            Task::Class | Task::Numbers => format!("{split} loss {:.4}", quality.loss),
        }
    }
}
