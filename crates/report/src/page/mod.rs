//! What a page is about, as plain data.

mod calibration;
mod classes;
mod confusion;
mod curves;
mod estimate;
mod fit;
mod galleries;
mod lineage;
mod samples;
mod slices;
mod summary;
mod values;
mod whole;

pub use calibration::{Bin, Calibration, Histogram, Reject};
pub use classes::{ClassTable, Column};
pub use confusion::{Cell, Confusion};
pub use curves::{ClassCurves, Curve, Curves};
pub use estimate::{Estimate, Scale};
pub use fit::{Learning, LearningMetric, Sweep};
pub use galleries::{Duplicate, Exhibit, Mislabel, Mistake};
pub use lineage::{LineageEntry, LineageGroup};
pub use samples::{Map, Samples};
pub use slices::{Slice, Slices};
pub use summary::{Baseline, Difference, Figure, Summary, Verdict, Warning};
pub use values::{Output, Values};
pub use whole::{Outputs, Page};
