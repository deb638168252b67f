//! The outputs while the network runs: whoever ends the run, at a signal, leaves what is done to the next one.

use crate::outputs::Outputs;
use anyhow::Result;
use cli::{Interrupt, Interrupted, count};
use pipeline::SampleRun;
use sample::DataSet;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Batches that were begun have so long to end, once a signal has come. Those of large networks need longer: their pictures
/// are run anew.
const TIME: Duration = Duration::from_millis(500);

/// Outputs that still grow.
#[derive(Clone)]
pub(crate) struct UnderWay(Arc<Mutex<State>>);

struct State {
    /// Nothing once they were finished, or left to the next run.
    outputs: Option<Outputs>,
    /// Samples that were seen.
    done: usize,
    all: usize,
}

impl UnderWay {
    /// `all`: how many samples there are.
    pub(crate) fn new(outputs: Outputs, all: usize) -> UnderWay {
        UnderWay(Arc::new(Mutex::new(State { outputs: Some(outputs), done: 0, all })))
    }

    /// From here on a signal asks the run to stop, and stops it where that takes too long.
    pub(crate) fn listen(&self) -> Interrupt {
        let own = self.clone();
        Interrupt::listen_for(TIME, move || match own.suspend() {
            Ok(interrupted) => interrupted.0,
            Err(error) => format!("interrupted, and {error:#}"),
        })
    }

    /// Appends a batch's rows.
    ///
    /// # Errors
    /// Where the disk is full, or the run was stopped meanwhile.
    pub(crate) fn push(&self, data: &DataSet, batch: &SampleRun) -> Result<()> {
        let mut state = self.state();
        let Some(outputs) = &mut state.outputs else { return Err(state.interrupted().into()) };
        outputs.push(data, batch)?;
        state.done += batch.size;
        Ok(())
    }

    /// Whether there is nothing left to run.
    pub(crate) fn is_done(&self) -> bool {
        let state = self.state();
        state.done == state.all
    }

    /// Leaves what was written to the next run.
    ///
    /// # Errors
    /// Where the disk is full.
    pub(crate) fn suspend(&self) -> Result<Interrupted> {
        let mut state = self.state();
        if let Some(outputs) = state.outputs.take() {
            outputs.suspend()?;
        }
        Ok(state.interrupted())
    }

    /// The outputs, which are to be finished.
    ///
    /// # Errors
    /// Where the run was stopped meanwhile.
    pub(crate) fn take(&self) -> Result<Outputs, Interrupted> {
        let mut state = self.state();
        state.outputs.take().ok_or_else(|| state.interrupted())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn interrupted(&self) -> Interrupted {
        let (done, all) = (count(self.done as u64), count(self.all as u64));
        Interrupted(format!("interrupted after {done} of {all} images; run the same command again to go on"))
    }
}
