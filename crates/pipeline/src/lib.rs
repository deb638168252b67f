//! Samples to rows: inputs are prepared ahead of whoever embeds them, and rows come in the samples' order.
//!
//! It knows no artefact, no flag and no head. Errors are [`anyhow::Error`], since a run ends with the first error of the
//! program that takes its rows.
//!
//! **Invariant:** a row's bits do not depend on the batch, on other samples, or on how many threads prepare inputs.
#![forbid(unsafe_code)]

mod assignment;
mod device;
mod embedder;
mod job;
mod remarks;
mod reuse;
mod run;
mod times;

pub use assignment::Assignment;
pub use device::{Device, DeviceError, DeviceName, DeviceRequest, LOOK, Look, PrecisionName};
pub use embedder::{Ahead, Buffer, Embedded, Embedder, Plan, Processor, open};
pub use job::{Job, Known, Reason, Seen};
pub use remarks::{Remarks, Words};
pub use reuse::Reuse;
pub use run::{SampleRun, Take, run};
pub use times::{Cards, Limit, Times};
