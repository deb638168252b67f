//! Files: places that outputs take, maps, digests, tables. It knows no word of the domain.
//!
//! **Invariant:** what a user names is a regular file of a bounded length before it is read.
//! **Invariant:** [`ids`] alone makes ids of paths; an id that would lead out of its folder is never written or opened.
//! **Invariant:** nothing here writes a time, a host name or an absolute path: the same inputs give the same bytes.
//! **Invariant:** `unsafe` is in `backing.rs`, which maps files, and in `place/exchange.rs` and `large.rs`, for one system call
//! each.
#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "maps files")]
mod backing;
mod bounded;
pub mod brief;
mod contained;
mod digest;
mod dtype;
pub mod ids;
#[cfg_attr(target_os = "linux", expect(unsafe_code, reason = "gives the system a hint"))]
mod large;
pub mod matrix;
mod ours;
mod packed;
mod place;
pub mod seal;
mod spool;
pub mod table;
pub mod tar;

pub use backing::{MapError, MappedFile};
pub use bounded::{check_header, open_file, read_file, too_long};
pub use contained::contained;
pub use digest::{Digest, DigestBuilder, ParseDigestError};
pub use dtype::Dtype;
pub use large::{LargeMemory, large_room};
pub use ours::{Columns, Marks, Ours};
pub use packed::Packed;
pub use place::{Place, PlaceError, distinct, withdraw};
pub use spool::{is_gzip, spool};
