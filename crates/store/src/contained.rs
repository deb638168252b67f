//! Readers of others that panic where what they read is damaged.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{Mutex, PoisonError},
};

/// The hook of panics is the whole program's, and one reader at a time may change it.
static HOOK: Mutex<()> = Mutex::new(());

/// Runs a reader; `None` where it panics. That is a damaged file, and no fault of the program: nobody is told.
pub fn contained<T>(read: impl FnOnce() -> T) -> Option<T> {
    let _one = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    silenced(read)
}

/// [`contained`], of whoever holds [`HOOK`].
fn silenced<T>(read: impl FnOnce() -> T) -> Option<T> {
    type Hook = Box<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync>;
    // Polars panics on threads of its own: for as long as it reads, nobody tells.
    struct Silence(Option<Hook>);
    impl Drop for Silence {
        fn drop(&mut self) {
            if let Some(hook) = self.0.take() {
                panic::set_hook(hook);
            }
        }
    }
    let _silence = Silence(Some(panic::take_hook()));
    panic::set_hook(Box::new(|_| {}));
    panic::catch_unwind(AssertUnwindSafe(read)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_nobody_s_and_the_hook_is_as_it_was() {
        static TOLD: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let told = || TOLD.load(std::sync::atomic::Ordering::SeqCst);
        // Tests beside this one read tables, and would put back the hook that they found.
        let _one = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
        panic::set_hook(Box::new(|_| {
            TOLD.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }));
        assert_eq!((silenced::<()>(|| panic!("index out of bounds")), told()), (None, 0));
        let _ = panic::catch_unwind(|| panic!("elsewhere"));
        assert_eq!(told(), 1);
        let _ = panic::take_hook();
    }
}
