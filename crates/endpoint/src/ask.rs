//! Many texts: several requests at a time, again where a server is busy, in halves where it refuses some.

use crate::{
    Endpoint, EndpointError, Journal,
    endpoint::Failure,
    gate::{self, Gate},
    reply::Reply,
};
use features::{PROBES_TOLERANCE, probes_apart};
use http::Patience;
use input::text::PROBES;
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Sender},
    },
    thread,
    time::Duration,
};
use store::Digest;

/// Whoever asks an endpoint, and keeps its answers.
pub struct Asker<'a> {
    endpoint: &'a Endpoint,
    journal: Mutex<Journal>,
    limits: Limits,
    /// Is told of every wait, and why.
    waits: &'a (dyn Fn(Duration, &EndpointError) + Sync),
    /// Set from outside, once no more is to be asked.
    interrupt: &'a AtomicBool,
    gate: Gate,
}

/// How much is asked at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Texts of a request.
    pub batch: usize,
    /// Requests at a time.
    pub concurrency: usize,
}

/// A text without an answer.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Of the text.
    pub digest: Digest,
    /// What it is called by whoever reads it.
    pub text: usize,
}

/// What became of some texts.
#[derive(Debug)]
pub enum Event {
    /// They were answered, and the answers are on the disk.
    Answered {
        /// How many.
        texts: usize,
        /// Tokens that the server counts, 0 where it does not.
        tokens: u64,
    },
    /// One is refused.
    Refused {
        /// [`Wanted::text`].
        text: usize,
        /// What the server says.
        why: EndpointError,
    },
}

/// What comes of a question, however often it had to be asked.
enum Outcome {
    Answered(Reply),
    Refused(EndpointError),
    /// All is over.
    Over,
}

/// What the threads of one run share.
struct Run<'a, E> {
    asker: &'a Asker<'a>,
    wanted: &'a [Wanted],
    read: &'a (dyn Fn(usize) -> Result<String, E> + Sync),
    /// The first text that nobody has taken.
    next: AtomicUsize,
    /// Texts of a request, as many as the server was seen to take.
    batch: AtomicUsize,
    /// Set once something has failed.
    failed: AtomicBool,
}

/// A text on its way.
struct Taken {
    wanted: Wanted,
    text: String,
}

impl<'a> Asker<'a> {
    /// `waits` is told of every wait, and why. Once `interrupt` is set, no more is asked.
    pub fn new(
        endpoint: &'a Endpoint,
        journal: Journal,
        limits: Limits,
        waits: &'a (dyn Fn(Duration, &EndpointError) + Sync),
        interrupt: &'a AtomicBool,
    ) -> Asker<'a> {
        Asker { endpoint, journal: Mutex::new(journal), limits, waits, interrupt, gate: Gate::default() }
    }

    /// The answers, once all is asked.
    pub fn into_journal(self) -> Journal {
        self.journal.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the four made-up sentences, and gives their features, (4, d), as they were answered first; and tokens. `None` where
    /// it was interrupted.
    ///
    /// # Errors
    /// Where they are answered otherwise than before, or not at all.
    pub fn probes(&self) -> Result<Option<(Vec<f32>, u64)>, EndpointError> {
        let Reply { rows, tokens } = match self.patiently(&PROBES, &[self.interrupt])? {
            Outcome::Answered(reply) => reply,
            Outcome::Refused(why) => return Err(why),
            Outcome::Over => return Ok(None),
        };
        let mut journal = self.journal();
        let (model, got) = (self.endpoint.model().name.clone(), rows[0].len());
        if let Some(expected) = journal.width().filter(|width| *width != got) {
            return Err(EndpointError::Width { model, expected, got });
        }
        let (mut first, mut new) = (Vec::new(), Vec::new());
        for (text, row) in PROBES.iter().zip(&rows) {
            let digest = Digest::of(text.as_bytes());
            match journal.row(&digest)? {
                Some(known) => first.extend(known),
                None => {
                    first.extend(row);
                    new.push((digest, &row[..]));
                }
            }
        }
        let apart = probes_apart(&first, &rows.concat());
        if apart > PROBES_TOLERANCE {
            let path = journal.path().to_owned();
            return Err(EndpointError::Changed { model, apart, most: PROBES_TOLERANCE, path });
        }
        if !new.is_empty() {
            journal.append(new)?;
        }
        Ok(Some((first, tokens)))
    }

    /// Asks for all texts that are wanted, each once. `read` gives a text; `took` hears what became of each, in any order.
    ///
    /// An interrupted run ends without an error: `took` has heard of fewer texts.
    ///
    /// # Errors
    /// The first error of the endpoint, of `read` or of `took`. What was answered by then is kept.
    pub fn ask<E: From<EndpointError> + Send>(
        &self,
        wanted: &[Wanted],
        read: &(dyn Fn(usize) -> Result<String, E> + Sync),
        took: &mut dyn FnMut(Event) -> Result<(), E>,
    ) -> Result<(), E> {
        let Limits { batch, concurrency } = self.limits;
        let run = Run {
            asker: self,
            wanted,
            read,
            next: AtomicUsize::new(0),
            batch: AtomicUsize::new(batch.max(1)),
            failed: AtomicBool::new(false),
        };
        let threads = concurrency.min(wanted.len().div_ceil(batch.max(1)));
        let mut outcome = Ok(());
        thread::scope(|scope| {
            let (sender, events) = mpsc::channel();
            for _ in 0..threads {
                let (run, sender) = (&run, sender.clone());
                let spawned = thread::Builder::new().spawn_scoped(scope, move || run.work(&sender));
                if let Err(error) = spawned {
                    run.failed.store(true, Ordering::Relaxed);
                    outcome = Err(EndpointError::Thread(error).into());
                }
            }
            drop(sender);
            for event in events {
                let heard = event.and_then(&mut *took);
                if let (Err(error), Ok(())) = (heard, &outcome) {
                    run.failed.store(true, Ordering::Relaxed);
                    outcome = Err(error);
                }
            }
        });
        outcome
    }

    /// Asks until there is an answer.
    fn patiently(&self, texts: &[&str], over: &[&AtomicBool]) -> Result<Outcome, EndpointError> {
        let mut patience = Patience::default();
        loop {
            if !self.gate.pass(over) {
                return Ok(Outcome::Over);
            }
            let (why, asked) = match self.endpoint.ask(texts) {
                Ok(reply) => return Ok(Outcome::Answered(reply)),
                Err(Failure::Refused(why)) => return Ok(Outcome::Refused(why)),
                Err(Failure::Final(why)) => return Err(why),
                Err(Failure::Passing(why, asked)) => (why, asked),
            };
            let Some(wait) = patience.wait(asked) else { return Err(why) };
            (self.waits)(wait, &why);
            if asked.is_some() {
                // It means everybody.
                self.gate.close(wait);
            }
            if !gate::sleep(wait, over) {
                return Ok(Outcome::Over);
            }
        }
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: From<EndpointError> + Send> Run<'_, E> {
    /// What one thread does.
    fn work(&self, sender: &Sender<Result<Event, E>>) {
        while !self.over().iter().any(|over| over.load(Ordering::Relaxed)) {
            let size = self.batch.load(Ordering::Relaxed);
            let start = self.next.fetch_add(size, Ordering::Relaxed);
            let Some(rest) = self.wanted.get(start..).filter(|rest| !rest.is_empty()) else { return };
            if let Err(error) = self.one(&rest[..size.min(rest.len())], sender) {
                self.failed.store(true, Ordering::Relaxed);
                // Nobody listens where the run is over.
                let _ = sender.send(Err(error));
            }
        }
    }

    fn one(&self, wanted: &[Wanted], sender: &Sender<Result<Event, E>>) -> Result<(), E> {
        let take = |wanted: &Wanted| Ok(Taken { wanted: *wanted, text: (self.read)(wanted.text)? });
        let taken = wanted.iter().map(take).collect::<Result<Vec<_>, E>>()?;
        self.halved(&taken, sender)?;
        Ok(())
    }

    /// Asks for these texts together, or for each half where they are refused; how many are refused.
    fn halved(&self, taken: &[Taken], sender: &Sender<Result<Event, E>>) -> Result<usize, EndpointError> {
        let texts: Vec<&str> = taken.iter().map(|taken| taken.text.as_str()).collect();
        let reply = match (self.asker.patiently(&texts, &self.over())?, taken) {
            (Outcome::Over, _) => return Ok(0),
            (Outcome::Answered(reply), _) => reply,
            (Outcome::Refused(why), [one]) => {
                let _ = sender.send(Ok(Event::Refused { text: one.wanted.text, why }));
                return Ok(1);
            }
            (Outcome::Refused(_), _) => {
                let (first, second) = taken.split_at(taken.len().div_ceil(2));
                let refused = self.halved(first, sender)? + self.halved(second, sender)?;
                if refused == 0 {
                    // No text was at fault: they were too many.
                    self.batch.fetch_min(first.len(), Ordering::Relaxed);
                }
                return Ok(refused);
            }
        };
        let rows = taken.iter().zip(&reply.rows).map(|(taken, row)| (taken.wanted.digest, &row[..]));
        self.asker.journal().append(rows)?;
        let _ = sender.send(Ok(Event::Answered { texts: taken.len(), tokens: reply.tokens }));
        Ok(0)
    }

    fn over(&self) -> [&AtomicBool; 2] {
        [self.asker.interrupt, &self.failed]
    }
}
