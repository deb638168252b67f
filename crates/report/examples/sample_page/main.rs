//! Pages of made-up data, to look at: `sample_page small OUT.html`, `sample_page large OUT.html`.
//!
//! Small is 10 classes and 500 rows with pictures, large 1,000 classes and 100,000 rows without.
//! Numbers are plausible, drawn from a fixed seed, and mean nothing.
#![expect(clippy::print_stdout, reason = "an example says what it wrote")]

mod drawing;
mod fits;
mod measures;
mod setting;
mod world;

use std::process::ExitCode;
use std::time::Instant;

use crate::world::World;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (world, path) = match &arguments[..] {
        [size, path] if size == "small" => (World::new(10, 500), path),
        [size, path] if size == "large" => (World::new(1000, 100_000), path),
        _ => {
            println!("usage: sample_page small|large OUT.html");
            return ExitCode::from(2);
        }
    };
    let page = setting::page(&world);
    let start = Instant::now();
    let html = report::render(&page);
    let millis = start.elapsed().as_millis();
    if let Err(error) = std::fs::write(path, &html) {
        println!("{path}: {error}");
        return ExitCode::FAILURE;
    }
    println!("{path}: {:.2} MB, rendered in {millis} ms", html.len() as f64 / 1e6);
    ExitCode::SUCCESS
}
