//! `headstart doctor`: what this machine can do, and whether the engine is right on it.

use anyhow::{Context, Result, bail};
use backbone::Wanted;
use clap::Parser;
use cli::Session;
use engine::{Cpu, Executor, Isa};
use std::{env, fs, time::Instant};

/// Say what this machine can do: processor, cards, memory and folders.
///
/// The network that comes with Headstart is run on every instruction set that the processor has. All must give the same bits.
/// If they do not, the exit code is 1.
#[derive(Debug, Parser)]
#[command(name = "doctor", version, max_term_width = 110)]
pub(super) struct Args {
    /// Flags that every tool has.
    #[command(flatten)]
    common: cli::Common,
}

/// # Errors
/// Where the engine gives other bits on one instruction set than on another.
pub(super) fn run(args: &Args) -> Result<()> {
    let session = args.common.start()?;
    let mut lines = vec![
        ("headstart", format!("{}, engine {}", env!("CARGO_PKG_VERSION"), engine::REVISION)),
        ("system", format!("{} on {}", env::consts::OS, env::consts::ARCH)),
        ("threads", session.threads().to_string()),
        ("memory", memory().unwrap_or_else(|| "unknown".to_owned())),
        ("cards", cards()),
        ("temporary files", temporary()),
    ];
    let (engine, is_right) = engines(&session)?;
    lines.extend(engine);
    let text: String = lines.iter().map(|(name, what)| format!("{name:<17}{what}\n")).collect();
    cli::print(&text)?;
    if is_right {
        Ok(())
    } else {
        bail!("instruction sets give different bits; please report the lines above")
    }
}

/// Each instruction set with its speed, and whether all agree.
fn engines(session: &Session) -> Result<(Vec<(&'static str, String)>, bool)> {
    let wanted = Wanted { name: None, weights: None, taps: &[], size: None, prepared: false };
    let found = backbone::find(wanted)?;
    let recipe = found.recipe.clone().context("the embedded network says how pictures are made")?;
    let bound = found.bind(&[&found.default_tap])?;
    let probes = recipe.probes();
    let (mut lines, mut expected, mut is_right) = (Vec::new(), None, true);
    for isa in Isa::available() {
        let mut cpu = Cpu::with_isa(bound.clone(), &recipe, isa)?;
        let rows = cpu.run(probes.batch())?;
        let (begun, mut pictures) = (Instant::now(), 0);
        while begun.elapsed().as_millis() < 100 {
            cpu.run(probes.batch())?;
            pictures += input::PROBES;
        }
        let rate = pictures as f64 / begun.elapsed().as_secs_f64();
        let same = *expected.get_or_insert_with(|| rows.clone()) == rows;
        is_right &= same;
        let bits = if same { "the same bits" } else { "OTHER BITS" };
        let name = format!("{isa:?}").to_lowercase();
        session.detail(format!("doctor: {name} ran {pictures} pictures"));
        lines.push((
            "instruction set",
            format!("{name}: {bits}, {} of {rate:.0} pictures a second", found.name),
        ));
    }
    Ok((lines, is_right))
}

fn cards() -> String {
    match pipeline::LOOK {
        None => "this build has no CUDA; see docs/gpu.md".to_owned(),
        Some(look) => {
            look().map_or_else(|error| format!("none: {error}"), |()| "cuda:0 can be used".to_owned())
        }
    }
}

/// As Linux says it.
fn memory() -> Option<String> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let of = |name: &str| -> Option<f64> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    let gib = |kib: f64| kib / f64::from(1 << 20);
    Some(format!("{:.1} GiB, {:.1} of them free", gib(of("MemTotal:")?), gib(of("MemAvailable:")?)))
}

fn temporary() -> String {
    let folder = env::temp_dir();
    let probe = folder.join(format!(".headstart-doctor-{}", std::process::id()));
    let written = fs::write(&probe, "x").and_then(|()| fs::remove_file(&probe));
    match written {
        Ok(()) => format!("{} can be written to", folder.display()),
        Err(error) => format!("{} cannot be written to: {error}", folder.display()),
    }
}
