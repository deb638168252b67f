//! Readers of polars', which panic where a file is damaged.

use super::first_line;
use polars::prelude::PolarsResult;
use std::{
    panic::{self, AssertUnwindSafe},
    sync::{Mutex, PoisonError},
};

/// The hook of panics is the whole program's, and one reader at a time may change it.
static HOOK: Mutex<()> = Mutex::new(());

/// Runs one of polars' readers, which panic on some damaged files: that is a damaged file, and no fault of the program.
pub(crate) fn guarded<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    let _one = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    silenced(read)
}

/// [`guarded`], of whoever holds [`HOOK`].
fn silenced<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
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
    let silence = Silence(Some(panic::take_hook()));
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(read));
    drop(silence);
    match result {
        Ok(read) => read.map_err(|error| {
            let told = first_line(&error);
            match told.strip_prefix("parquet: File out of specification: ") {
                Some(told) => format!("it is damaged, or was cut short: {told}; get it again"),
                None => told,
            }
        }),
        Err(_) => Err("it is damaged".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_polars_is_a_damaged_table_and_the_hook_is_as_it_was() {
        static TOLD: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let told = || TOLD.load(std::sync::atomic::Ordering::SeqCst);
        // Tests beside this one read tables, and would put back the hook that they found.
        let _one = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
        panic::set_hook(Box::new(|_| {
            TOLD.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }));
        let reason = silenced::<()>(|| panic!("index out of bounds")).unwrap_err();
        assert_eq!((reason.as_str(), told()), ("it is damaged", 0));
        let _ = panic::catch_unwind(|| panic!("elsewhere"));
        assert_eq!(told(), 1);
        let _ = panic::take_hook();
    }
}
