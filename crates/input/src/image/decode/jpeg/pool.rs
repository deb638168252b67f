//! Memory of planes, kept by each thread from one picture to the next: pages that are asked for anew cost as much as
//! the inverse DCT that fills them.

use std::cell::RefCell;

/// Of what planes took, no more than this is kept, each.
const LARGEST: usize = 4 << 20;

/// One for Y, Cb and Cr.
const MOST: usize = 3;

thread_local! {
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// `length` bytes of any value.
pub(super) fn take(length: usize) -> Vec<u8> {
    let mut bytes = KEPT.with_borrow_mut(|kept| {
        let fitting = kept.iter().position(|bytes| bytes.capacity() >= length);
        fitting.map(|i| kept.swap_remove(i)).or_else(|| kept.pop()).unwrap_or_default()
    });
    bytes.resize(length, 0);
    bytes
}

/// Gives back what [`take`] gave.
pub(super) fn give(bytes: Vec<u8>) {
    if bytes.capacity() <= LARGEST {
        KEPT.with_borrow_mut(|kept| {
            if kept.len() < MOST {
                kept.push(bytes);
            }
        });
    }
}
