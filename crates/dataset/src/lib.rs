//! The old door to rooms that have moved, until everybody uses theirs.
pub use input::image::*;
pub use sample::{DataSet, DatasetError, Doubt, EXTENSIONS, Passed, Ratios, RatiosError, Sample};
