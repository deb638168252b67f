//! What `emulator.cpp` offers, behind functions that cannot be used wrongly but for the kernels themselves.

use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};

unsafe extern "C" {
    fn emulator_find(
        name: *const u8,
        length: usize,
        arguments: *mut usize,
        threads: *mut u32,
    ) -> *const c_void;
    fn emulator_launch(
        kernel: *const c_void,
        blocks: *const u32,
        threads: u32,
        shared: u32,
        arguments: *const c_void,
        seed: u64,
    );
    fn emulator_allocate(bytes: usize, data: *mut *mut u8) -> *mut c_void;
    fn emulator_check(handle: *const c_void) -> c_int;
    fn emulator_release(handle: *mut c_void);
}

/// A kernel of the table.
pub(crate) struct Kernel {
    entry: *const c_void,
    /// Bytes of its arguments.
    pub(crate) arguments: usize,
    /// The most threads of a block.
    pub(crate) threads: u32,
}

impl Kernel {
    /// The kernel of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let (mut arguments, mut threads) = (0, 0);
        // SAFETY: the name is as long as is said, and both places are written to before the function returns.
        let entry = unsafe { emulator_find(name.as_ptr(), name.len(), &raw mut arguments, &raw mut threads) };
        (!entry.is_null()).then_some(Self { entry, arguments, threads })
    }

    /// Runs it. The caller has compared the launch with this kernel's limits.
    pub(crate) fn run(&self, blocks: [u32; 3], threads: u32, shared: u32, arguments: &[u8], seed: u64) {
        assert_eq!(arguments.len(), self.arguments, "arguments of another kernel");
        assert!(threads.is_multiple_of(32) && (1..=self.threads).contains(&threads), "threads of a block");
        // As aligned as any struct is.
        let mut aligned = vec![0_u128; arguments.len().div_ceil(16)];
        // SAFETY: `aligned` has at least as many bytes, of which every pattern is a number.
        unsafe {
            ptr::copy_nonoverlapping(arguments.as_ptr(), aligned.as_mut_ptr().cast(), arguments.len());
        }
        // SAFETY: the entry is the table's, which lives as long as the process; arguments are as long as the kernel's,
        // compared above, and outlive the call. What the kernel does with the addresses in them is what is tested.
        unsafe {
            emulator_launch(self.entry, blocks.as_ptr(), threads, shared, aligned.as_ptr().cast(), seed);
        }
    }
}

/// Where something was written that is outside of an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    Before,
    Behind,
}

/// Memory of the card, between marks and forbidden pages. All its bytes are 0xff at first.
pub(crate) struct Region {
    handle: NonNull<c_void>,
    data: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory is not tied to a thread.
unsafe impl Send for Region {}
// SAFETY: through a shared reference bytes are copied in and out, as kernels may at any time; a test that does so while a
// kernel runs makes the mistake that it would make with a card.
unsafe impl Sync for Region {}

impl Region {
    /// `None` where the system has not as much.
    pub(crate) fn new(length: usize) -> Option<Self> {
        let mut data = ptr::null_mut();
        // SAFETY: `data` is written to before the function returns.
        let handle = NonNull::new(unsafe { emulator_allocate(length, &raw mut data) })?;
        Some(Self { handle, data: NonNull::new(data)?, length })
    }

    /// Where it lies.
    pub(crate) fn address(&self) -> u64 {
        self.data.as_ptr().addr() as u64
    }

    /// Its bytes.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Copies bytes in.
    pub(crate) fn write(&self, offset: usize, bytes: &[u8]) {
        self.check(offset, bytes.len());
        // SAFETY: the range was just checked; the memory is no object of Rust's, so nothing overlaps.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.data.as_ptr().add(offset), bytes.len()) }
    }

    /// Copies bytes out.
    pub(crate) fn read(&self, offset: usize, to: &mut [u8]) {
        self.check(offset, to.len());
        // SAFETY: as above; every byte was written when the memory was made.
        unsafe { ptr::copy_nonoverlapping(self.data.as_ptr().add(offset), to.as_mut_ptr(), to.len()) }
    }

    /// What was written outside of it since this was last asked.
    pub(crate) fn damage(&self) -> Option<Damage> {
        // SAFETY: the handle lives until `drop`.
        match unsafe { emulator_check(self.handle.as_ptr()) } {
            0 => None,
            1 => Some(Damage::Before),
            _ => Some(Damage::Behind),
        }
    }

    fn check(&self, offset: usize, length: usize) {
        let end = offset.checked_add(length);
        assert!(
            end.is_some_and(|end| end <= self.length),
            "bytes {offset}.. ({length} of them) of memory that has {}",
            self.length
        );
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: nobody else has the handle.
        unsafe { emulator_release(self.handle.as_ptr()) }
    }
}
