//! The old door to rooms that have moved, until everybody uses theirs; and the head's file.
mod head;
pub use features::*;
pub use head::{HEAD_FILE, Head, HeadError, HeadKind, Memory, Novelty};
pub use input::{
    PROBES,
    image::{Augment, Channels, Decode, Filter, Grey16, Preprocessing, PreprocessingError, Resize, Views},
};
pub use sample::{Skipped, Split, targets::*};
pub use store::*;
pub use weights::Dense;
