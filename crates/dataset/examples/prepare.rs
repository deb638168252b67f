//! A check's tool, not a user's: what `tests/peers/preprocess.py` compares with Pillow and torchvision.
//!
//! `prepare LIST PRESETS OUT` reads image paths (one a line) and named preprocessings (JSON), and writes for image i
//! `OUT/i.decoded` (width and height as u32, then RGB bytes), `OUT/i.NAME.u8` (h, w, 3) and `OUT/i.NAME.f32` (3, h, w),
//! all little-endian, or `OUT/i.error`. `prepare LIST PRESETS` prints how many images a second one thread prepares.

use artifact::{Channels, Preprocessing};
use headstart_dataset as dataset;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [list, presets, out @ ..] = arguments.as_slice() else {
        return Err("usage: prepare LIST PRESETS [OUT]".into());
    };
    let list = std::fs::read_to_string(list)?;
    let presets: BTreeMap<String, Preprocessing> = serde_json::from_str(&std::fs::read_to_string(presets)?)?;
    match out.first() {
        Some(out) => list
            .lines()
            .enumerate()
            .try_for_each(|(i, path)| write(Path::new(path), &presets, &Path::new(out).join(i.to_string()))),
        None => time(&list, &presets),
    }
}

fn write(image: &Path, presets: &BTreeMap<String, Preprocessing>, out: &Path) -> Result<(), Failure> {
    let picture = match dataset::decode(&std::fs::read(image)?) {
        Ok(picture) => picture,
        Err(reason) => return Ok(std::fs::write(out.with_extension("error"), reason.to_string())?),
    };
    let size = [picture.width, picture.height].map(u32::to_le_bytes).concat();
    std::fs::write(out.with_extension("decoded"), [size.as_slice(), &picture.pixels].concat())?;
    for (name, how) in presets {
        let bytes = dataset::prepare(&picture, how);
        std::fs::write(out.with_extension(format!("{name}.u8")), &bytes)?;
        let mut tensor = Vec::with_capacity(bytes.len() * 4);
        for (channel, table) in how.tables().iter().enumerate() {
            let at = if how.channels == Channels::Bgr { 2 - channel } else { channel };
            for pixel in bytes.chunks_exact(3) {
                tensor.extend_from_slice(&table[usize::from(pixel[at])].to_le_bytes());
            }
        }
        std::fs::write(out.with_extension(format!("{name}.f32")), tensor)?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figure is what it is run for")]
fn time(list: &str, presets: &BTreeMap<String, Preprocessing>) -> Result<(), Failure> {
    let files: Vec<Vec<u8>> = list.lines().map(std::fs::read).collect::<Result<_, _>>()?;
    let start = Instant::now();
    let pictures: Vec<_> = files.iter().map(|bytes| dataset::decode(bytes)).collect::<Result<_, _>>()?;
    println!("decode {:.1}", files.len() as f64 / start.elapsed().as_secs_f64());
    for (name, how) in presets {
        let start = Instant::now();
        let bytes: usize = pictures.iter().map(|picture| dataset::prepare(picture, how).len()).sum();
        println!("{name} {:.1}", files.len() as f64 / start.elapsed().as_secs_f64());
        assert!(bytes > 0);
    }
    Ok(())
}
