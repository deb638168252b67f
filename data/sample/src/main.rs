//! Renders the sample data set: ten classes of textures, shapes and glyphs, as class folders under train, val and test.
//!
//! Colours, contrast, position, size, rotation, clutter and noise all vary freely within a class, so raw pixels tell
//! next to nothing. Only +, -, ×, ÷ and square roots are used, which IEEE 754 rounds alike everywhere: every machine
//! renders the same bytes.
#![forbid(unsafe_code)]

mod canvas;
mod class;
mod scene;
mod stream;

use anyhow::{Context, Result};
use clap::Parser;
use class::Class;
use sample::Split;
use std::{fs, path::PathBuf, process::ExitCode};
use store::Place;
use stream::Stream;

/// Render Headstart's sample data set: 800 pictures of ten classes of textures, shapes and glyphs.
///
/// Writes FOLDER/SPLIT/CLASS/NNN.png for the splits train (50 a class), val (10) and test (20), each picture between 80
/// and 128 pixels a side. The same seed gives the same bytes.
#[derive(Debug, Parser)]
#[command(
    name = "make-sample",
    version,
    after_help = "Example:\n  target/release/make-sample /tmp/sample --force"
)]
struct Args {
    /// Folder to write
    #[arg(value_name = "FOLDER")]
    output: PathBuf,

    /// Seed of every random draw
    #[arg(long, value_name = "N", default_value_t = 2026)]
    seed: u64,

    /// Replace FOLDER where it is an earlier sample
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    common: cli::Common,
}

/// Hidden, so that no tool takes it for a sample; by it `--force` knows a folder of ours.
const MARKER: &str = ".headstart-sample";

fn main() -> ExitCode {
    cli::main(run, store::withdraw)
}

fn run(args: Args) -> Result<()> {
    let Args { output, seed, force, common } = args;
    let session = common.start()?;
    let place = Place::folder(&output, force, |folder| folder.join(MARKER).exists())?;
    fs::write(place.temporary().join(MARKER), "").map_err(|error| place.failed(error))?;
    let mut pictures = 0u64;
    for (split, each) in [(Split::Train, 50), (Split::Val, 10), (Split::Test, 20)] {
        for class in Class::ALL {
            let folder = place.temporary().join(split.name()).join(class.name());
            fs::create_dir_all(&folder).map_err(|error| place.failed(error))?;
            for n in 0..each {
                // A stream of its own for every picture: none depends on how many came before it.
                let mut stream = Stream::new(seed, &format!("{split}/{}/{n}", class.name()));
                let picture = scene::render(class, &mut stream);
                let path = folder.join(format!("{n:03}.png"));
                picture.save(&path).with_context(|| format!("cannot write `{}`", output.display()))?;
                pictures += 1;
            }
        }
    }
    place.commit()?;
    session.note(format!("make-sample: {} pictures → {}", cli::count(pictures), output.display()));
    Ok(())
}
