//! Room that is used again. What the system gives anew it first fills with zeros, page by page: a fifth of a step's time.

use std::sync::{Mutex, PoisonError};

/// Buffers that nobody uses at the moment.
static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());
/// Fewer numbers are not worth the search.
const LITTLE: usize = 1 << 14;
/// More buffers than that are never wanted at once.
const MANY: usize = 256;

/// So many numbers, of whoever had them before.
pub(crate) fn room(length: usize) -> Vec<f32> {
    if length < LITTLE {
        return vec![0.0; length];
    }
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |(_, buffer): &(usize, &Vec<f32>)| (length..=2 * length).contains(&buffer.capacity());
    let best = free.iter().enumerate().filter(fits).min_by_key(|(_, buffer)| buffer.capacity());
    let found = best.map(|(at, _)| at).map(|at| free.swap_remove(at));
    drop(free);
    let Some(mut buffer) = found else { return vec![0.0; length] };
    buffer.resize(length, 0.0);
    buffer
}

/// So many zeros.
pub(crate) fn zeros(length: usize) -> Vec<f32> {
    let mut room = room(length);
    room.fill(0.0);
    room
}

/// The same numbers again.
pub(crate) fn copy(of: &[f32]) -> Vec<f32> {
    let mut room = room(of.len());
    room.copy_from_slice(of);
    room
}

/// One after the other.
pub(crate) fn concat(parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut room = room(parts.iter().map(Vec::len).sum());
    let mut rest = room.as_mut_slice();
    for part in parts {
        let (own, others) = rest.split_at_mut(part.len());
        own.copy_from_slice(&part);
        rest = others;
        give_back(part);
    }
    room
}

/// A buffer that is needed no more.
pub(crate) fn give_back(buffer: Vec<f32>) {
    if buffer.capacity() < LITTLE {
        return;
    }
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    free.push(buffer);
    if free.len() > MANY {
        let least = free.iter().enumerate().min_by_key(|(_, buffer)| buffer.capacity());
        let least = least.map_or(0, |(at, _)| at);
        free.swap_remove(least);
    }
}

/// Gives all of it back to the system.
pub(crate) fn clear() {
    FREE.lock().unwrap_or_else(PoisonError::into_inner).clear();
}
