//! Renders the sample data set: ten classes of textures, shapes and glyphs, as class folders under train, val and test.
//!
//! Colours, contrast, position, size, rotation, clutter and noise all vary freely within a class, so raw pixels tell
//! next to nothing. Only +, -, ×, ÷ and square roots are used, which IEEE 754 rounds alike everywhere: every machine
//! renders the same bytes.
//!
//! Or it writes sentences: reviews of four kinds of things, pleased or not, as a table.
#![forbid(unsafe_code)]

mod canvas;
mod class;
mod scene;
mod sentence;
mod stream;

use anyhow::{Context, Result};
use clap::Parser;
use class::Class;
use sample::Split;
use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};
use store::{Ours, Place};
use stream::Stream;

/// Render Headstart's sample data set: 800 pictures of ten classes of textures, shapes and glyphs.
///
/// Writes FOLDER/SPLIT/CLASS/NNN.png for the splits train (50 a class), val (10) and test (20), each picture between 80
/// and 128 pixels a side. The same seed gives the same bytes.
///
/// With --texts it writes a table of 800 made-up sentences of reviews in place of pictures, for `extract --text-column text`.
#[derive(Debug, Parser)]
#[command(
    name = "make-sample",
    version,
    after_help = "Example:\n  target/release/make-sample /tmp/sample --force"
)]
struct Args {
    /// Folder to write; a .csv with --texts
    #[arg(value_name = "FOLDER")]
    output: PathBuf,

    /// Write sentences, with the columns text, label, topic and split
    #[arg(long)]
    texts: bool,

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

/// Pictures of a class in each split.
const SPLITS: [(Split, u32); 3] = [(Split::Train, 50), (Split::Val, 10), (Split::Test, 20)];

fn main() -> ExitCode {
    cli::main(run, store::withdraw)
}

fn run(args: Args) -> Result<()> {
    let Args { output, texts, seed, force, common } = args;
    let session = common.start()?;
    if texts {
        return write_sentences(&output, seed, force, &session);
    }
    let place = Place::folder(&output, force, is_ours)?;
    fs::write(place.temporary().join(MARKER), "").map_err(|error| place.failed(error))?;
    let mut pictures = 0u64;
    for (split, each) in SPLITS {
        for class in Class::ALL {
            let folder = place.temporary().join(split.name()).join(class.name());
            fs::create_dir_all(&folder).map_err(|error| place.failed(error))?;
            for n in 0..each {
                // A stream of its own for every picture: none depends on how many came before it.
                let mut stream = Stream::new(seed, &format!("{split}/{}/{n}", class.name()));
                let picture = scene::render(class, &mut stream);
                let path = folder.join(name(n));
                picture.save(&path).with_context(|| format!("cannot write `{}`", output.display()))?;
                pictures += 1;
            }
        }
    }
    place.commit()?;
    session.note(format!("make-sample: {} pictures → {}", cli::count(pictures), output.display()));
    Ok(())
}

/// The first line of a table of sentences; by it `--force` knows one of ours.
const COLUMNS: &str = "text,label,topic,split\n";
/// Sentences of a topic and a label in each split.
const OF_EACH: [(Split, u32); 3] = [(Split::Train, 60), (Split::Val, 10), (Split::Test, 30)];
const SENTENCES: Ours = Ours::file("a sample of sentences", &[COLUMNS.as_bytes()]);

/// No sentence holds a quote.
fn write_sentences(output: &Path, seed: u64, force: bool, session: &cli::Session) -> Result<()> {
    if output.extension().is_none_or(|extension| extension != "csv") {
        return Err(cli::UsageError(format!(
            "--texts takes a name that ends in .csv, got `{}`",
            output.display()
        ))
        .into());
    }
    let place = Place::file(output, force, SENTENCES)?;
    let (mut table, mut written) = (COLUMNS.to_owned(), BTreeSet::new());
    for (split, each) in OF_EACH {
        for (topic, (name, _)) in sentence::TOPICS.iter().enumerate() {
            for label in ["negative", "positive"] {
                let mut stream = Stream::new(seed, &format!("{split}/{name}/{label}"));
                for _ in 0..each {
                    let text = loop {
                        let text = sentence::write(topic, label == "positive", split, &mut stream);
                        // None is in two splits.
                        if written.insert(text.clone()) {
                            break text;
                        }
                    };
                    table += &format!("\"{text}\",{label},{name},{split}\n");
                }
            }
        }
    }
    place.open()?.write_all(table.as_bytes()).map_err(|error| place.failed(error))?;
    place.commit()?;
    session.note(format!(
        "make-sample: {} sentences → {}",
        cli::count(written.len() as u64),
        output.display()
    ));
    Ok(())
}

fn name(n: u32) -> String {
    format!("{n:03}.png")
}

/// Whether a folder holds an earlier sample, and nothing else: what people put there stays.
fn is_ours(folder: &Path) -> bool {
    let names = |folder: &Path| -> Option<BTreeSet<String>> {
        let entries = fs::read_dir(folder).ok()?;
        entries.map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
    };
    let holds = |folder: &Path, expected: &mut dyn Iterator<Item = String>| {
        let expected: BTreeSet<String> = expected.collect();
        names(folder).is_some_and(|names| names.is_subset(&expected))
    };
    let splits = SPLITS.map(|(split, _)| split.name().to_owned());
    folder.join(MARKER).exists()
        && holds(folder, &mut splits.into_iter().chain([MARKER.to_owned()]))
        && SPLITS.iter().all(|(split, each)| {
            let split = folder.join(split.name());
            !split.exists()
                || holds(&split, &mut Class::ALL.iter().map(|class| class.name().to_owned()))
                    && Class::ALL
                        .iter()
                        .map(|class| split.join(class.name()))
                        .all(|class| !class.exists() || holds(&class, &mut (0..*each).map(name)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_put_into_a_sample_makes_it_theirs() {
        let root = std::env::temp_dir().join(format!("headstart-sample-{}", std::process::id()));
        let class = root.join("train").join(Class::ALL[0].name());
        fs::create_dir_all(&class).unwrap();
        assert!(!is_ours(&root));
        fs::write(root.join(MARKER), "").unwrap();
        fs::write(class.join("007.png"), "").unwrap();
        assert!(is_ours(&root));
        for own in
            [class.join("mine.jpg"), class.join("050.png"), root.join("notes.txt"), root.join("train/mine")]
        {
            fs::write(&own, "").unwrap();
            assert!(!is_ours(&root), "{}", own.display());
            fs::remove_file(&own).unwrap();
        }
        assert!(is_ours(&root));
        fs::remove_dir_all(&root).unwrap();
    }
}
