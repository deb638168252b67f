//! Zeroed memory in large pages, for what is filled once and read over and over.

use memmap2::MmapMut;
use std::{
    io,
    ops::{Deref, DerefMut},
};

/// Memory of the system's, all zeros at first, that begins with a page.
///
/// Where the system has large pages on request, it is made of them: 150 MiB then take 75 faults instead of 38,000, each of
/// which takes microseconds.
#[derive(Debug)]
pub struct LargeMemory(MmapMut);

impl LargeMemory {
    /// So many bytes, one or more.
    ///
    /// # Errors
    /// Where the system has no memory.
    pub fn zeroed(bytes: usize) -> io::Result<LargeMemory> {
        let map = MmapMut::map_anon(bytes)?;
        // Only a hint.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(LargeMemory(map))
    }
}

impl Deref for LargeMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for LargeMemory {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_zeroed_and_begins_with_a_page() {
        let mut memory = LargeMemory::zeroed(5 << 20).unwrap();
        assert!(memory.iter().all(|byte| *byte == 0));
        assert_eq!(memory.as_ptr().align_offset(4096), 0);
        memory[(5 << 20) - 1] = 7;
        assert_eq!(memory[(5 << 20) - 1], 7);
        assert!(LargeMemory::zeroed(usize::MAX).is_err());
    }
}
