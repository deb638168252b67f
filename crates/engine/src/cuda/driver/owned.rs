//! What a card or the driver holds for us, each given back when dropped.

use super::{
    super::{Address, CardError},
    context::{Context, failed},
};
use cudarc::driver::{DriverError, result, sys};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;

/// Memory of the card.
pub struct Memory {
    address: sys::CUdeviceptr,
    bytes: usize,
    context: Arc<Context>,
}

impl Memory {
    pub(super) fn new(context: &Arc<Context>, bytes: usize) -> Result<Memory, CardError> {
        context.enter()?;
        // SAFETY: nobody reads what it holds before something was written, or what that is does not matter. The driver
        // knows no memory of 0 bytes.
        let address = unsafe { result::malloc_sync(bytes.max(1)) }.map_err(|error| match error.0 {
            sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => {
                CardError::OutOfMemory { asked: bytes.div_ceil(1 << 20) }
            }
            _ => failed("taking memory")(error),
        })?;
        let memory = Memory { address, bytes, context: Arc::clone(context) };
        // The driver's memory always begins so; kernels rely on it.
        assert!(address.is_multiple_of(256), "the card's memory begins at {address:#x}");
        Ok(memory)
    }

    pub(super) fn address(&self) -> Address {
        self.address
    }

    /// Where `length` bytes lie, `offset` bytes after the first.
    ///
    /// # Panics
    /// Where they are not all in it.
    pub(super) fn part(&self, offset: usize, length: usize) -> sys::CUdeviceptr {
        let end = offset.checked_add(length);
        assert!(
            end.is_some_and(|end| end <= self.bytes),
            "{length} bytes at {offset} of memory of {}",
            self.bytes
        );
        self.address + offset as u64
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.context.settle();
        // SAFETY: it was taken once, and the card is done with it. An error changes nothing any more.
        let _ = unsafe { result::free_sync(self.address) };
    }
}

/// Memory of the host whose pages stay where they are, so that the card copies from and to it by itself.
pub struct Staging {
    first: NonNull<u8>,
    bytes: usize,
    context: Arc<Context>,
}

// SAFETY: it owns its bytes, as a box does.
unsafe impl Send for Staging {}
// SAFETY: as above; whoever shares it can only read.
unsafe impl Sync for Staging {}

impl Staging {
    pub(super) fn new(context: &Arc<Context>, bytes: usize) -> Result<Staging, CardError> {
        let doing = || failed(format!("taking {} MiB of the host's memory", bytes.div_ceil(1 << 20)));
        context.enter()?;
        // SAFETY: what it holds is written just below. The driver knows no memory of 0 bytes.
        let first = unsafe { result::malloc_host(bytes.max(1), 0) }.map_err(doing())?;
        let nothing = DriverError(sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY);
        let first = NonNull::new(first.cast::<u8>()).ok_or_else(|| doing()(nothing))?;
        // SAFETY: it is that long, and nobody else's.
        unsafe { first.write_bytes(0, bytes) };
        Ok(Staging { first, bytes, context: Arc::clone(context) })
    }
}

impl Deref for Staging {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: it is that long, and was written when it was taken.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.bytes) }
    }
}

impl DerefMut for Staging {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.first.as_ptr(), self.bytes) }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        self.context.settle();
        // SAFETY: it was taken once, and the card is done with it. An error changes nothing any more.
        let _ = unsafe { result::free_host(self.first.as_ptr().cast()) };
    }
}

/// A queue of the card.
pub(super) struct Stream {
    handle: sys::CUstream,
    context: Arc<Context>,
}

// SAFETY: the driver takes the handle on any thread on which its context was entered.
unsafe impl Send for Stream {}

impl Stream {
    pub(super) fn new(context: &Arc<Context>) -> Result<Stream, CardError> {
        context.enter()?;
        // Neither waits for the driver's own stream.
        let handle = result::stream::create(result::stream::StreamKind::NonBlocking)
            .map_err(failed("making a queue"))?;
        Ok(Stream { handle, context: Arc::clone(context) })
    }

    pub(super) fn handle(&self) -> sys::CUstream {
        self.handle
    }

    /// Waits for everything in it. The context was entered.
    pub(super) fn synchronize(&self) -> Result<(), DriverError> {
        // SAFETY: it exists.
        unsafe { result::stream::synchronize(self.handle) }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.context.settle();
        // SAFETY: it was made once. An error changes nothing any more.
        let _ = unsafe { result::stream::destroy(self.handle) };
    }
}

/// A moment in a queue.
pub struct Event {
    handle: sys::CUevent,
    context: Arc<Context>,
}

// SAFETY: as for `Stream`.
unsafe impl Send for Event {}

impl Event {
    pub(super) fn new(context: &Arc<Context>, stream: &Stream) -> Result<Event, CardError> {
        context.enter()?;
        // Measures time, unless told not to. Who waits for it sleeps: the processor has pictures to prepare.
        let handle = result::event::create(sys::CUevent_flags::CU_EVENT_BLOCKING_SYNC)
            .map_err(failed("making an event"))?;
        let event = Event { handle, context: Arc::clone(context) };
        // SAFETY: both exist.
        unsafe { result::event::record(handle, stream.handle()) }.map_err(failed("noting an event"))?;
        Ok(event)
    }

    pub(super) fn handle(&self) -> sys::CUevent {
        self.handle
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if self.context.enter().is_ok() {
            // SAFETY: it was made once. The driver keeps it until it is over. An error changes nothing any more.
            let _ = unsafe { result::event::destroy(self.handle) };
        }
    }
}

/// Launches that were recorded.
pub struct Recording {
    handle: sys::CUgraphExec,
    context: Arc<Context>,
}

// SAFETY: the driver takes the handle on any thread, as long as it is one at a time; it is not `Sync`.
unsafe impl Send for Recording {}

impl Recording {
    /// Makes what was recorded ready to run. The context was entered.
    pub(super) fn new(context: &Arc<Context>, graph: sys::CUgraph) -> Result<Recording, CardError> {
        // SAFETY: the graph was recorded just now; what is made of it does not need it.
        let handle = unsafe { result::graph::instantiate(graph, sys::CUgraphInstantiate_flags(0)) };
        // SAFETY: as above, and nobody else has it. An error changes nothing any more.
        let _ = unsafe { result::graph::destroy(graph) };
        let handle = handle.map_err(failed("getting ready what was recorded"))?;
        Ok(Recording { handle, context: Arc::clone(context) })
    }

    pub(super) fn handle(&self) -> sys::CUgraphExec {
        self.handle
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.context.settle();
        // SAFETY: it was made once, and does not run any more. An error changes nothing any more.
        let _ = unsafe { result::graph::exec_destroy(self.handle) };
    }
}
