//! Finding the driver and a card, and being on it.

use super::{
    super::{CardError, Description},
    built::TOOLKIT,
};
use cudarc::driver::{DriverError, result, sys};
use std::ffi::{CStr, c_int};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A card that is being used. It is left when dropped.
pub(super) struct Context {
    description: Description,
    device: sys::CUdevice,
    handle: sys::CUcontext,
    /// Held while something is recorded: whoever waits for the whole card meanwhile breaks the recording.
    recording: Mutex<()>,
}

// SAFETY: the driver takes a context's handle on any thread, on several at once too.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    pub(super) fn open(index: usize) -> Result<Context, CardError> {
        let (device, description) = check(index)?;
        // SAFETY: `device` is one that the driver gave.
        let handle = unsafe { result::primary_ctx::retain(device) }
            .map_err(failed(format!("beginning to use cuda:{index}")))?;
        Ok(Context { description, device, handle, recording: Mutex::new(()) })
    }

    pub(super) fn description(&self) -> &Description {
        &self.description
    }

    /// Has what this thread asks of the driver mean this card.
    pub(super) fn enter(&self) -> Result<(), CardError> {
        // SAFETY: it was retained, and is until `self` is dropped.
        unsafe { result::ctx::set_current(self.handle) }.map_err(failed("turning to the card"))
    }

    /// Nobody waits for the whole card until what this gives is dropped.
    pub(super) fn record(&self) -> MutexGuard<'_, ()> {
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for everything that the card is doing, before something is given back that it may be using. An error would
    /// have come from another call already, or is about work that nobody waits for.
    pub(super) fn settle(&self) {
        let _recording = self.record();
        if self.enter().is_ok() {
            let _ = result::ctx::synchronize();
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: it was retained once, and everything on it holds it and is gone. An error changes nothing any more.
        let _ = unsafe { result::primary_ctx::release(self.device) };
    }
}

/// How many cards there are: at least 1.
fn count() -> Result<usize, CardError> {
    // SAFETY: loading the driver's library runs its initialisers, which are NVIDIA's and made to be run like that.
    if !unsafe { sys::is_culib_present() } {
        let why = "no NVIDIA driver on this machine: libcuda.so.1 cannot be loaded";
        return Err(CardError::Absent(why.to_owned()));
    }
    result::init().map_err(|error| CardError::Absent(unusable(error)))?;
    let count = result::device::get_count().map_err(failed("counting cards"))?;
    match usize::try_from(count) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(CardError::Absent(NO_CARD.to_owned())),
    }
}

/// Looks at a card without beginning to use it.
pub(super) fn check(index: usize) -> Result<(sys::CUdevice, Description), CardError> {
    let count = count()?;
    if index >= count {
        return Err(CardError::Absent(no_such(index, count)));
    }
    let device = result::device::get(number(index)).map_err(failed(format!("looking for cuda:{index}")))?;
    let description = describe(device).map_err(failed(format!("looking at cuda:{index}")))?;
    let driver = version().map_err(failed("asking for the driver's version"))?;
    match too_old(&description, driver) {
        Some(why) => Err(CardError::Absent(why)),
        None => Ok((device, description)),
    }
}

const NO_CARD: &str = "the NVIDIA driver finds no card, or CUDA_VISIBLE_DEVICES hides it";

/// Why the driver cannot be used at all.
fn unusable(error: DriverError) -> String {
    match error.0 {
        sys::CUresult::CUDA_ERROR_NO_DEVICE => NO_CARD.to_owned(),
        sys::CUresult::CUDA_ERROR_STUB_LIBRARY => {
            "libcuda.so is the CUDA toolkit's stub, not a driver's; is it in LD_LIBRARY_PATH?".to_owned()
        }
        _ => format!("the NVIDIA driver cannot be used: {}", words(error)),
    }
}

fn no_such(index: usize, count: usize) -> String {
    match count {
        1 => format!("there is 1 card, cuda:0, and no cuda:{index}"),
        _ => format!("there are {count} cards, cuda:{index} is not one of them"),
    }
}

/// Why our kernels do not run there.
fn too_old(card: &Description, driver: (i32, i32)) -> Option<String> {
    let (major, minor) = card.capability;
    if major < 8 {
        return Some(format!("{} has compute capability {major}.{minor}; 8.0 or newer is needed", card.name));
    }
    // Machine code of one major version runs on every driver of it.
    (driver.0 < TOOLKIT.0).then(|| {
        format!(
            "the NVIDIA driver is too old: it supports CUDA {}.{}, this program was built with {}.{}",
            driver.0, driver.1, TOOLKIT.0, TOOLKIT.1
        )
    })
}

fn describe(device: sys::CUdevice) -> Result<Description, DriverError> {
    use sys::CUdevice_attribute as Attribute;
    // SAFETY: `device` is one that the driver gave, in this and what follows.
    let attribute = |which| unsafe { result::device::get_attribute(device, which) };
    let major = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    // SAFETY: as above.
    let memory = unsafe { result::device::total_mem(device) }?;
    let name = result::device::get_name(device)?;
    Ok(Description { name, capability: (major.unsigned_abs(), minor.unsigned_abs()), memory })
}

/// The newest CUDA that the driver supports, (12, 4).
pub(super) fn version() -> Result<(i32, i32), DriverError> {
    let mut version: c_int = 0;
    // SAFETY: it writes one number to where there is one.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result()?;
    Ok((version / 1000, version % 1000 / 10))
}

/// What the driver calls a card.
fn number(index: usize) -> c_int {
    c_int::try_from(index).unwrap_or(c_int::MAX)
}

/// Makes the driver's error ours.
pub(super) fn failed(doing: impl Into<String>) -> impl FnOnce(DriverError) -> CardError {
    move |error| CardError::Driver { doing: doing.into(), what: words(error) }
}

/// "CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered"
pub(super) fn words(error: DriverError) -> String {
    let say = |text: Result<&CStr, DriverError>| text.map(|text| text.to_string_lossy().into_owned());
    match (say(error.error_name()), say(error.error_string())) {
        (Ok(name), Ok(text)) => format!("{name}: {text}"),
        // An error that the library itself has no words for.
        _ => format!("{:?}", error.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(major: u32, minor: u32) -> Description {
        Description { name: "Tesla T4".to_owned(), capability: (major, minor), memory: 16 << 30 }
    }

    #[test]
    fn says_what_is_too_old() {
        let why = too_old(&card(7, 5), TOOLKIT);
        assert_eq!(why.as_deref(), Some("Tesla T4 has compute capability 7.5; 8.0 or newer is needed"));
        let why = too_old(&card(8, 0), (TOOLKIT.0 - 1, 4)).unwrap_or_default();
        assert!(why.contains(&format!("supports CUDA {}.4, this program", TOOLKIT.0 - 1)), "{why}");
        assert_eq!(too_old(&card(8, 0), (TOOLKIT.0, 0)), None);
        assert_eq!(too_old(&card(12, 0), (TOOLKIT.0 + 1, 0)), None);
    }

    #[test]
    fn says_which_cards_there_are() {
        assert_eq!(no_such(3, 2), "there are 2 cards, cuda:3 is not one of them");
        assert_eq!(no_such(1, 1), "there is 1 card, cuda:0, and no cuda:1");
    }
}
