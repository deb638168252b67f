//! Compiles the kernels of NVIDIA's cards. Does nothing without the feature `cuda`.
//!
//! Each file of `src/cuda/kernels` becomes one fatbin: machine code for every generation of cards that nvcc knows, and PTX
//! for those that are still to come. A generated list of them is what the program embeds.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const KERNELS: &str = "src/cuda/kernels";

/// What machine code is made for: A100, and with it A10, RTX 30, L4, L40 and RTX 40, which run the same; H100, H200; B200;
/// RTX 50.
const ARCHITECTURES: &[&str] = &["80", "90a", "100", "120"];

/// What all of these can run: its PTX is translated by the drivers of later cards.
const OLDEST: &str = "80";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return ExitCode::SUCCESS;
    }
    println!("cargo::rerun-if-changed={KERNELS}");
    for name in ["NVCC", "CUDA_HOME", "CUDA_PATH", "NVCC_CCBIN", "HEADSTART_CUDA_ARCHS", "PATH"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("the feature `cuda` cannot be built: {why}");
            ExitCode::FAILURE
        }
    }
}

fn compile() -> Result<(), String> {
    let nvcc = find()?;
    let (major, minor) = version(&nvcc)?;
    let sources = sources()?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo gives no OUT_DIR")?);

    let mut command = Command::new(&nvcc);
    // f32 as IEEE has it, and multiply-adds fused where the source says so and nowhere else: bits must not depend on which
    // nvcc this is.
    command.args(["-fatbin", "-std=c++17", "-O3", "-fmad=false"]);
    if env::var_os("HEADSTART_CUDA_ARCHS").is_some() {
        // Who says that is at work on the kernels.
        command.args(["-Werror", "all-warnings"]);
    }
    // A third of the size; the driver unpacks what it loads.
    command.arg("-Xfatbin=-compress-all");
    command.args(["--threads", &env::var("NUM_JOBS").unwrap_or_else(|_| "1".to_owned())]);
    command.args(targets(&nvcc)?);
    command.arg("--output-directory").arg(&out).args(&sources);
    let ran = command.status().map_err(|error| format!("{} does not run: {error}", nvcc.display()))?;
    if !ran.success() {
        return Err(format!("{} does not compile {KERNELS}", nvcc.display()));
    }

    let mut list = format!(
        "/// The version of CUDA that compiled the kernels.\npub(super) const TOOLKIT: (i32, i32) = ({major}, {minor});\n\
         /// The kernels, a fatbin a file.\npub(super) static IMAGES: &[&Image<[u8]>] = &[\n"
    );
    for source in sources {
        let stem = source.file_stem().unwrap_or_default();
        let fatbin = out.join(stem).with_extension("fatbin");
        list += &format!("    &Image(*include_bytes!({:?})),\n", fatbin.display().to_string());
    }
    fs::write(out.join("kernels.rs"), list + "];\n").map_err(|error| format!("kernels.rs: {error}"))
}

/// Where nvcc is.
fn find() -> Result<PathBuf, String> {
    let folder = |name| env::var_os(name).map(|home| Path::new(&home).join("bin/nvcc"));
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(nvcc) = env::var_os("NVCC").filter(|nvcc| !nvcc.is_empty()) {
        return Ok(nvcc.into());
    }
    let places = [folder("CUDA_HOME"), folder("CUDA_PATH")].into_iter().flatten();
    let places = places.chain(env::split_paths(&path).map(|folder| folder.join("nvcc")));
    let usual = Path::new("/usr/local/cuda/bin/nvcc").to_path_buf();
    places.chain([usual]).find(|nvcc| nvcc.is_file()).ok_or_else(|| {
        "there is no nvcc: install NVIDIA's CUDA toolkit, 12.0 or newer (no card is needed), and set CUDA_HOME to its folder"
            .to_owned()
    })
}

/// (13, 0), from nvcc's "Cuda compilation tools, release 13.0, V13.0.88".
fn version(nvcc: &Path) -> Result<(u32, u32), String> {
    let said = ask(nvcc, "--version")?;
    let release = said.split("release ").nth(1).and_then(|after| after.split(',').next());
    let parts = release.and_then(|release| release.split_once('.'));
    let numbers = parts.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match numbers {
        Some(version) if version >= (12, 0) => Ok(version),
        Some((major, minor)) => {
            Err(format!("{} is of CUDA {major}.{minor}; 12.0 or newer is needed", nvcc.display()))
        }
        None => Err(format!("{} --version says {said:?}", nvcc.display())),
    }
}

/// What to compile for, as nvcc's arguments.
fn targets(nvcc: &Path) -> Result<Vec<String>, String> {
    let known = ask(nvcc, "--list-gpu-code")?;
    let knows = |which: &str| {
        let number = which.trim_end_matches(char::is_alphabetic);
        known.lines().any(|line| line.trim() == format!("sm_{number}"))
    };
    let code = |which: &str| format!("-gencode=arch=compute_{which},code=sm_{which}");
    // For quick builds: these and nothing else.
    if let Ok(asked) = env::var("HEADSTART_CUDA_ARCHS") {
        let asked: Vec<&str> = asked.split([',', ' ', ';']).filter(|which| !which.is_empty()).collect();
        return match asked.iter().find(|which| !knows(which)) {
            Some(which) => Err(format!("HEADSTART_CUDA_ARCHS: nvcc does not know sm_{which}")),
            None if asked.is_empty() => Err("HEADSTART_CUDA_ARCHS names nothing; 90a, say".to_owned()),
            None => Ok(asked.into_iter().map(code).collect()),
        };
    }
    let mut targets: Vec<String> =
        ARCHITECTURES.iter().filter(|which| knows(which)).map(|which| code(which)).collect();
    targets.push(format!("-gencode=arch=compute_{OLDEST},code=compute_{OLDEST}"));
    Ok(targets)
}

/// The files to compile, in the order of their names.
fn sources() -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(KERNELS).map_err(|error| format!("{KERNELS}: {error}"))?;
    let mut sources = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("{KERNELS}: {error}"))?.path();
        if path.extension().is_some_and(|extension| extension == "cu") {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

fn ask(nvcc: &Path, what: &str) -> Result<String, String> {
    let output = Command::new(nvcc).arg(what).output();
    let output = output.map_err(|error| format!("{} does not run: {error}", nvcc.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
