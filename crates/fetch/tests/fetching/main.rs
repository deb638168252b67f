//! `fetch` as users run it, against servers on this machine.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]
#![expect(clippy::disallowed_types, reason = "servers for the tests")]

mod at_once;
mod model;
mod offline;
mod refusals;
mod resumed;
mod server;
mod snapshots;
mod usage;
mod web;

use harness::{Room, Run};
use server::Server;
use std::process::Command;

const TOOL: &str = env!("CARGO_BIN_EXE_fetch");
/// Variables of whoever runs the tests, which must not reach what is tested.
const CLEARED: [&str; 15] = [
    "HF_HOME",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_TOKEN_PATH",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "TORCH_HOME",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// The variables of a run whose caches are `hub`, `torch` and `headstart` in the room.
fn environment(room: &Room, server: &Server) -> Vec<(String, String)> {
    let mut set: Vec<_> = CLEARED.map(|name| (name.to_owned(), String::new())).into();
    let path = |name: &str| room.path(name).to_str().unwrap().to_owned();
    set.push(("HF_HOME".to_owned(), path("")));
    set.push(("XDG_CACHE_HOME".to_owned(), path("")));
    set.push(("HF_ENDPOINT".to_owned(), server.address()));
    set.push(("HEADSTART_TORCHVISION_ENDPOINT".to_owned(), server.address()));
    set
}

fn fetch(room: &Room, server: &Server, arguments: &[&str]) -> Run {
    fetch_with(room, server, arguments, &[])
}

fn fetch_with(room: &Room, server: &Server, arguments: &[&str], more: &[(&str, &str)]) -> Run {
    let set = environment(room, server);
    let set = set.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let set: Vec<_> = set.chain(more.iter().copied()).collect();
    room.call_with(TOOL, arguments, &set)
}

/// The same, not yet run.
fn command(room: &Room, server: &Server, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).envs(environment(room, server)).current_dir(room.path(""));
    command
}
