//! The card's memory: how much of it is taken, and by what.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use engine::cuda::CardError;

use crate::raw::{Damage, Region};

/// All that was taken from a card.
#[derive(Default)]
struct Taken {
    bytes: usize,
    regions: Vec<Weak<Region>>,
}

/// The memory that a card has.
#[derive(Clone)]
pub(crate) struct Store {
    bytes: usize,
    taken: Arc<Mutex<Taken>>,
}

/// Memory of an emulated card.
///
/// # Panics
/// When it is dropped, if something was written before its first byte or behind its last.
pub struct Memory {
    region: Arc<Region>,
    store: Store,
}

impl Store {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { bytes, taken: Arc::default() }
    }

    pub(crate) fn free(&self) -> usize {
        self.bytes - self.lock().bytes
    }

    pub(crate) fn take(&self, bytes: usize) -> Result<Memory, CardError> {
        if bytes == 0 {
            // As the driver does.
            return Err(refused("taking 0 bytes of memory", "invalid argument"));
        }
        let mut taken = self.lock();
        let full = || CardError::OutOfMemory { asked: bytes.div_ceil(1 << 20) };
        let size = bytes.checked_next_multiple_of(256).ok_or_else(full)?;
        if size > self.bytes - taken.bytes {
            return Err(full());
        }
        let region = Arc::new(Region::new(bytes).ok_or_else(full)?);
        taken.bytes += size;
        taken.regions.retain(|region| region.strong_count() > 0);
        taken.regions.push(Arc::downgrade(&region));
        Ok(Memory { region, store: self.clone() })
    }

    /// Looks around all that is taken.
    ///
    /// # Panics
    /// Where something was written outside.
    pub(crate) fn check(&self, kernel: &str) {
        let damaged =
            self.lock().regions.iter().filter_map(Weak::upgrade).find_map(|region| complaint(&region));
        if let Some(what) = damaged {
            panic!("kernel `{kernel}`: {what}");
        }
    }

    // A test that panicked elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    pub(crate) fn region(&self) -> &Region {
        &self.region
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.store.lock().bytes -= self.region.len().next_multiple_of(256);
        // A panic while another one goes up would end the process, and hide the first.
        if let Some(what) = complaint(&self.region).filter(|_| !thread::panicking()) {
            panic!("{what}");
        }
    }
}

fn complaint(region: &Region) -> Option<String> {
    let side = match region.damage()? {
        Damage::Before => "before",
        Damage::Behind => "behind",
    };
    Some(format!("something was written {side} the {} bytes at {:#x}", region.len(), region.address()))
}

/// What a driver would refuse.
pub(crate) fn refused(doing: &str, what: &str) -> CardError {
    CardError::Driver { doing: doing.to_owned(), what: what.to_owned() }
}
