//! What tests of the tools share: a fresh folder each, pictures and features made on the spot, and programs run as users
//! run them.
//!
//! It knows the files between the tools and nothing of the tools themselves: a test sees exit codes, lines and files.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "only tests call this, where a failure should panic")]

#[path = "harness/disk.rs"]
mod disk;
#[path = "harness/embeddings.rs"]
#[expect(clippy::disallowed_types, reason = "a server for the tests")]
mod embeddings;
#[path = "harness/features.rs"]
mod features;
#[path = "harness/formula.rs"]
mod formula;
#[path = "harness/pictures.rs"]
mod pictures;
#[path = "harness/room.rs"]
mod room;
#[path = "harness/run.rs"]
mod run;
#[path = "harness/texts.rs"]
mod texts;

pub use disk::SmallDisk;
pub use embeddings::{Answer, Asked, EMBEDDING, EmbeddingServer, embedding};
pub use features::{Made, network};
pub use formula::{formula, write_formula};
pub use pictures::{chunk, picture, png_header, turned_png};
pub use room::{Room, flip, program};
pub use run::Run;
pub use texts::{sentences, write_bert, write_model2vec};
