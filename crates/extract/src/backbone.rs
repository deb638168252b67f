//! The network that is run: its graph up to the taps, its weights, its engine.

use crate::config::Config;
use anyhow::{Context, Result};
use artifact::{PROBES, Source};
use engine::Cpu;
use network::Bound;

/// A frozen network, ready to run.
pub(crate) struct Backbone {
    engine: Cpu,
    /// What identifies each tap's features, as if it had been extracted alone.
    sources: Vec<Source>,
}

impl Backbone {
    /// Builds the graph, reads the weights, checks both.
    ///
    /// # Errors
    /// Where a tap is unknown, the weights do not fit, or the input is too small for the network.
    pub(crate) fn load(config: &Config) -> Result<Backbone> {
        let entry = config.entry();
        let full = (entry.build)();
        let taps: Vec<&str> = config.taps().map(|(tap, _)| tap).collect();
        let pruned = full.for_taps(&taps)?;
        let Some(file) = entry.open_weights(config.weights())? else {
            unreachable!("Config::new refuses a backbone without weights")
        };
        let bound = Bound::bind(pruned, &full, &file)?;
        let source = |&tap: &&str| {
            let alone = full.for_taps(&[tap])?;
            let weights = bound.digest_of(&alone).context("one tap's graph is part of all taps' graph")?;
            Ok(Source {
                backbone: entry.name.to_owned(),
                tap: tap.to_owned(),
                network: alone.fingerprint(),
                weights,
                preprocessing: config.preprocessing().clone(),
                dtype: config.dtype(),
                engine: engine::REVISION.to_owned(),
            })
        };
        let sources = taps.iter().map(source).collect::<Result<Vec<_>>>()?;
        Ok(Backbone { engine: Cpu::with_isa(bound, config.preprocessing(), config.isa())?, sources })
    }

    /// What identifies each tap's features.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// d of each tap.
    pub(crate) fn widths(&self) -> &[usize] {
        self.engine.widths()
    }

    /// pixels: (n, h, w, 3) RGB bytes as prepared; one (n, d) matrix a tap.
    pub(crate) fn run(&self, pixels: &[u8], n: usize) -> Result<Vec<Vec<f32>>> {
        Ok(self.engine.run(pixels, n)?)
    }

    /// The probes' features, one (4, d) matrix a tap.
    pub(crate) fn probes(&self) -> Result<Vec<Vec<f32>>> {
        let how = &self.sources[0].preprocessing;
        let pixels: Vec<u8> = (0..PROBES).flat_map(|k| dataset::prepare(&dataset::probe(k), how)).collect();
        self.run(&pixels, PROBES)
    }
}
