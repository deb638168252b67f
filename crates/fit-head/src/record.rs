//! The record of a fit that the head carries.

use head::ClassWeights;
use sample::targets::Task;
use serde_json::{Map, Value};

use crate::{job::Job, split_rows::SplitRows};

/// The record of a fit that the head carries: settings first, then the outcome.
pub(crate) struct Record(Map<String, Value>);

impl Record {
    /// Begins with what every method has.
    pub(crate) fn begin(head: &str, standardize: bool, job: &Job<'_>) -> Record {
        let mut record = Record(Map::new());
        record.set("tool", concat!("fit-head ", env!("CARGO_PKG_VERSION")));
        record.set("head", head);
        let class_weight: Value = match &job.class_weights {
            ClassWeights::None => "none".into(),
            ClassWeights::Balanced => "balanced".into(),
            ClassWeights::Each(weights) => weights.clone().into(),
        };
        match job.task() {
            Task::Class => record.set("class_weight", class_weight),
            task => record.set("target", task.name()),
        }
        record.set("standardize", standardize);
        let (train, val) = (&job.rows.train.rows, job.rows.val.as_ref().map(|val| &val.rows));
        record.set("train_rows", train.len());
        if train.has_views() {
            record.set("train_samples", train.samples().count());
        }
        record.set("val_rows", val.map_or(0, SplitRows::len));
        record
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    pub(crate) fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}
