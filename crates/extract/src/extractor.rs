//! The network that is run: its graph up to the taps, its weights, and what runs it.

use crate::config::Config;
use anyhow::{Context, Result};
use features::NetworkSource;
use network::Shape;
use pipeline::{Embedder, Job, Plan, Take, Times};

/// A frozen network, ready to run.
pub(crate) struct Extractor {
    embedder: Box<dyn Embedder>,
    /// What identifies each tap's features, as if it had been extracted alone.
    sources: Vec<NetworkSource>,
}

impl Extractor {
    /// Builds the graph, reads the weights, checks both; a card is checked as well.
    ///
    /// # Errors
    /// Where a tap is unknown, the weights do not fit, or the input is too small for the network; where a card is not there,
    /// or does not give what the CPU gives.
    pub(crate) fn load(config: &Config) -> Result<Extractor> {
        let found = config.backbone();
        let taps: Vec<&str> = config.taps().map(|(tap, _)| tap).collect();
        let bound = found.bind(&taps)?;
        let source = |&tap: &&str| {
            let alone = found.network.for_taps(&[tap])?;
            let size = config.recipe().picture_size();
            let shape =
                size.map(|(height, width)| alone.unflattened(height as usize, width as usize)).transpose()?;
            let weights = bound.digest_of(&alone).context("one tap's graph is part of all taps' graph")?;
            Ok(NetworkSource {
                backbone: found.name.clone(),
                tap: tap.to_owned(),
                shape: shape.and_then(|each| each[0]).map_or_else(Vec::new, Shape::sides).into(),
                network: alone.fingerprint(),
                weights,
                recipe: config.recipe().clone(),
                dtype: config.dtype(),
                engine: String::new(),
            })
        };
        let mut sources = taps.iter().map(source).collect::<Result<Vec<_>>>()?;
        let plan = Plan {
            recipe: config.recipe(),
            taps: &taps,
            batch: config.batch(),
            views: config.views().map_or(1, |views| views.count as usize),
        };
        let embedder = pipeline::open(bound, config.device(), plan)?;
        sources.iter_mut().for_each(|source| source.engine = embedder.revision().to_owned());
        Ok(Extractor { embedder, sources })
    }

    /// What identifies each tap's features.
    pub(crate) fn sources(&self) -> &[NetworkSource] {
        &self.sources
    }

    /// What runs it.
    pub(crate) fn embedder(&self) -> &dyn Embedder {
        &*self.embedder
    }

    /// As [`Embedder::probes`].
    pub(crate) fn probes(&mut self) -> Result<Vec<Vec<f32>>> {
        self.embedder.probes()
    }

    /// As [`pipeline::run`].
    pub(crate) fn run(&mut self, job: Job<'_>, take: Take<'_>) -> Result<Times> {
        pipeline::run(&mut *self.embedder, job, take)
    }
}
