//! The small kernels against plain loops, for every kind of number, over sizes that divide nothing.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

mod copies;
mod maps;
mod rig;
mod texts;
mod windows;
