//! A graphics card that is none: [`Emulator`] runs the engine's CUDA kernels, compiled as C++, on the processor.
//!
//! It is there for tests, and stricter than a card. Memory holds NaNs until it is written to, and shared memory again in
//! every block; copies into shared memory are late; what a card leaves undefined (a barrier that some threads do not
//! reach, an address that is not aligned, a read or write outside of what was taken) ends the process with a message on
//! stderr that names the kernel, or, where it is found out only after a launch, is a panic.
//!
//! What it does not show: races between blocks, how fast anything is, the sums of tensor cores to the last bit, conflicts
//! of banks, and reads outside of an allocation that stay within the 256 bytes to which it is rounded (they give NaNs).

#![deny(unsafe_code)]

mod memory;
#[expect(unsafe_code, reason = "the emulation is C++")]
mod raw;

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use engine::cuda::{Address, Card, CardError, Description, Launch, Queue};

pub use memory::Memory;
use memory::{Store, refused};
use raw::Kernel;

/// What a block may have of shared memory on compute capability 9.0.
const MOST_SHARED: u32 = 227 << 10;

/// An emulated card. All that is put into a queue is done at once.
pub struct Emulator {
    description: Description,
    store: Store,
    order: AtomicU64,
}

impl Emulator {
    /// A card with this much memory.
    #[must_use]
    pub fn new(memory_bytes: usize) -> Self {
        let description =
            Description { name: "emulation".to_owned(), capability: (9, 0), memory: memory_bytes };
        Self { description, store: Store::new(memory_bytes), order: AtomicU64::new(0) }
    }

    /// Chooses in which order threads run that could all run: with 0, the first first; with another number, at random,
    /// and copies into shared memory are then done early or late. A kernel that forgets no barrier gives the same
    /// results with every number.
    pub fn set_order(&self, seed: u64) {
        self.order.store(seed, Ordering::Relaxed);
    }

    /// Bytes of the card's memory.
    ///
    /// # Panics
    /// Where `memory` is not as long as that.
    #[must_use]
    pub fn download(&self, memory: &Memory, offset: usize, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        memory.region().read(offset, &mut bytes);
        bytes
    }
}

impl Card for Emulator {
    type Event = Instant;
    // There are none.
    type Graph = Infallible;
    type Staging = Vec<u8>;
    type Memory = Memory;

    fn description(&self) -> &Description {
        &self.description
    }

    fn free(&self) -> Result<usize, CardError> {
        Ok(self.store.free())
    }

    fn allocate(&self, bytes: usize) -> Result<Memory, CardError> {
        self.store.take(bytes)
    }

    fn address(&self, memory: &Memory) -> Address {
        memory.region().address()
    }

    fn staging(&self, bytes: usize) -> Result<Vec<u8>, CardError> {
        Ok(vec![0; bytes])
    }

    fn upload(&self, bytes: &[u8], memory: &Memory, offset: usize) -> Result<(), CardError> {
        memory.region().write(offset, bytes);
        Ok(())
    }

    fn copy_in(&self, from: &Vec<u8>, length: usize, to: &Memory) -> Result<(), CardError> {
        to.region().write(0, &from[..length]);
        Ok(())
    }

    fn copy_out(&self, from: &Memory, to: &mut Vec<u8>, length: usize) -> Result<(), CardError> {
        from.region().read(0, &mut to[..length]);
        Ok(())
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<(), CardError> {
        let doing = format!("launching `{}`", launch.kernel);
        let kernel = Kernel::find(launch.kernel).ok_or_else(|| refused(&doing, "named symbol not found"))?;
        if let Some(what) = mistake(launch, &kernel) {
            return Err(refused(&doing, &what));
        }
        let order = self.order.load(Ordering::Relaxed);
        kernel.run(launch.blocks, launch.threads, launch.shared, launch.arguments, order);
        self.store.check(launch.kernel);
        Ok(())
    }

    fn record(
        &self,
        _work: &mut dyn FnMut() -> Result<(), CardError>,
    ) -> Result<Option<Infallible>, CardError> {
        Ok(None)
    }

    fn replay(&self, graph: &Infallible) -> Result<(), CardError> {
        match *graph {}
    }

    fn event(&self, _queue: Queue) -> Result<Instant, CardError> {
        Ok(Instant::now())
    }

    fn wait(&self, _queue: Queue, _event: &Instant) -> Result<(), CardError> {
        Ok(())
    }

    fn finish(&self, _event: &Instant) -> Result<(), CardError> {
        Ok(())
    }

    fn between(&self, start: &Instant, end: &Instant) -> Result<f32, CardError> {
        Ok(end.duration_since(*start).as_secs_f32() * 1e3)
    }
}

/// What is wrong with a launch, if something is.
fn mistake(launch: &Launch<'_>, kernel: &Kernel) -> Option<String> {
    let Launch { blocks, threads, shared, arguments, .. } = launch;
    let most = [i32::MAX.unsigned_abs(), 65_535, 65_535];
    if arguments.len() != kernel.arguments {
        Some(format!("{} bytes of arguments instead of {}", arguments.len(), kernel.arguments))
    } else if blocks.iter().zip(most).any(|(&blocks, most)| blocks == 0 || blocks > most) {
        Some(format!("{blocks:?} blocks"))
    } else if *threads == 0 || *threads > kernel.threads || !threads.is_multiple_of(32) {
        Some(format!("{threads} threads, for a kernel of at most {}, in warps of 32", kernel.threads))
    } else if *shared > MOST_SHARED {
        Some(format!("{shared} bytes of shared memory, of {MOST_SHARED}"))
    } else {
        None
    }
}
