//! The network that is run: its graph up to the taps, its weights, and what runs it.

use crate::{
    config::Config,
    pipeline::{self, Job, Take},
    place::Place,
    runner::{Runner, probe_pixels},
    times::Times,
};
use anyhow::{Context, Result};
use artifact::{PROBES, Source};
use engine::{Cpu, Isa};
use weights::Bound;

/// Pictures of a batch on the CPU, unless told otherwise.
const BATCH: usize = 32;

/// A frozen network, ready to run.
pub(crate) struct Backbone {
    runner: Box<dyn Runner>,
    /// What identifies each tap's features, as if it had been extracted alone.
    sources: Vec<Source>,
}

impl Backbone {
    /// Builds the graph, reads the weights, checks both; a card is checked as well.
    ///
    /// # Errors
    /// Where a tap is unknown, the weights do not fit, or the input is too small for the network; where a card is not there,
    /// or does not give what the CPU gives.
    pub(crate) fn load(config: &Config) -> Result<Backbone> {
        let entry = config.entry();
        let full = (entry.build)();
        let taps: Vec<&str> = config.taps().map(|(tap, _)| tap).collect();
        let pruned = full.for_taps(&taps)?;
        let Some(file) = weights::open_for(entry, config.weights())? else {
            unreachable!("Config::new refuses a backbone without weights")
        };
        let bound = Bound::bind(pruned, &full, &*file)?;
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
                engine: String::new(),
            })
        };
        let mut sources = taps.iter().map(source).collect::<Result<Vec<_>>>()?;
        let runner: Box<dyn Runner> = match config.place() {
            Place::Cpu(isa) => Box::new(OnCpu::new(bound, config, *isa)?),
            #[cfg(feature = "cuda")]
            Place::Cards(cards, precision) => crate::cards::open(&bound, config, cards, *precision)?,
            #[cfg(not(feature = "cuda"))]
            Place::Cards(..) => unreachable!("Config::new refuses cards in a build without CUDA"),
        };
        sources.iter_mut().for_each(|source| source.engine = runner.revision());
        Ok(Backbone { runner, sources })
    }

    /// What identifies each tap's features.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// What runs it.
    pub(crate) fn runner(&self) -> &dyn Runner {
        &*self.runner
    }

    /// As [`Runner::run`].
    pub(crate) fn run(&mut self, job: Job<'_>, take: Take<'_>) -> Result<Times> {
        self.runner.run(job, take)
    }
}

struct OnCpu {
    cpu: Cpu,
    batch: usize,
    probes: Vec<u8>,
}

impl OnCpu {
    fn new(bound: Bound, config: &Config, isa: Isa) -> Result<OnCpu> {
        let cpu = Cpu::with_isa(bound, config.preprocessing(), isa)?;
        let (batch, probes) = (config.batch().unwrap_or(BATCH), probe_pixels(config.preprocessing()));
        Ok(OnCpu { cpu, batch, probes })
    }
}

impl Runner for OnCpu {
    fn revision(&self) -> String {
        engine::REVISION.to_owned()
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn widths(&self) -> &[usize] {
        self.cpu.widths()
    }

    fn probes(&self) -> Result<Vec<Vec<f32>>> {
        Ok(self.cpu.run(&self.probes, PROBES)?)
    }

    fn run(&mut self, job: Job<'_>, take: Take<'_>) -> Result<Times> {
        pipeline::run(&self.cpu, job, self.batch, take)
    }
}
