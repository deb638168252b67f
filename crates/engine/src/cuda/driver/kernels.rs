//! Our kernels on a card.

use super::{
    super::{CardError, Launch},
    built::{IMAGES, TOOLKIT},
    context::{Context, failed, version, words},
    owned::Stream,
};
use cudarc::driver::{DriverError, result, sys};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CString, c_int, c_void};
use std::ptr::null_mut;
use std::sync::Arc;

/// Bytes that the threads of a block may share without anybody having been asked.
const SHARED: u32 = 48 << 10;

/// The loaded kernels.
pub(super) struct Kernels {
    modules: Vec<sys::CUmodule>,
    /// Those that have been asked for.
    known: RefCell<HashMap<String, Kernel>>,
    context: Arc<Context>,
}

#[derive(Clone, Copy)]
struct Kernel {
    handle: sys::CUfunction,
    /// Bytes that its threads may share.
    shared: u32,
}

// SAFETY: the driver takes the handles on any thread on which their context was entered.
unsafe impl Send for Kernels {}

impl Kernels {
    pub(super) fn load(context: &Arc<Context>) -> Result<Kernels, CardError> {
        context.enter()?;
        let mut kernels =
            Kernels { modules: Vec::new(), known: RefCell::default(), context: Arc::clone(context) };
        for image in IMAGES {
            // SAFETY: a fatbin, which says itself how long it is.
            let module = unsafe { result::module::load_data(image.bytes().as_ptr().cast()) };
            kernels.modules.push(module.map_err(|error| refused(context, error))?);
        }
        Ok(kernels)
    }

    /// Has a kernel ready to be run with so many bytes that its threads share.
    pub(super) fn prepare(&self, name: &str, shared: u32) -> Result<sys::CUfunction, CardError> {
        let mut known = self.known.borrow_mut();
        let kernel = match known.get_mut(name) {
            Some(kernel) => kernel,
            None => known.entry(name.to_owned()).or_insert(self.look_up(name)?),
        };
        if shared > kernel.shared {
            allow(kernel.handle, shared)
                .map_err(failed(format!("allowing {name} {shared} bytes of shared memory")))?;
            kernel.shared = shared;
        }
        Ok(kernel.handle)
    }

    pub(super) fn launch(&self, launch: &Launch<'_>, stream: &Stream) -> Result<(), CardError> {
        let kernel = self.prepare(launch.kernel, launch.shared)?;
        let [x, y, z] = launch.blocks;
        let mut size = launch.arguments.len();
        // The words are CU_LAUNCH_PARAM_BUFFER_POINTER, CU_LAUNCH_PARAM_BUFFER_SIZE and CU_LAUNCH_PARAM_END: the arguments
        // as bytes, whatever struct they are.
        let mut extra: [*mut c_void; 5] = [
            word(sys::CU_LAUNCH_PARAM_BUFFER_POINTER_AS_INT),
            launch.arguments.as_ptr().cast_mut().cast(),
            word(sys::CU_LAUNCH_PARAM_BUFFER_SIZE_AS_INT),
            (&raw mut size).cast(),
            word(sys::CU_LAUNCH_PARAM_END_AS_INT),
        ];
        let threads = launch.threads;
        // SAFETY: kernel and stream exist, and are of one context. The driver copies the arguments before it returns, and
        // refuses any that are not as long as the kernel's. What the kernel writes to is the card's memory, at addresses
        // that whoever made the arguments answers for: none of it is Rust's.
        unsafe {
            sys::cuLaunchKernel(
                kernel,
                x,
                y,
                z,
                threads,
                1,
                1,
                launch.shared,
                stream.handle(),
                null_mut(),
                extra.as_mut_ptr(),
            )
        }
        .result()
        .map_err(failed(format!("starting {}", launch.kernel)))
    }

    fn look_up(&self, name: &str) -> Result<Kernel, CardError> {
        let doing = || failed(format!("looking for the kernel {name}"));
        let mut missing = DriverError(sys::CUresult::CUDA_ERROR_NOT_FOUND);
        for &module in &self.modules {
            // A name with a 0 in it is none.
            let Ok(name) = CString::new(name) else { break };
            // SAFETY: the module is loaded until `self` is dropped.
            match unsafe { result::module::get_function(module, name) } {
                Ok(handle) => return Ok(Kernel { handle, shared: SHARED }),
                Err(error) if error == missing => {}
                Err(error) => {
                    missing = error;
                    break;
                }
            }
        }
        Err(doing()(missing))
    }
}

impl Drop for Kernels {
    fn drop(&mut self) {
        self.context.settle();
        for &module in &self.modules {
            // SAFETY: it is loaded, nothing of it runs any more, and nobody can ask for its kernels again. An error
            // changes nothing any more.
            let _ = unsafe { result::module::unload(module) };
        }
    }
}

/// Lets the threads of a kernel's blocks share more, at the expense of the multiprocessor's cache.
fn allow(kernel: sys::CUfunction, shared: u32) -> Result<(), DriverError> {
    use sys::CUfunction_attribute as Attribute;
    let most = Attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
    let share = Attribute::CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT;
    let bytes = c_int::try_from(shared).unwrap_or(c_int::MAX);
    // SAFETY: the kernel is loaded.
    unsafe { result::function::set_function_attribute(kernel, most, bytes) }?;
    // In percent: as many blocks as have room are to be on a multiprocessor.
    // SAFETY: as above.
    unsafe { result::function::set_function_attribute(kernel, share, 100) }
}

/// Why the driver does not take our kernels.
fn refused(context: &Context, error: DriverError) -> CardError {
    use sys::CUresult as Code;
    let name = &context.description().name;
    match error.0 {
        Code::CUDA_ERROR_NO_BINARY_FOR_GPU
        | Code::CUDA_ERROR_UNSUPPORTED_PTX_VERSION
        | Code::CUDA_ERROR_INVALID_PTX
        | Code::CUDA_ERROR_INVALID_IMAGE => {
            let (major, minor) = version().unwrap_or_default();
            CardError::Absent(format!(
                "this program's kernels, built with CUDA {}.{}, do not run on {name} with a driver that supports \
                 {major}.{minor}: {}",
                TOOLKIT.0,
                TOOLKIT.1,
                words(error)
            ))
        }
        _ => failed("loading the kernels")(error),
    }
}

/// A number where the driver wants a pointer.
fn word(number: u32) -> *mut c_void {
    std::ptr::without_provenance_mut(number as usize)
}
