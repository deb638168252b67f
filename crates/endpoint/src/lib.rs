//! Models behind an endpoint that speaks OpenAI's `/v1/embeddings`: texts are asked for, and every answer is kept.
//!
//! - [`Endpoint`] asks once.
//! - [`Journal`] is a file of answers. It only grows.
//! - [`Asker`] asks for many texts at a time, again where a server is busy, and in halves where it refuses some.
//!
//! **Invariant:** an answer is on the disk before whoever brought it asks again. So nothing that came is paid for twice.
//! **Invariant:** the key is in no file, no message and no digest. Texts are in no file either: the journal knows their digests.
#![forbid(unsafe_code)]

mod ask;
mod endpoint;
mod error;
mod gate;
mod journal;
mod model;
mod reply;
mod secrecy;
mod text;

pub use ask::{Asker, Event, Limits, Wanted};
pub use endpoint::{Endpoint, Key, Settings};
pub use error::{EndpointError, JournalError};
pub use journal::Journal;
pub use model::Model;
pub use text::text_of;
