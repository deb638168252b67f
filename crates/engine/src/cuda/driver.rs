//! A real card, through NVIDIA's driver. libcuda.so.1 is opened when the first card is asked for: where it is missing, that
//! is an error like any other, and the rest of the program runs.
//!
//! **Invariant:** whatever lives on a card (memory, events, recordings) holds its [`Context`], so that it may outlive the
//! [`Driver`] that it came from; and every call first makes that context the thread's own, so that all of it may be moved
//! between threads.

mod built;
mod context;
mod kernels;
mod owned;

use super::{Address, Card, CardError, Description, Launch, Queue};
use context::{Context, failed};
use cudarc::driver::{result, sys};
use kernels::Kernels;
use owned::{Event, Memory, Recording, Staging, Stream};
use std::cell::Cell;
use std::sync::Arc;

/// One of NVIDIA's cards.
pub struct Driver {
    // In the order in which they are given back: streams wait for what is in them before the kernels go.
    copies: Stream,
    work: Stream,
    kernels: Kernels,
    /// Kernels are only got ready, not run: a recording is about to be made.
    rehearsing: Cell<bool>,
    context: Arc<Context>,
}

impl Driver {
    /// What card `index` is, in the driver's order, without beginning to use it.
    ///
    /// # Errors
    /// [`CardError::Absent`] where there is no such card or no driver, or where one of them is too old.
    pub fn look_at(index: usize) -> Result<Description, CardError> {
        context::check(index).map(|(_, description)| description)
    }

    /// Card `index`, in the driver's order, with our kernels.
    ///
    /// # Errors
    /// [`CardError::Absent`] where there is no such card or no driver, or where one of them is too old;
    /// [`CardError::Driver`] where the card cannot be used otherwise.
    pub fn open(index: usize) -> Result<Driver, CardError> {
        let context = Arc::new(Context::open(index)?);
        let kernels = Kernels::load(&context)?;
        let copies = Stream::new(&context)?;
        let work = Stream::new(&context)?;
        Ok(Driver { copies, work, kernels, rehearsing: Cell::new(false), context })
    }

    fn stream(&self, queue: Queue) -> &Stream {
        match queue {
            Queue::Copies => &self.copies,
            Queue::Kernels => &self.work,
        }
    }
}

impl Card for Driver {
    type Event = Event;
    type Graph = Recording;
    type Staging = Staging;
    type Memory = Memory;

    fn description(&self) -> &Description {
        self.context.description()
    }

    fn free(&self) -> Result<usize, CardError> {
        self.context.enter()?;
        let (free, _) = result::mem_get_info().map_err(failed("asking for free memory"))?;
        Ok(free)
    }

    fn allocate(&self, bytes: usize) -> Result<Memory, CardError> {
        Memory::new(&self.context, bytes)
    }

    fn address(&self, memory: &Memory) -> Address {
        memory.address()
    }

    fn staging(&self, bytes: usize) -> Result<Staging, CardError> {
        Staging::new(&self.context, bytes)
    }

    fn upload(&self, bytes: &[u8], memory: &Memory, offset: usize) -> Result<(), CardError> {
        let to = memory.part(offset, bytes.len());
        self.context.enter()?;
        // Not the driver's synchronous copy: it returns when the bytes have left `bytes`, and nothing in our streams would
        // wait until they have arrived.
        // SAFETY: `part` checked that the memory goes on for that long; `bytes` is there until the stream is done, which
        // is waited for also where the copy was not begun.
        let copied = unsafe { result::memcpy_htod_async(to, bytes, self.copies.handle()) };
        let done = self.copies.synchronize();
        copied.and(done).map_err(failed("copying to the card"))
    }

    fn copy_in(&self, from: &Staging, length: usize, to: &Memory) -> Result<(), CardError> {
        let bytes = &from[..length];
        let to = to.part(0, length);
        self.context.enter()?;
        // SAFETY: both are that long, as was checked just now, and whoever drops one of them waits for the card first.
        unsafe { result::memcpy_htod_async(to, bytes, self.copies.handle()) }
            .map_err(failed("copying pictures to the card"))
    }

    fn copy_out(&self, from: &Memory, to: &mut Staging, length: usize) -> Result<(), CardError> {
        let bytes = &mut to[..length];
        let from = from.part(0, length);
        self.context.enter()?;
        // SAFETY: both are that long, as was checked just now, and whoever drops one of them waits for the card first.
        unsafe { result::memcpy_dtoh_async(bytes, from, self.work.handle()) }
            .map_err(failed("copying features from the card"))
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<(), CardError> {
        self.context.enter()?;
        if self.rehearsing.get() {
            return self.kernels.prepare(launch.kernel, launch.shared).map(|_| ());
        }
        self.kernels.launch(launch, &self.work)
    }

    /// Calls `work` twice: kernels are loaded and set up before the recording, in which not everything may be done.
    fn record(
        &self,
        work: &mut dyn FnMut() -> Result<(), CardError>,
    ) -> Result<Option<Recording>, CardError> {
        self.rehearsing.set(true);
        let rehearsed = work();
        self.rehearsing.set(false);
        rehearsed?;

        let _recording = self.context.record();
        self.context.enter()?;
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        // SAFETY: the stream exists as long as `self`.
        unsafe { result::stream::begin_capture(self.work.handle(), mode) }
            .map_err(failed("beginning to record"))?;
        let worked = work();
        self.context.enter()?;
        // SAFETY: as above; it ends also where `work` failed, or the stream could not be used any more.
        let graph = unsafe { result::stream::end_capture(self.work.handle()) };
        let recording =
            graph.map_err(failed("ending to record")).and_then(|graph| Recording::new(&self.context, graph));
        // A launch that failed is why the recording may have failed as well.
        worked.and(recording).map(Some)
    }

    fn replay(&self, recording: &Recording) -> Result<(), CardError> {
        self.context.enter()?;
        // SAFETY: both exist; the kernels in it are loaded as long as `self`.
        unsafe { result::graph::launch(recording.handle(), self.work.handle()) }
            .map_err(failed("running what was recorded"))
    }

    fn event(&self, queue: Queue) -> Result<Event, CardError> {
        Event::new(&self.context, self.stream(queue))
    }

    fn wait(&self, queue: Queue, event: &Event) -> Result<(), CardError> {
        self.context.enter()?;
        let flags = sys::CUevent_wait_flags::CU_EVENT_WAIT_DEFAULT;
        // SAFETY: both exist.
        unsafe { result::stream::wait_event(self.stream(queue).handle(), event.handle(), flags) }
            .map_err(failed("having a queue wait"))
    }

    fn finish(&self, event: &Event) -> Result<(), CardError> {
        self.context.enter()?;
        // SAFETY: it exists.
        unsafe { result::event::synchronize(event.handle()) }.map_err(failed("waiting for the card"))
    }

    fn between(&self, start: &Event, end: &Event) -> Result<f32, CardError> {
        self.context.enter()?;
        // SAFETY: both exist, and measure time.
        unsafe { result::event::elapsed(start.handle(), end.handle()) }.map_err(failed("measuring time"))
    }
}
