//! Campaigns against the programs: library calls that fail, signals at any moment, files that are damaged.
//!
//! A [`Job`] is a program with its inputs and outputs. A [`Fault`] lets one of its library calls fail, or sends it a signal
//! there; [`Damage`] is done to one of its inputs. What must hold then is decided in one place, `judge.rs`.
//!
//! **Invariant:** a case is named by one line, which reproduces it: `chaos CASE`.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "only tests call this, where a failure should panic")]

mod damage;
mod fault;
mod job;
mod judge;
mod mutate;
mod pictures;
mod run;
mod shop;
mod tally;
mod trials;

pub use damage::{DAMAGES, Damage, damage};
pub use fault::{FAULTS, Fault, Kind};
pub use job::{JOBS, Job, SHARDS};
pub use pictures::pictures;
pub use run::works_here;
pub use shop::Shop;
pub use tally::Tally;
pub use trials::{every_fault, fault, moment, moments, some_faults, stopped_again};
