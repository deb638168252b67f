//! `extract` as users run it.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

mod bad_images;
mod data_sets;
mod decode;
mod devices;
mod endpoint;
mod features;
mod forms;
mod given;
mod interrupted;
mod outputs;
mod photographs;
mod remarks;
mod update;
mod usage;
mod views;
mod weights;

use ::features::Features;
use harness::{Room, Run};

const TOOL: &str = env!("CARGO_BIN_EXE_extract");

/// Runs it on the CPU, unless told otherwise: in a build with CUDA a machine's card would be taken.
fn extract(room: &Room, arguments: &[&str]) -> Run {
    let elsewhere = !cfg!(feature = "cuda") || arguments.contains(&"--device");
    let device: &[&str] = if elsewhere { &[] } else { &["--device", "cpu"] };
    room.call(TOOL, &[arguments, device].concat())
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
