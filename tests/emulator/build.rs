//! Compiles the emulator, and with it all kernels of the engine and the emulator's own, as C++.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let (sources, kernels) =
        (here.join("src"), here.join("../../crates/engine/src/cuda/kernels").canonicalize()?);

    let mut build = cc::Build::new();
    // Contracted or reordered arithmetic would give a test other bits on another processor.
    build.cpp(true).std("c++17").opt_level(2).flag("-Wall").include(&sources).include(&kernels);
    build.flag("-fno-strict-aliasing").flag("-ffp-contract=off");
    // Some of nvcc's pragmas are the host compiler's too, and some of those it cannot follow.
    build.flag("-Wno-unknown-pragmas").flag_if_supported("-Wno-pass-failed");
    build.files(files(&sources, &["cpp"])?);
    for kernel in files(&sources, &["cu"])?.into_iter().chain(files(&kernels, &["cu"])?) {
        build.file(wrap(&kernel, &out)?);
    }
    // Nobody calls the objects that enter kernels in the table, so the linker would leave them out.
    build.link_lib_modifier("+whole-archive");
    build.compile("headstart_emulator");

    for folder in [&sources, &kernels] {
        // The folder itself, for files that are added.
        println!("cargo::rerun-if-changed={}", folder.display());
        for file in files(folder, &["cpp", "cu", "cuh", "h"])? {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
    Ok(())
}

/// A source that includes a kernel's file, and what that includes, in a namespace of its own. Two files may then use one
/// name for two things, as they may where each becomes a module of its own; to one linker those would be the same.
fn wrap(kernel: &Path, out: &Path) -> io::Result<PathBuf> {
    let name = kernel.file_stem().and_then(OsStr::to_str).unwrap_or("kernel");
    let wrapped = out.join(format!("kernels_{name}.cpp"));
    // What does not belong into the namespace, the system's headers, comes first.
    let text = format!("#include \"emulator.h\"\nnamespace {{\n#include \"{}\"\n}}\n", kernel.display());
    fs::write(&wrapped, text)?;
    Ok(wrapped)
}

/// The files of a folder that end in one of `endings`, in order.
fn files(folder: &Path, endings: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().and_then(OsStr::to_str).is_some_and(|ending| endings.contains(&ending)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
