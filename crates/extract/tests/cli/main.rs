//! `extract` as users run it.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

mod bad_images;
mod data_sets;
mod decode;
mod features;
mod outputs;
mod photographs;
mod usage;
mod weights;

use artifact::Features;
use harness::{Room, Run};

const TOOL: &str = env!("CARGO_BIN_EXE_extract");

fn extract(room: &Room, arguments: &[&str]) -> Run {
    room.call(TOOL, arguments)
}

/// A room with `data`: two classes of `each` pictures.
fn room(each: usize) -> Room {
    let room = Room::new();
    room.pictures("data", 2, each);
    room
}

fn open(room: &Room, name: &str) -> Features {
    Features::open(&room.path(name)).unwrap()
}

/// Id and values of every row.
fn rows(features: &Features) -> Vec<(String, Vec<f32>)> {
    (0..features.len()).map(|row| (features.id(row).to_owned(), features.matrix(&[row]))).collect()
}
