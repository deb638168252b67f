//! What the flags come to, checked once.

use super::PREFIX;
use crate::{
    args::Args,
    config::{name_outputs, shard_bytes},
    samples::SampleConfig,
};
use cli::UsageError;
use endpoint::{Key, Limits, Model, Settings};
use input::image::{Decode, Grey16};
use pipeline::DeviceName;
use std::{env, ops::RangeInclusive, path::PathBuf, time::Duration};
use store::Dtype;

/// Who serves models, where nothing is said.
const BASE: &str = "https://api.openai.com/v1";
/// The variable that its own library reads.
const KEY: &str = "OPENAI_API_KEY";
/// Longer than any model's name.
const MOST_NAME: usize = 200;

/// A checked job.
pub(super) struct RemoteConfig {
    pub(super) samples: SampleConfig,
    pub(super) output: PathBuf,
    pub(super) model: Model,
    pub(super) limits: Limits,
    /// Of a million tokens, in US dollars.
    pub(super) price: Option<f64>,
    /// What may be spent, in US dollars.
    pub(super) most: Option<f64>,
    /// The folder of all answers.
    pub(super) answers: PathBuf,
    pub(super) dtype: Dtype,
    pub(super) shard_bytes: usize,
    pub(super) force: bool,
    base: String,
    key: Key,
    timeout: Duration,
}

impl RemoteConfig {
    /// # Errors
    /// [`UsageError`] where flags are wrong or do not go together.
    pub(super) fn new(model: &str, mut args: Args) -> Result<RemoteConfig, UsageError> {
        let usage = |text: String| Err(UsageError(text));
        if let Some(flag) = of_networks(&args) {
            return usage(format!(
                "{flag} does not go with --backbone {PREFIX}MODEL, which is sent texts as they are"
            ));
        }
        if args.update || !args.reuse.is_empty() {
            let flag = if args.update { "--update" } else { "--reuse" };
            return usage(format!(
                "{flag} goes with networks; answers of an endpoint are kept, so --force asks for none twice"
            ));
        }
        if model.trim().is_empty() || model.chars().count() > MOST_NAME || model.contains(char::is_control) {
            return usage(format!("--backbone {PREFIX}MODEL takes a name of 1 to {MOST_NAME} characters"));
        }
        let Some(output) = args.output.take() else { return usage("-o is required".to_owned()) };
        name_outputs(&output, &[String::new()])?;
        let given = std::mem::take(&mut args.endpoint);
        let batch = within("--batch", args.batch, 1..=2048, 64)?;
        let concurrency = within("--concurrency", given.concurrency, 1..=256, 4)?;
        let timeout = within("--timeout", given.timeout, 1..=86_400, 600)?;
        let dimensions =
            given.dimensions.map(|n| within("--dimensions", Some(n), 1..=65_536, n)).transpose()?;
        for (flag, value) in
            [("--price-per-million", given.price_per_million), ("--max-cost", given.max_cost)]
        {
            if value.is_some_and(|value| !value.is_finite() || value < 0.0) {
                return usage(format!("{flag} takes US dollars, such as 0.02"));
            }
        }
        if given.max_cost.is_some() && given.price_per_million.is_none() {
            return usage(
                "--max-cost needs --price-per-million, as the server's price list has it".to_owned(),
            );
        }
        let answers = match given.answers {
            Some(folder) => folder,
            None => cli::cache()?.join("headstart").join("answers"),
        };
        Ok(RemoteConfig {
            samples: SampleConfig::new(&mut args, &output, true)?,
            output,
            model: Model { name: model.to_owned(), dimensions },
            limits: Limits { batch, concurrency },
            price: given.price_per_million,
            most: given.max_cost,
            answers,
            dtype: args.dtype,
            shard_bytes: shard_bytes(args.shard_size)?,
            force: args.force,
            base: given.base_url.unwrap_or_else(|| BASE.to_owned()),
            key: key(given.key_env)?,
            timeout: Duration::from_secs(timeout),
        })
    }

    /// Who is asked.
    pub(super) fn endpoint(&self) -> Settings<'_> {
        let (model, key) = (self.model.clone(), self.key.clone());
        Settings { base: &self.base, model, key, timeout: self.timeout }
    }
}

/// The key, from the variable that was named, or OpenAI's. Nothing says what it is.
fn key(named: Option<String>) -> Result<Key, UsageError> {
    let is_named = named.is_some();
    let variable = named.unwrap_or_else(|| KEY.to_owned());
    let is_name = !variable.is_empty() && variable.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    if !is_name {
        // It may be the key itself.
        return Err(UsageError("--key-env takes the name of a variable, such as OPENAI_API_KEY".to_owned()));
    }
    let word = env::var_os(&variable).map(|word| word.to_string_lossy().trim().to_owned());
    let word = word.filter(|word| !word.is_empty());
    if is_named && word.is_none() {
        return Err(UsageError("--key-env names a variable that is not set".to_owned()));
    }
    Ok(Key { variable, word })
}

fn within<T: PartialOrd + std::fmt::Display>(
    flag: &str,
    value: Option<T>,
    range: RangeInclusive<T>,
    usual: T,
) -> Result<T, UsageError> {
    let value = value.unwrap_or(usual);
    match range.contains(&value) {
        true => Ok(value),
        false => {
            let (first, last) = (range.start(), range.end());
            Err(UsageError(format!("{flag} takes a number from {first} to {last}, got {value}")))
        }
    }
}

/// The first flag that only a network here has use for.
fn of_networks(args: &Args) -> Option<&'static str> {
    let given = [
        ("--weights", args.weights.is_some()),
        ("--offline", args.offline),
        ("--tap", !args.taps.is_empty()),
        ("--preprocess", args.preprocess.is_some()),
        ("--resize", args.resize.is_some()),
        ("--crop", args.crop.is_some()),
        ("--filter", args.filter.is_some()),
        ("--decode", args.decode != Decode::Exact),
        ("--grey16", args.grey16 != Grey16::Clip),
        ("--channels", args.channels.is_some()),
        ("--divisor", args.divisor.is_some()),
        ("--mean", args.mean.is_some()),
        ("--std", args.std.is_some()),
        ("--text-column-2", args.text_column_2.is_some()),
        ("--max-tokens", args.max_tokens.is_some()),
        ("--window", args.window.is_some()),
        ("--views", args.views != 1),
        ("--augment", args.augment.is_some()),
        ("--seed", args.seed.is_some()),
        ("--device", args.device != DeviceName::Auto && args.device != DeviceName::Cpu),
        ("--precision", args.precision.is_some()),
        ("--isa", args.isa.is_some()),
    ];
    given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
}
