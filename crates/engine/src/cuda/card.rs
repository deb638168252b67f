//! A graphics card as the engine sees it. There are two: a real one, behind the driver (`driver.rs`, with the Cargo feature
//! `cuda`), and the emulation that tests run kernels on (`tests/emulator`).

use std::ops::{Deref, DerefMut};

/// Where something lies in the card's memory.
pub type Address = u64;

/// What went wrong with a card.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The card's memory is full; fewer pictures at a time may do.
    #[error("the card's memory is full: {asked} MiB more were asked for")]
    OutOfMemory {
        /// What was asked for, in MiB.
        asked: usize,
    },
    /// There is no such card, or nothing to talk to it.
    #[error("{0}")]
    Absent(String),
    /// The driver refused something.
    #[error("the driver says `{what}` at {doing}")]
    Driver {
        /// What was being done.
        doing: String,
        /// The driver's own words.
        what: String,
    },
}

/// What a card is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// As the driver calls it, "NVIDIA H200".
    pub name: String,
    /// Compute capability, (9, 0).
    pub capability: (u32, u32),
    /// All of its memory, in bytes.
    pub memory: usize,
}

/// In what order things are done on a card: those of one queue one after the other, queues beside one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Copies of pictures to the card.
    Copies,
    /// Kernels, and the copies of what they gave.
    Kernels,
}

/// One kernel's work.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// Its name.
    pub kernel: &'a str,
    /// Blocks along x, y and z; none is 0.
    pub blocks: [u32; 3],
    /// Threads of a block.
    pub threads: u32,
    /// Bytes of memory that a block's threads share.
    pub shared: u32,
    /// Its one argument, a struct of [`arguments`](super::arguments).
    pub arguments: &'a [u8],
}

/// A card. What is put into a queue is done later; errors of what is done may come with any later call.
pub trait Card {
    /// A moment in a queue.
    type Event;
    /// A recorded run of launches.
    type Graph;
    /// Memory of the host that copies to and from the card need not stop over.
    type Staging: Deref<Target = [u8]> + DerefMut + Send;
    /// Memory of the card, given back when dropped. It holds anything at first.
    type Memory;

    /// What it is.
    fn description(&self) -> &Description;

    /// Bytes that are free now.
    ///
    /// # Errors
    /// [`CardError::Driver`].
    fn free(&self) -> Result<usize, CardError>;

    /// Takes memory, at an address that is a multiple of 256.
    ///
    /// # Errors
    /// [`CardError::OutOfMemory`] where there is not as much.
    fn allocate(&self, bytes: usize) -> Result<Self::Memory, CardError>;

    /// Where memory lies.
    fn address(&self, memory: &Self::Memory) -> Address;

    /// Takes memory of the host, zeroed.
    ///
    /// # Errors
    /// [`CardError::Driver`] where the host has not as much.
    fn staging(&self, bytes: usize) -> Result<Self::Staging, CardError>;

    /// Copies to the card at once: when it returns, the bytes are there.
    ///
    /// # Errors
    /// [`CardError::Driver`].
    ///
    /// # Panics
    /// Where `memory` is not as long as that.
    fn upload(&self, bytes: &[u8], memory: &Self::Memory, offset: usize) -> Result<(), CardError>;

    /// Has `length` bytes copied to the card, in the queue of copies. Nobody writes to `from` until that is done.
    ///
    /// # Errors
    /// [`CardError::Driver`].
    fn copy_in(&self, from: &Self::Staging, length: usize, to: &Self::Memory) -> Result<(), CardError>;

    /// Has `length` bytes copied from the card, in the queue of kernels. Nobody looks at `to` until that is done.
    ///
    /// # Errors
    /// [`CardError::Driver`].
    fn copy_out(&self, from: &Self::Memory, to: &mut Self::Staging, length: usize) -> Result<(), CardError>;

    /// Has a kernel run, in the queue of kernels.
    ///
    /// # Errors
    /// [`CardError::Driver`].
    fn launch(&self, launch: &Launch<'_>) -> Result<(), CardError>;

    /// Records the launches that `work` makes instead of running them; `None` where this card cannot.
    ///
    /// # Errors
    /// Those of `work`, and [`CardError::Driver`].
    fn record(
        &self,
        work: &mut dyn FnMut() -> Result<(), CardError>,
    ) -> Result<Option<Self::Graph>, CardError>;

    /// Has a recording run, in the queue of kernels.
    ///
    /// # Errors
    /// [`CardError::Driver`].
    fn replay(&self, graph: &Self::Graph) -> Result<(), CardError>;

    /// The moment when all that was put into a queue so far is done.
    ///
    /// # Errors
    /// [`CardError::Driver`].
    fn event(&self, queue: Queue) -> Result<Self::Event, CardError>;

    /// Has a queue wait for an event of the other.
    ///
    /// # Errors
    /// [`CardError::Driver`].
    fn wait(&self, queue: Queue, event: &Self::Event) -> Result<(), CardError>;

    /// Waits here for an event.
    ///
    /// # Errors
    /// Whatever failed in the queue before it.
    fn finish(&self, event: &Self::Event) -> Result<(), CardError>;

    /// Milliseconds between two events that are over.
    ///
    /// # Errors
    /// [`CardError::Driver`].
    fn between(&self, start: &Self::Event, end: &Self::Event) -> Result<f32, CardError>;
}
