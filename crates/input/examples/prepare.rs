//! A check's tool, not a user's: what `tests/peers/preprocess.py` compares with Pillow and torchvision.
//!
//! `prepare LIST PRESETS OUT` reads image paths (one a line) and named preprocessings (JSON), and writes for image i
//! `OUT/i.decoded` (width and height as u32, then RGB bytes), `OUT/i.NAME.u8` (h, w, 3) and `OUT/i.NAME.f32` (3, h, w),
//! all little-endian, or `OUT/i.error`. `prepare LIST PRESETS` times one thread: for every image it prints the seconds
//! that decoding it takes, then for each preset those of `prepare` and of `load`; the first line has the names.

use headstart_input::image::{Channels, Decode, Grey16, Preprocessing};
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
    let picture = match headstart_input::image::decode(&std::fs::read(image)?) {
        Ok(picture) => picture,
        Err(reason) => return Ok(std::fs::write(out.with_extension("error"), reason.to_string())?),
    };
    let size = [picture.width, picture.height].map(u32::to_le_bytes).concat();
    std::fs::write(out.with_extension("decoded"), [size.as_slice(), &picture.pixels].concat())?;
    let file = std::fs::read(image)?;
    for (name, how) in presets {
        let bytes = headstart_input::image::load(&file, how)?.pixels;
        // Decoding no more than is needed must not show; the whole picture was decoded with grey as Pillow has it.
        let alike = how.decode == Decode::Exact && how.grey16 == Grey16::default();
        if alike && bytes != headstart_input::image::prepare(&picture, how) {
            return Ok(std::fs::write(
                out.with_extension("error"),
                format!("{name}: load differs from prepare"),
            )?);
        }
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

#[expect(clippy::print_stdout, reason = "the figures are what it is run for")]
fn time(list: &str, presets: &BTreeMap<String, Preprocessing>) -> Result<(), Failure> {
    let names: Vec<String> = presets.keys().flat_map(|name| [name.clone(), format!("load:{name}")]).collect();
    println!("decode {}", names.join(" "));
    for path in list.lines() {
        let file = std::fs::read(path)?;
        let start = Instant::now();
        let picture = headstart_input::image::decode(&file)?;
        let mut line = format!("{:.7}", start.elapsed().as_secs_f64());
        for how in presets.values() {
            let start = Instant::now();
            let prepared = headstart_input::image::prepare(&picture, how);
            let between = Instant::now();
            let loaded = headstart_input::image::load(&file, how)?.pixels;
            let end = Instant::now();
            assert!(prepared.len() == loaded.len());
            line += &format!(" {:.7} {:.7}", (between - start).as_secs_f64(), (end - between).as_secs_f64());
        }
        println!("{line}");
    }
    Ok(())
}
