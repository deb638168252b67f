//! What a method made of the rows, and all that is told of it: the record in the head, the table beside it, the last line.
//!
//! **Invariant:** no method writes a record, a table or a line by itself: all tell the same things in the same words.

use head::{Candidate, Examples, HeadKind, Memory, Quality, Scorer, TargetScaler, Temperature, quality};
use polars::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series};
use sample::targets::Task;
use serde_json::{Value, json};
use weights::{AttentionPool, Dense};

use crate::{job::Job, methods::SweepOutcome, record::Record, reject::Reject};

/// What a method made of the rows.
pub(crate) struct Fit {
    /// As `--head` names it, with its number.
    pub(crate) head: String,
    pub(crate) model: Model,
    /// Whether features were standardised inside.
    pub(crate) standardize: bool,
    /// What it was told, and what the fit found besides: for the record, in this order.
    pub(crate) settings: Vec<(&'static str, Value)>,
    /// How it ended, likewise.
    pub(crate) ending: Vec<(&'static str, Value)>,
    /// The same in words.
    pub(crate) words: String,
    /// Columns of the table that are no qualities: one value each of `tried`.
    pub(crate) columns: Vec<Column>,
    /// All that was tried, a row of the table each.
    pub(crate) tried: Vec<Tried>,
    /// Which of them the head is, where one was chosen.
    pub(crate) chosen: Option<usize>,
    /// How the head does on rows that it was not fitted on, where there are any.
    pub(crate) judged: Option<HeldOutQuality>,
    pub(crate) reject: Option<Reject>,
    /// On the rows that were fitted.
    pub(crate) train: Option<Quality>,
    pub(crate) loss: LossKind,
    pub(crate) told: Told,
}

/// What a head is made of.
pub(crate) enum Model {
    /// Perhaps after an attention pool.
    Layers(Option<AttentionPool>, Vec<Dense>),
    Memory(Memory),
}

/// One of those that were tried.
#[derive(Clone, Copy)]
pub(crate) struct Tried {
    pub(crate) train: Option<Quality>,
    pub(crate) held_out: Option<Quality>,
}

/// How a head does on rows that it was not fitted on.
pub(crate) struct HeldOutQuality {
    /// The rows: `val`, `5 folds`.
    pub(crate) name: String,
    /// Before its temperature.
    pub(crate) quality: Quality,
    pub(crate) temperature: Option<Temperature>,
    /// Of each of the rows the log loss after it, in nats, where kinds are compared by that.
    pub(crate) losses: Vec<f64>,
}

/// What the loss of a quality is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LossKind {
    /// The mean negative log-likelihood, in nats.
    Likelihood,
    /// The mean squared error.
    Squares,
    /// It says nothing.
    None,
}

/// How what was found is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// As a choice between strengths, of such a name.
    Choice(Option<&'static str>),
    /// As epochs, of which val rows judge, or rows that were set aside.
    Epochs { aside: bool },
    /// As it is.
    Found,
}

impl HeldOutQuality {
    /// On rows that `name` names, without a temperature.
    pub(crate) fn of(name: &str, quality: Quality) -> HeldOutQuality {
        HeldOutQuality { name: name.to_owned(), quality, temperature: None, losses: Vec::new() }
    }
}

impl LossKind {
    /// That of outputs which say what they mean: log-likelihood, of numbers squares.
    pub(crate) fn of_outputs(job: &Job<'_>) -> LossKind {
        match job.task() {
            Task::Class | Task::Labels => LossKind::Likelihood,
            Task::Numbers => LossKind::Squares,
        }
    }
}

impl Fit {
    /// A fit of which nothing is known yet but this.
    pub(crate) fn new(head: &str, model: Model, loss: LossKind, told: Told) -> Fit {
        Fit {
            head: head.to_owned(),
            model,
            standardize: true,
            settings: Vec::new(),
            ending: Vec::new(),
            words: String::new(),
            columns: Vec::new(),
            tried: vec![Tried { train: None, held_out: None }],
            chosen: None,
            judged: None,
            reject: None,
            train: None,
            loss,
            told,
        }
    }

    /// Says which strength was chosen, and by what; without a choice the only one was. Folds the temperature in.
    pub(crate) fn chosen_by(mut self, choice: Option<SweepOutcome>) -> Fit {
        self.chosen = Some(0);
        let Some(SweepOutcome { sweep, judged, reject }) = choice else { return self };
        let tried = |&Candidate { train, held_out, .. }: &Candidate| Tried {
            train: Some(train),
            held_out: Some(held_out),
        };
        self.tried = sweep.candidates.iter().map(tried).collect();
        if let (Some(temperature), Model::Layers(_, layers)) = (judged.temperature, &mut self.model)
            && let Some(layer) = layers.last_mut()
        {
            layer.scale(1.0 / temperature.value);
        }
        Fit { chosen: Some(sweep.best), judged: Some(judged), reject, ..self }
    }

    /// The last touch to a head of layers: its biases are moved where that was asked for, and it is measured on the rows
    /// that were fitted.
    pub(crate) fn finish(mut self, train: &Examples<'_>, job: &Job<'_>) -> anyhow::Result<Fit> {
        self.standardize = job.standardize;
        if let Model::Layers(pool, layers) = &mut self.model {
            if let Some(tau) = job.logit_adjustment {
                job.adjust(tau, layers, train);
                self.ending.push(("logit_adjustment", tau.into()));
            }
            self.train =
                Some(quality(&Scorer::of_pooled(pool.as_ref(), layers), train, &TargetScaler::of(train)));
        }
        Ok(self)
    }

    pub(crate) fn kind(&self) -> HeadKind {
        match &self.model {
            Model::Memory(_) => HeadKind::Knn,
            Model::Layers(Some(_), _) => HeadKind::Attention,
            Model::Layers(None, layers) if layers.len() > 1 => HeadKind::Mlp,
            Model::Layers(None, _) => HeadKind::Linear,
        }
    }

    /// Held-out loss and accuracy as candidates of all kinds have them: likelihoods of classes and labels, squares of
    /// numbers.
    pub(crate) fn compared(&self, task: Task) -> (Option<f64>, Option<f64>) {
        let Some(HeldOutQuality { quality, temperature, .. }) = &self.judged else { return (None, None) };
        let is_known = match self.loss {
            LossKind::Likelihood => true,
            LossKind::Squares => task == Task::Numbers,
            LossKind::None => false,
        };
        let loss = temperature.map(|temperature| temperature.after);
        (loss.or(is_known.then_some(quality.loss)), (task != Task::Numbers).then_some(quality.accuracy))
    }

    /// Of each held-out row the log loss, where it is known.
    pub(crate) fn losses(&self) -> &[f64] {
        self.judged.as_ref().map_or(&[], |judged| &judged.losses)
    }

    /// The record of the fit that the head carries: settings first, then the outcome.
    pub(crate) fn record(&self, job: &Job<'_>) -> Record {
        let mut record = Record::begin(&self.head, self.standardize, job);
        self.settings.iter().for_each(|(key, value)| record.set(key, value.clone()));
        if let Some(judged) = &self.judged {
            self.record_choice(&mut record);
            self.record_judged(&mut record, judged, job.task());
        }
        if let Some(reject) = &self.reject {
            reject.record(&mut record);
        }
        self.ending.iter().for_each(|(key, value)| record.set(key, value.clone()));
        if let Some(train) = self.train {
            // Scores of layers are logits, or numbers, by now.
            self.record_quality(&mut record, "train", train, LossKind::Likelihood, job.task());
        }
        record
    }

    /// What there was to choose from.
    fn record_choice(&self, record: &mut Record) {
        let Told::Choice(Some(name)) = self.told else { return };
        let strengths = self.columns.first().map(floats).unwrap_or_default();
        if self.loss == LossKind::None {
            return record.set(&format!("{name}_candidates"), strengths);
        }
        let each = |of: fn(&Tried) -> Option<Quality>| -> Vec<Option<f64>> {
            self.tried.iter().map(|tried| of(tried).map(|quality| quality.loss)).collect()
        };
        let (train, held_out) = (each(|tried| tried.train), each(|tried| tried.held_out));
        let sweep = json!({
            name: strengths, "train_loss": train, "held_out_loss": held_out, "chosen": self.chosen,
        });
        record.set("sweep", sweep);
    }

    fn record_judged(&self, record: &mut Record, judged: &HeldOutQuality, task: Task) {
        let HeldOutQuality { name, quality, temperature, .. } = judged;
        self.record_quality(record, self.split(), *quality, self.loss, task);
        let by_epochs = matches!(self.told, Told::Epochs { .. });
        let is_choice = matches!(self.told, Told::Choice(_));
        if (is_choice && self.loss == LossKind::Squares) || (by_epochs && temperature.is_some()) {
            record.set("held_out", name.as_str());
        }
        if by_epochs && temperature.is_some() {
            record.set("held_out_accuracy", quality.accuracy);
        }
        if let Some(Temperature { value, before, after }) = *temperature {
            record.set("temperature", value);
            if self.loss == LossKind::Squares {
                record.set("held_out_log_loss", after);
            } else {
                record.set("held_out_loss_before_temperature", before);
                record.set("held_out_loss", after);
            }
        }
        if is_choice {
            record.set("held_out", name.as_str());
        }
    }

    fn record_quality(&self, record: &mut Record, split: &str, quality: Quality, loss: LossKind, task: Task) {
        if loss != LossKind::None {
            record.set(&format!("{split}_loss"), quality.loss);
        }
        if task != Task::Numbers {
            record.set(&format!("{split}_accuracy"), quality.accuracy);
        }
    }

    /// What rows that judge are called in keys of the record.
    fn split(&self) -> &'static str {
        match self.told {
            Told::Choice(_) | Told::Epochs { aside: true } => "held_out",
            Told::Epochs { aside: false } | Told::Found => "val",
        }
    }

    /// One row each of what was tried: what it was told or took, loss and accuracy, which was chosen.
    pub(crate) fn table(&self, task: Task) -> PolarsResult<DataFrame> {
        let mut columns = self.columns.clone();
        let mut add = |split: &str, of: fn(&Tried) -> Option<Quality>| {
            let all: Vec<Option<Quality>> = self.tried.iter().map(of).collect();
            // Where each is known there are no gaps.
            let each = |name: &str, of: fn(Quality) -> f64| {
                let name = format!("{split}_{name}");
                match all.iter().copied().map(|quality| quality.map(of)).collect::<Option<Vec<f64>>>() {
                    Some(known) => column(&name, known),
                    None => column(&name, all.iter().map(|q| q.map(of)).collect::<Vec<Option<f64>>>()),
                }
            };
            if self.loss != LossKind::None {
                columns.push(each("loss", |quality| quality.loss));
            }
            if task != Task::Numbers {
                columns.push(each("accuracy", |quality| quality.accuracy));
            }
        };
        let is_measured = self.tried.iter().any(|tried| tried.train.is_some());
        if is_measured {
            add("train", |tried| tried.train);
        }
        match self.told {
            Told::Choice(_) if is_measured => add("held_out", |tried| tried.held_out),
            Told::Choice(_) => (),
            Told::Epochs { .. } | Told::Found => add("val", |tried| tried.held_out),
        }
        if let Some(chosen) = self.chosen {
            let chosen: Vec<bool> = (0..self.tried.len()).map(|at| at == chosen).collect();
            columns.push(column("chosen", chosen));
        }
        DataFrame::new(self.tried.len(), columns)
    }

    /// How it went, for the last line.
    pub(crate) fn line(&self, job: &Job<'_>) -> String {
        let mut line = self.words.clone();
        match (self.told, &self.judged) {
            (Told::Choice(_), Some(HeldOutQuality { name, quality, .. })) => {
                if self.tried.len() > 1 {
                    line += &format!(", best of {}", self.tried.len());
                }
                line += &format!(" on {name} ({})", brief(*quality, job.task()));
            }
            (Told::Found, Some(HeldOutQuality { name, quality, .. })) => {
                line += &format!(", {}", job.describe(name, *quality));
            }
            (Told::Epochs { .. }, judged) => {
                if let Some(train) = self.train {
                    line += &format!(", train {}", brief(train, job.task()));
                }
                if let (Some(HeldOutQuality { name, quality, .. }), Some(_)) = (judged, self.chosen) {
                    let brief = brief(*quality, job.task());
                    line += &format!(", on {name} {}", brief.trim_start_matches("accuracy "));
                }
            }
            (_, None) => (),
        }
        if let Some(reject) = &self.reject {
            line += &reject.line();
        }
        line
    }
}

/// A column of a table.
pub(crate) fn column<T, P: ?Sized>(name: &str, values: T) -> Column
where
    Series: NamedFrom<T, P>,
{
    Series::new(name.into(), values).into()
}

fn floats(column: &Column) -> Vec<f64> {
    column.f64().map(|values| values.into_no_null_iter().collect()).unwrap_or_default()
}

/// `accuracy 98.2 %`; of numbers `loss 0.1234`
fn brief(quality: Quality, task: Task) -> String {
    match task {
        Task::Class | Task::Labels => format!("accuracy {:.1} %", 100.0 * quality.accuracy),
        Task::Numbers => format!("loss {:.4}", quality.loss),
    }
}

/// `train loss 0.1234, accuracy 98.2 %`; of numbers the loss alone.
pub(crate) fn describe(split: &str, quality: Quality, task: Task) -> String {
    match task {
        Task::Class | Task::Labels => format!("{split} loss {:.4}, {}", quality.loss, brief(quality, task)),
        Task::Numbers => format!("{split} {}", brief(quality, task)),
    }
}

/// Three digits: our own paths' values have endless ones.
pub(crate) fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
