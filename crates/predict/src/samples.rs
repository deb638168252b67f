//! Samples through networks, some at a time: a row is there as soon as its sample is done.

use crate::{config::Config, from_features::TOO_LARGE, row::Row};
use anyhow::Result;
use cli::{GateError, Session, UsageError, count};
use head::Head;
use input::Recipe;
use model::{Judge, Layout, Model, ModelError, Tower, Verdict, check_probes};
use pipeline::{Assignment, Device, Embedder, Job, Plan, Remarks, Reuse, SampleRun};
use sample::{DataSet, Sample};
use std::sync::atomic::{AtomicBool, Ordering};

/// Samples that go through one of several networks before they go through the next.
const TOGETHER: usize = 256;

/// A model whose networks are ready, and the samples that it is asked about.
pub(crate) struct Runner {
    head: Head,
    judge: Judge,
    layout: Layout,
    networks: Vec<Running>,
    data: DataSet,
    /// What was noticed of pictures that have predictions all the same.
    pub(crate) remarks: Remarks,
}

/// A network that is ready.
struct Running {
    embedder: Box<dyn Embedder>,
    recipe: Recipe,
    device: Device,
}

/// What becomes of rows; whether more are wanted.
type Take<'a> = &'a mut dyn FnMut(Vec<Row>) -> Result<bool>;

impl Runner {
    /// Lists the samples, and opens the model.
    ///
    /// # Errors
    /// Where samples or model cannot be had.
    pub(crate) fn open(config: &Config, session: &Session) -> Result<Runner> {
        if let Some(why) = &config.no_card {
            session.note(format!("predict: {why}; runs on the CPU"));
        }
        let Model { head, towers } =
            Model::open(&config.model, &config.weights).map_err(|error| told(error, config))?;
        let is_of_texts = |tower: &Tower| matches!(tower.recipe, Recipe::Text(_));
        let data = DataSet::open_inputs(&config.samples(towers.iter().any(is_of_texts))?)?;
        let layout = Layout::new(&head, &towers)?;
        let open = |tower| open(&head, tower, config);
        let networks = towers.into_iter().map(open).collect::<Result<Vec<_>>>()?;
        for Running { embedder, recipe, device } in &networks {
            session.detail(format!(
                "predict: the network runs on {}, {} {}s at a time",
                device.opened(embedder.revision()),
                count(embedder.batch() as u64),
                recipe.noun()
            ));
        }
        session.detail(format!("predict: {} samples", count(data.samples.len() as u64)));
        Ok(Runner { judge: Judge::of(&head)?, head, layout, networks, data, remarks: Remarks::default() })
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Hands the rows of all samples to `take`, in the order of their ids, then those of samples without a usable name; until it
    /// wants no more.
    ///
    /// # Errors
    /// The first error of a network or of `take`; [`GateError`] where a network does not give what the head was fitted on, before
    /// any row.
    pub(crate) fn run(&mut self, session: &Session, is_stdout: bool, take: Take<'_>) -> Result<()> {
        let (samples, over) = (std::mem::take(&mut self.data.samples), AtomicBool::new(false));
        {
            let shown = if is_stdout { 0 } else { samples.len() as u64 };
            let progress = (!is_stdout).then(|| session.progress(shown, self.networks[0].recipe.noun()));
            let mut take = |rows: Vec<Row>| {
                progress.iter().for_each(|progress| progress.advance(rows.len() as u64));
                if !take(rows)? {
                    over.store(true, Ordering::Relaxed);
                }
                Ok(())
            };
            if self.networks.len() == 1 {
                self.run_one(&samples, &over, &mut take)?;
            } else {
                for samples in samples.chunks(TOGETHER) {
                    if !over.load(Ordering::Relaxed) {
                        self.run_several(samples, &over, &mut take)?;
                    }
                }
            }
        }
        let skipped = std::mem::take(&mut self.data.skipped).into_iter();
        let rows = skipped.map(|skipped| Row { id: skipped.id, said: Err(skipped.reason) }).collect();
        if !over.load(Ordering::Relaxed) {
            take(rows)?;
        }
        Ok(())
    }

    /// Through the only network.
    fn run_one(
        &mut self,
        samples: &[Sample],
        over: &AtomicBool,
        take: &mut dyn FnMut(Vec<Row>) -> Result<()>,
    ) -> Result<()> {
        let Runner { head, judge, layout, networks, remarks, .. } = self;
        through(&mut networks[0], samples, over, &mut |first, batch, engine| {
            check(head, layout, 0, engine, &batch)?;
            note(remarks, samples, &batch);
            let mut gathered = Gathered::new(layout.dim(), first..first + batch.size);
            gathered.add(layout, 0, batch);
            take(gathered.judged(judge, samples))
        })
    }

    /// Through each of several networks.
    fn run_several(
        &mut self,
        samples: &[Sample],
        over: &AtomicBool,
        take: &mut dyn FnMut(Vec<Row>) -> Result<()>,
    ) -> Result<()> {
        let Runner { head, judge, layout, networks, remarks, .. } = self;
        let mut gathered = Gathered::new(layout.dim(), 0..samples.len());
        for (at, network) in networks.iter_mut().enumerate() {
            through(network, samples, over, &mut |_, batch, engine| {
                check(head, layout, at, engine, &batch)?;
                // Once, whatever the number of networks.
                if at == 0 {
                    note(remarks, samples, &batch);
                }
                gathered.add(layout, at, batch);
                Ok(())
            })?;
        }
        // A reader that has gone wants no half of them.
        if over.load(Ordering::Relaxed) { Ok(()) } else { take(gathered.judged(judge, samples)) }
    }
}

/// Gets a tower's network ready.
fn open(head: &Head, tower: Tower, config: &Config) -> Result<Running> {
    let Tower { bound, recipe, sources } = tower;
    let names: Vec<String> = sources.iter().map(|&source| head.sources[source].name()).collect();
    let taps: Vec<&str> = names.iter().map(String::as_str).collect();
    let plan = Plan { recipe: &recipe, taps: &taps, batch: config.batch, views: 1 };
    let device = config.device_for(&recipe)?;
    let mut embedder = pipeline::open(bound, &device, plan)?;
    embedder.ask_probes();
    Ok(Running { embedder, recipe, device })
}

/// Holds the probes against the head's, where they come with this batch.
fn check(head: &Head, layout: &Layout, tower: usize, engine: &str, batch: &SampleRun) -> Result<()> {
    let Some(probes) = &batch.probes else { return Ok(()) };
    check_probes(head, layout, tower, engine, probes).map_err(|error| GateError(error.to_string()).into())
}

/// Gives `with` the first sample of each batch, the batch, and the engine's name, in the samples' order.
fn through(
    network: &mut Running,
    samples: &[Sample],
    over: &AtomicBool,
    with: &mut dyn FnMut(usize, SampleRun, &str) -> Result<()>,
) -> Result<()> {
    let job = Job {
        samples,
        recipe: &network.recipe,
        assignment: &Assignment { grows: true, ..Assignment::default() },
        reuse: &Reuse::default(),
        interrupt: over,
    };
    let (mut first, engine) = (0, network.embedder.revision().to_owned());
    pipeline::run(&mut *network.embedder, job, &mut |batch| {
        let at = first;
        first += batch.size;
        with(at, batch, &engine)
    })?;
    Ok(())
}

fn note(remarks: &mut Remarks, samples: &[Sample], batch: &SampleRun) {
    batch.noticed.iter().for_each(|&(at, noticed)| remarks.add(&samples[at].id, noticed));
}

/// The features of a run of samples, as far as networks have given them.
struct Gathered {
    first: usize,
    dim: usize,
    /// (samples, d)
    rows: Vec<f32>,
    /// Why a sample has none.
    bad: Vec<Option<String>>,
}

impl Gathered {
    fn new(dim: usize, samples: std::ops::Range<usize>) -> Gathered {
        let n = samples.len();
        Gathered { first: samples.start, dim, rows: vec![0.0; n * dim], bad: vec![None; n] }
    }

    /// Takes what a tower made of a batch.
    fn add(&mut self, layout: &Layout, tower: usize, batch: SampleRun) {
        for (at, seen) in batch.good.iter().enumerate() {
            let row = seen.sample - self.first;
            layout.put(tower, &batch.features, at, &mut self.rows[row * self.dim..][..self.dim]);
        }
        for (sample, reason) in batch.bad {
            self.bad[sample - self.first] = Some(reason.to_string());
        }
    }

    /// What is said of each.
    fn judged(self, judge: &Judge, samples: &[Sample]) -> Vec<Row> {
        // Zeros of a bad sample are judged too, and nobody hears of it.
        let verdicts = self.bad.into_iter().zip(judge.of_rows(&self.rows));
        let said = |(sample, (bad, verdict)): (&Sample, (Option<String>, Option<Verdict>))| Row {
            id: sample.id.clone(),
            said: bad.map_or_else(|| verdict.ok_or_else(|| TOO_LARGE.to_owned()), Err),
        };
        samples[self.first..].iter().zip(verdicts).map(said).collect()
    }
}

/// What would mend it, where flags would.
fn told(error: ModelError, config: &Config) -> anyhow::Error {
    match error {
        ModelError::Given { .. } | ModelError::Endpoint { .. } => {
            let model = config.model.display();
            anyhow::Error::from(error).context(format!("`{model}` takes features only; give it those"))
        }
        error if error.is_usage() => UsageError(error.to_string()).into(),
        error => error.into(),
    }
}
