//! PyTorch's checkpoints.

use crate::{scratch, weights::whole};

/// What stands before the pickle of a model in a file from before PyTorch 1.6, and behind it: one storage, `0`, of six floats.
const HEAD: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\
    \x80\x02}X\x0d\0\0\0little_endian\x88s.";
const TAIL: &[u8] = b"\x80\x02]X\x01\0\0\x000a.\x06\0\0\0\0\0\0\0\
    \0\0\0\0\0\0\x80?\0\0\0@\0\0@@\0\0\x80@\0\0\xa0@";

/// A byte that says what follows: a file, or a pickle, around which a file is made.
pub fn pytorch(bytes: &[u8]) {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    let file = if how & 1 == 0 { bytes.to_vec() } else { [HEAD, bytes, TAIL].concat() };
    scratch::with_file("w.pth", &file, |path| match weights::open(path) {
        Ok(file) => whole(&*file),
        Err(error) => {
            let line = error.to_string();
            assert!(!line.contains('\n') && line.chars().count() <= 500, "{line}");
        }
    });
}
