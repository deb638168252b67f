//! `--head mlp:UNITS` and `--head attention:QUERIES`: one training run, told epoch by epoch.

use std::ops::ControlFlow;

use anyhow::bail;
use cli::{UsageError, count};
use features::FeatureSet;
use head::{Epoch, Examples, Front, MlpFit, MlpSettings, Optimizer, Schedule, Scorer, Temperature, fit_mlp};
use sample::targets::Task;
use serde_json::Value;
use weights::Places;

use super::{ComparedOn, Kind, Method, MethodResult, require};
use crate::{
    args::{Args, MlpArgs},
    fit::{Fit, HeldOutQuality, LossKind, Model, Told, Tried, column},
    job::Job,
    rows::Part,
};

pub(super) static MLP: Kind = Kind {
    name: "mlp",
    number: Some("UNITS"),
    tasks: &[Task::Class, Task::Labels, Task::Numbers],
    why_not: "",
    flags: FLAGS,
    compared_on: ComparedOn::RowsSetAside,
    auto: &[],
    method: |args, units| trained(args, Wanted::Hidden(units)),
};

pub(super) static ATTENTION: Kind = Kind {
    name: "attention",
    number: Some("QUERIES"),
    method: |args, queries| trained(args, Wanted::Attention(queries)),
    ..MLP
};

/// Those of both.
const FLAGS: &[&str] = &[
    "--class-weight",
    "--logit-adjustment",
    "--no-standardize",
    "--group-column",
    "--calibrate",
    "--epochs",
    "--batch-size",
    "--learning-rate",
    "--dropout",
    "--optimizer",
    "--weight-decay",
    "--schedule",
    "--label-smoothing",
    "--mixup",
    "--patience",
];

/// One in so many train rows is set aside where rows are needed and there are no val rows.
const ASIDE: usize = 10;

/// What is trained step by step.
#[derive(Debug)]
struct Trained {
    front: Wanted,
    settings: MlpSettings,
}

/// What stands before the last layer, as it is asked for.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Hidden(usize),
    Attention(usize),
}

impl Wanted {
    /// As `--head` names it.
    fn name(self) -> String {
        match self {
            Wanted::Hidden(units) => format!("mlp:{units}"),
            Wanted::Attention(queries) => format!("attention:{queries}"),
        }
    }

    /// What is not said otherwise: of a hidden layer the tutorials', of queries those of published probes.
    fn defaults(self) -> MlpSettings {
        match self {
            Wanted::Hidden(_) => MlpSettings::default(),
            Wanted::Attention(_) => MlpSettings {
                epochs: 30,
                optimizer: Optimizer::AdamW,
                schedule: Schedule::Cosine,
                ..MlpSettings::default()
            },
        }
    }

    /// For the rows of these features.
    fn of(self, features: &FeatureSet) -> anyhow::Result<Front> {
        match self {
            Wanted::Hidden(units) => Ok(Front::Hidden(units)),
            Wanted::Attention(queries) => Ok(Front::Attention(queries, places(features)?)),
        }
    }
}

/// What flattened rows are of.
fn places(features: &FeatureSet) -> anyhow::Result<Places> {
    let sources = features.sources();
    let [source] = &sources[..] else {
        bail!("--head attention takes the features of one tap, got {}", sources.len());
    };
    let shape = source.network().map_or(&[][..], |network| &*network.shape);
    match Places::of_sides(shape) {
        Some(of) if of.len() == features.dim() => Ok(of),
        _ if source.network().is_none() => bail!(
            "--head attention takes maps or tokens that extract has read itself, and nothing is known of the rows in `{}`",
            features.names()
        ),
        _ => bail!(
            "`{}` has rows that were pooled already, and --head attention takes all places; \
                rerun extract with --tap NAME:flat, such as layer3:flat",
            features.names()
        ),
    }
}

fn trained(args: &Args, front: Wanted) -> MethodResult {
    Ok(Box::new(Trained { front, settings: settings(args, front.defaults())? }))
}

fn settings(args: &Args, default: MlpSettings) -> Result<MlpSettings, UsageError> {
    let MlpArgs { optimizer, schedule, patience, .. } = args.mlp;
    let optimizer = optimizer.map_or(default.optimizer, Into::into);
    // PyTorch's defaults of AdamW; SGD's steps are of the size of the gradient, and want to be longer.
    let (learning_rate, weight_decay) = match optimizer {
        Optimizer::Adam => (default.learning_rate, 0.0),
        Optimizer::AdamW => (default.learning_rate, 0.01),
        Optimizer::Sgd => (0.01, 0.0),
    };
    if optimizer == Optimizer::Adam && args.mlp.weight_decay.is_some() {
        let adam = "--weight-decay goes with --optimizer adamw or sgd; this one is adam";
        return Err(UsageError(adam.to_owned()));
    }
    let settings = MlpSettings {
        front: default.front,
        epochs: args.mlp.epochs.unwrap_or(default.epochs),
        batch_size: args.mlp.batch_size.unwrap_or(default.batch_size),
        optimizer,
        learning_rate: args.mlp.learning_rate.unwrap_or(learning_rate),
        schedule: schedule.map_or(default.schedule, Into::into),
        weight_decay: args.mlp.weight_decay.unwrap_or(weight_decay),
        dropout: args.mlp.dropout.unwrap_or(default.dropout),
        label_smoothing: args.mlp.label_smoothing.unwrap_or(default.label_smoothing),
        mixup: args.mlp.mixup.unwrap_or(default.mixup),
        patience,
        seed: args.seed,
        standardize: !args.no_standardize,
        class_weights: default.class_weights,
    };
    let part = |value: f64| (0.0..1.0).contains(&value);
    let &MlpSettings { epochs, batch_size, learning_rate, dropout, .. } = &settings;
    let &MlpSettings { weight_decay, label_smoothing, mixup, .. } = &settings;
    require("--epochs", epochs as f64, epochs > 0, "of 1 or more")?;
    require("--batch-size", batch_size as f64, batch_size > 0, "of 1 or more")?;
    require("--learning-rate", learning_rate, learning_rate > 0.0, "above 0")?;
    require("--weight-decay", weight_decay, weight_decay >= 0.0, "of 0 or more")?;
    require("--dropout", dropout, part(dropout), "from 0 to below 1")?;
    require("--label-smoothing", label_smoothing, part(label_smoothing), "from 0 to below 1")?;
    require("--mixup", mixup, mixup >= 0.0, "of 0 or more")?;
    require("--patience", patience.unwrap_or(1) as f64, patience != Some(0), "of 1 or more")?;
    Ok(settings)
}

impl Method for Trained {
    /// Trains; the weights of the last epoch are kept, with patience those of the best. With --keep-best a signal ends the
    /// run after the epoch.
    fn fit(&self, job: &Job<'_>) -> anyhow::Result<Fit> {
        let front = self.front.of(job.features)?;
        let settings =
            &MlpSettings { front, class_weights: job.class_weights.clone(), ..self.settings.clone() };
        let aside = set_aside(settings, job)?;
        let (train, val, held) = match &aside {
            Some((train, val)) => (train, Some(val), "train rows set aside"),
            None => (&job.rows.train, job.rows.val.as_ref(), "val"),
        };
        let (train, val) = (train.examples()?, val.map(Part::examples).transpose()?);
        let MlpFit { pool, mut layers, epochs, kept } = run(settings, &train, val.as_ref(), held, job)?;

        let found = epochs.get(kept.wrapping_sub(1)).and_then(|epoch| epoch.val);
        let mut judged = found.map(|quality| HeldOutQuality::of(held, quality));
        if let (true, Some(val), Some(judged)) = (job.choice.calibrate, &val, &mut judged) {
            let temperature = Temperature::of(&Scorer::of_pooled(pool.as_ref(), &layers), val);
            if let Some(layer) = layers.last_mut() {
                layer.scale(1.0 / temperature.value);
            }
            judged.temperature = Some(temperature);
        }
        let chosen = settings.patience.map(|_| kept.wrapping_sub(1));
        let (mut ending, mut words) = (Vec::new(), format!("{} epochs", epochs.len()));
        if epochs.len() < settings.epochs {
            ending.push(("epochs_run", epochs.len().into()));
        }
        if chosen.is_some() {
            ending.extend([("best_epoch", kept.into()), ("held_out", held.into())]);
            words += &format!(", the best of them {kept}");
        }
        let mut told = recorded(settings, self.front.defaults().schedule);
        if let Some((train, val)) = &aside {
            told.extend([("train_rows", train.rows.len().into()), ("rows_set_aside", val.rows.len().into())]);
        }
        let each = epochs.iter().map(|epoch| Tried { train: Some(epoch.train), held_out: epoch.val });
        let fit = Fit {
            settings: told,
            ending,
            columns: vec![column("epoch", epochs.iter().map(|e| e.epoch as u64).collect::<Vec<u64>>())],
            tried: each.collect(),
            chosen,
            judged,
            words,
            ..Fit::new(
                &self.front.name(),
                Model::Layers(pool, layers),
                LossKind::of_outputs(job),
                Told::Epochs { aside: aside.is_some() },
            )
        };
        fit.finish(&train, job)
    }
}

/// The train rows without those that are set aside, and these; none where val rows serve, or no rows are needed.
fn set_aside<'a>(settings: &MlpSettings, job: &Job<'a>) -> anyhow::Result<Option<(Part<'a>, Part<'a>)>> {
    let needed = settings.patience.is_some() || job.choice.calibrate || job.compare;
    if !needed || (job.rows.val.is_some() && job.choice.groups.is_none()) {
        return Ok(None);
    }
    let folds = job.folds(ASIDE)?;
    let parts = job.rows.train.divide(job.features, |row| folds.of(row) == Some(0));
    job.session.detail(format!("{} of the train rows are set aside", count(parts.1.rows.len() as u64)));
    Ok(Some(parts))
}

fn run(
    settings: &MlpSettings,
    train: &Examples<'_>,
    val: Option<&Examples<'_>>,
    held: &str,
    job: &Job<'_>,
) -> anyhow::Result<MlpFit> {
    let (session, interrupt) = (job.session, job.interrupt);
    let progress = session.progress(settings.epochs as u64, "epoch");
    let line = |epoch: &Epoch| {
        let val = epoch.val.map(|val| format!("; {}", job.describe(held, val))).unwrap_or_default();
        format!("epoch {}/{}: {}{val}", epoch.epoch, settings.epochs, job.describe("train", epoch.train))
    };
    let fit = fit_mlp(train, val, settings, |epoch| {
        progress.advance(1);
        session.note(line(epoch));
        if !interrupt.asked() {
            return ControlFlow::Continue(());
        }
        session.note("fit-head: asked to stop: the weights so far are taken");
        ControlFlow::Break(())
    })?;
    Ok(fit)
}

/// What is not said is as the defaults have it.
fn recorded(settings: &MlpSettings, usual: Schedule) -> Vec<(&'static str, Value)> {
    let &MlpSettings { optimizer, schedule, weight_decay, label_smoothing, mixup, patience, .. } = settings;
    let optimizer_name = match optimizer {
        Optimizer::Adam => "adam",
        Optimizer::AdamW => "adamw",
        Optimizer::Sgd => "sgd",
    };
    let mut recorded: Vec<(&'static str, Value)> = vec![
        ("optimizer", optimizer_name.into()),
        ("epochs", settings.epochs.into()),
        ("batch_size", settings.batch_size.into()),
        ("learning_rate", settings.learning_rate.into()),
        ("dropout", settings.dropout.into()),
        ("seed", settings.seed.into()),
    ];
    match schedule {
        Schedule::Constant if usual == Schedule::Constant => (),
        Schedule::Constant => recorded.push(("schedule", "constant".into())),
        Schedule::Cosine => recorded.push(("schedule", "cosine".into())),
        Schedule::OneCycle => recorded.push(("schedule", "one-cycle".into())),
    }
    if optimizer != Optimizer::Adam {
        recorded.push(("weight_decay", weight_decay.into()));
    }
    let mixed = [("label_smoothing", label_smoothing), ("mixup", mixup)];
    recorded.extend(
        mixed.into_iter().filter(|(_, value)| *value > 0.0).map(|(name, value)| (name, value.into())),
    );
    recorded.extend(patience.map(|patience| ("patience", patience.into())));
    recorded
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn defaults_are_those_the_help_states() {
        let of = |head: &str, front: Wanted, flags: &[&str]| {
            let args = [&["fit-head", "x.features", "-o", "x.head", "--head", head], flags].concat();
            super::settings(&Args::try_parse_from(args).unwrap(), front.defaults()).unwrap()
        };
        let settings = |flags: &[&str]| of("mlp:7", Wanted::Hidden(7), flags);
        let plain = settings(&[]);
        assert_eq!((plain.epochs, plain.batch_size), (10, 32));
        assert_eq!((plain.learning_rate, plain.dropout, plain.seed), (1e-3, 0.0, 0));
        assert!(plain.standardize);
        assert_eq!(plain, MlpSettings::default());
        let sgd = settings(&["--optimizer", "sgd"]);
        assert_eq!((sgd.learning_rate, sgd.weight_decay), (0.01, 0.0));
        let attention = of("attention:2", Wanted::Attention(2), &[]);
        assert_eq!((attention.epochs, attention.optimizer), (30, Optimizer::AdamW));
        assert_eq!((attention.schedule, attention.weight_decay), (Schedule::Cosine, 0.01));
    }
}
