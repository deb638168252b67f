//! libjpeg's error manager: its fatal errors unwind with their message, its warnings are counted.
//!
//! mozjpeg's own does the former, and keeps the count to itself. What takes `unsafe` here is to fill the manager in and
//! to have it word its message.

use mozjpeg_sys::{jpeg_common_struct, jpeg_error_mgr, jpeg_std_error};
use std::cell::Cell;
use std::os::raw::{c_char, c_int};
use std::{mem, ptr};

/// libjpeg's `JMSG_LENGTH_MAX`.
const LONGEST: usize = 200;

thread_local! {
    static WARNINGS: Cell<u64> = const { Cell::new(0) };
}

/// How often the library has warned on this thread since that was last asked.
pub(super) fn take() -> u64 {
    WARNINGS.take()
}

/// For one decoder.
pub(super) fn manager() -> jpeg_error_mgr {
    let mut manager = jpeg_error_mgr {
        error_exit: None,
        emit_message: None,
        output_message: None,
        format_message: None,
        reset_error_mgr: None,
        msg_code: 0,
        msg_parm: Default::default(),
        trace_level: 0,
        num_warnings: 0,
        jpeg_message_table: ptr::null(),
        last_jpeg_message: 0,
        addon_message_table: ptr::null(),
        first_addon_message: 0,
        last_addon_message: 0,
    };
    // SAFETY: it does nothing but assign to the fields of the struct that it is given, which lives here.
    unsafe {
        jpeg_std_error(&mut manager);
    }
    manager.error_exit = Some(give_up);
    manager.emit_message = Some(count);
    manager
}

/// Levels below zero are warnings, the others are traces.
extern "C-unwind" fn count(_: &mut jpeg_common_struct, level: c_int) {
    if level < 0 {
        WARNINGS.set(WARNINGS.get() + 1);
    }
}

#[cold]
extern "C-unwind" fn give_up(cinfo: &mut jpeg_common_struct) {
    // Avoids the panic hook.
    std::panic::resume_unwind(Box::new(message(cinfo)));
}

fn message(cinfo: &mut jpeg_common_struct) -> String {
    type Format = unsafe extern "C-unwind" fn(&mut jpeg_common_struct, *mut c_char);
    // SAFETY: the library calls `error_exit` with its own struct, whose manager is the one that was made above and lives
    // as long as the decoder.
    let Some(format) = (unsafe { cinfo.err.as_ref() }).and_then(|manager| manager.format_message) else {
        return "an error without words".to_owned();
    };
    let mut text = [0u8; LONGEST];
    // SAFETY: the binding takes the text for 80 bytes that are not written to; in C the function takes a pointer to
    // `JMSG_LENGTH_MAX` bytes, and writes no more.
    unsafe {
        let format =
            mem::transmute::<unsafe extern "C-unwind" fn(&mut jpeg_common_struct, &[u8; 80]), Format>(format);
        format(cinfo, text.as_mut_ptr().cast());
    }
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}
