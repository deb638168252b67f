//! One self-contained HTML page about a head on frozen features.
//!
//! [`Page`] is what is known, as plain columns; [`render`] sets it. Whatever is absent from the
//! page has no section. The result needs nothing but a browser: style, scripts and data lie in the
//! file, and its content security policy forbids it to ask anybody for more.
//!
//! The numbers are the caller's: nothing is measured here but the order in which the confusion
//! matrix shows its classes ([`Confusion`]). Equal pages give equal bytes, on every machine.
//!
//! **Invariant:** no I/O, no clock, no other crate of ours.
#![forbid(unsafe_code)]

mod check;
mod html;
mod json;
mod order;
mod page;
mod sections;
mod thin;

pub use check::PageError;
pub use html::render;
pub use page::*;
