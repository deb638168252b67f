//! `fit-head` as users run it.

mod choice;
mod kinds;
mod usage;
mod views;

use harness::{Made, Room, Run, flip};
use head::{Head, HeadKind};
use store::table;

const TOOL: &str = env!("CARGO_BIN_EXE_fit-head");

fn fit_head(room: &Room, arguments: &[&str]) -> Run {
    room.call(TOOL, arguments)
}
