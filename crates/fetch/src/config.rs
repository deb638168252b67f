//! What the flags and the environment come to, checked once.

use crate::{
    args::Args,
    environment::{Caches, Hub},
    hub::Wanted,
    source::Source,
};
use cli::UsageError;

/// A checked job.
pub(crate) struct Config {
    sources: Vec<Source>,
    wanted: Wanted,
    offline: bool,
    hub: Hub,
    caches: Caches,
}

impl Config {
    /// # Errors
    /// [`UsageError`] where a source or a flag is wrong, or a variable of the environment is.
    pub(crate) fn new(args: Args) -> Result<Config, UsageError> {
        let Args { sources, include, offline, .. } = args;
        let sources = sources.iter().map(|text| Source::parse(text)).collect::<Result<Vec<_>, _>>()?;
        if !include.is_empty() && !sources.iter().any(|source| matches!(source, Source::Hub(_))) {
            return Err(UsageError("--include goes with hf:// sources".to_owned()));
        }
        let hub = Hub::of_environment()?;
        let offline = offline || hub.offline;
        Ok(Config {
            sources,
            wanted: Wanted::new(&include)?,
            offline,
            hub,
            caches: Caches::of_environment()?,
        })
    }

    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Which files of a model.
    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Whether no connection may be opened.
    pub(crate) fn offline(&self) -> bool {
        self.offline
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.hub
    }

    pub(crate) fn caches(&self) -> &Caches {
        &self.caches
    }
}
