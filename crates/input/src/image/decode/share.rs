//! How much memory pictures may take while they are decoded, all threads together.
//!
//! A picture says what it needs as soon as its header is read, and waits until so much is free. One that needs more than
//! there is at all has everything to itself. So the peak is [`A_THREAD`] for each processor, or the largest picture's need.

use crate::image::{BadImage, Format};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

/// Bytes for each processor: four photographs of 24 megapixels, or one that is turned.
const A_THREAD: u64 = 192 << 20;

/// Pictures with no more pixels than this are taken at their word, whatever their file's length.
const SMALL: u64 = 1 << 22;

/// Memory that is set aside; given back when dropped, by the thread that took it.
pub(crate) struct Share {
    bytes: u64,
    _stays_on_its_thread: PhantomData<*const ()>,
}

struct Budget {
    all: u64,
    taken: Mutex<u64>,
    freed: Condvar,
}

static BUDGET: LazyLock<Budget> = LazyLock::new(|| {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    Budget { all: A_THREAD * threads, taken: Mutex::new(0), freed: Condvar::new() }
});

thread_local! {
    static SHARES: Cell<usize> = const { Cell::new(0) };
}

impl Share {
    /// Waits until `bytes` are free. A thread that has a share never waits: others might wait for that one.
    fn take(bytes: u64) -> Share {
        let first = SHARES.replace(SHARES.get() + 1) == 0;
        let bytes = if first { BUDGET.take(bytes) } else { 0 };
        Share { bytes, _stays_on_its_thread: PhantomData }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        SHARES.set(SHARES.get() - 1);
        BUDGET.give(self.bytes);
    }
}

impl Budget {
    fn taken(&self) -> MutexGuard<'_, u64> {
        // A count is whole whoever panicked beside it.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was taken of `bytes`: all there is at most.
    fn take(&self, bytes: u64) -> u64 {
        let bytes = bytes.min(self.all);
        let mut taken = self.taken();
        while *taken + bytes > self.all {
            taken = self.freed.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += bytes;
        bytes
    }

    fn give(&self, bytes: u64) {
        if bytes > 0 {
            *self.taken() -= bytes;
            self.freed.notify_all();
        }
    }
}

/// Checks what the header of `file` says, before anything is allocated by it, and sets aside `bytes_a_pixel`.
///
/// # Errors
/// Where there are no pixels, too many, or too many for a file of this length.
pub(super) fn admit(
    format: Format,
    (width, height): (u32, u32),
    bytes_a_pixel: u64,
    file: &[u8],
) -> Result<Share, BadImage> {
    check_density(format, (width, height), file)?;
    set_aside(format, (width, height), bytes_a_pixel)
}

/// Checks that a file holds no more pixels a byte than are decoded of its format.
pub(super) fn check_density(
    format: Format,
    (width, height): (u32, u32),
    file: &[u8],
) -> Result<(), BadImage> {
    format.check_size(width, height)?;
    let pixels = u64::from(width) * u64::from(height);
    let (bytes, most) = (file.len(), most_pixels_a_byte(format));
    if pixels > SMALL && pixels / most > bytes as u64 {
        return Err(BadImage::TooDense { format, width, height, bytes, most });
    }
    Ok(())
}

/// Checks a size, and sets aside `bytes_a_pixel`.
pub(super) fn set_aside(
    format: Format,
    (width, height): (u32, u32),
    bytes_a_pixel: u64,
) -> Result<Share, BadImage> {
    format.check_size(width, height)?;
    Ok(Share::take(u64::from(width) * u64::from(height) * bytes_a_pixel))
}

/// How well one colour compresses by the usual encoders. Of WebP and JPEG XL it is a limit of ours: a picture of one colour may take no
/// bits at all for its pixels.
fn most_pixels_a_byte(format: Format) -> u64 {
    match format {
        // A bit for the first coefficient of an 8×8 block: 512.
        Format::Jpeg => 1 << 10,
        // Deflate's longest copy, 258 bytes, takes two bits: 8 × 1032 pixels of one bit.
        Format::Png => 1 << 14,
        // LZW's longest string takes 12 bits: 2730.
        Format::Gif | Format::Bmp => 1 << 12,
        // libwebp writes one colour in a byte for 26 thousand pixels; with its fastest method, any size in 38 bytes. So does libjxl.
        Format::WebP | Format::Jxl => 1 << 15,
        // Fax: a bit for a row like the one above.
        Format::Tiff => 1 << 17,
        Format::Pnm => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn takers_wait_for_one_another_and_the_largest_goes_alone() {
        let budget = Arc::new(Budget { all: 100, taken: Mutex::new(0), freed: Condvar::new() });
        let (now, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        std::thread::scope(|scope| {
            for taker in 0..8u64 {
                let (budget, now, most) = (&budget, &now, &most);
                scope.spawn(move || {
                    for round in 0..200 {
                        // 1000 is more than there is.
                        let wanted = [10, 35, 60, 1000][(taker + round) as usize % 4];
                        let got = budget.take(wanted);
                        assert_eq!(got, wanted.min(100));
                        most.fetch_max(now.fetch_add(got, Ordering::SeqCst) + got, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(got, Ordering::SeqCst);
                        budget.give(got);
                    }
                });
            }
        });
        assert_eq!((*budget.taken(), now.load(Ordering::SeqCst)), (0, 0));
        assert_eq!(most.load(Ordering::SeqCst), 100);
    }

    #[test]
    fn a_thread_with_a_share_does_not_wait_for_itself() {
        let all = Share::take(u64::MAX);
        let more = Share::take(u64::MAX);
        assert_eq!(more.bytes, 0);
        drop(all);
        drop(more);
        assert_eq!(SHARES.get(), 0);
    }

    #[test]
    fn few_bytes_hold_few_pixels() {
        let admitted = |format, side, bytes: usize| admit(format, (side, side), 0, &vec![0; bytes]).is_ok();
        assert!(admitted(Format::WebP, 2048, 34) && !admitted(Format::WebP, 2049, 34));
        // What libwebp makes of 13000×13000 pixels of one colour, and libtiff of 8000×8000 white ones.
        assert!(admitted(Format::WebP, 13_000, 6520) && admitted(Format::Tiff, 8000, 4572));
        assert!(!admitted(Format::Jpeg, 13_000, 6520) && admitted(Format::Jpeg, 8000, 375_616));
        let dense = admit(Format::Gif, (60_000, 2900), 0, &[0; 400]).err().unwrap().to_string();
        assert!(
            dense.ends_with("in 400 bytes; of large pictures, more than 4096 pixels a byte are not decoded"),
            "{dense}"
        );
    }
}
