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

/// Room for so many numbers, made of large pages where the system has them on request.
pub fn large_room(count: usize) -> Vec<f32> {
    let room: Vec<f32> = Vec::with_capacity(count);
    #[cfg(target_os = "linux")]
    {
        let bytes = count * size_of::<f32>();
        let skipped = room.as_ptr().cast::<u8>().align_offset(PAGE);
        if bytes >= LARGE_PAGE && skipped < bytes {
            // SAFETY: a hint for memory that is ours, which changes none of it; errors do not matter.
            unsafe {
                libc::madvise(
                    room.as_ptr().cast_mut().byte_add(skipped).cast(),
                    (bytes - skipped) / PAGE * PAGE,
                    libc::MADV_HUGEPAGE,
                );
            }
        }
    }
    room
}

/// Bytes of the largest page that Linux deals in by itself, whatever the processor.
#[cfg(target_os = "linux")]
const PAGE: usize = 1 << 16;
/// Bytes from which on a large page may fit.
#[cfg(target_os = "linux")]
const LARGE_PAGE: usize = 2 << 20;

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
    fn room_is_for_as_many_as_were_asked_for() {
        for count in [0, 1, 1000, 3 << 20] {
            let mut room = large_room(count);
            assert!(room.is_empty() && room.capacity() >= count);
            room.extend((0..count).map(|at| at as f32));
            assert_eq!(room.last().copied(), count.checked_sub(1).map(|at| at as f32));
        }
    }

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
