//! Compiles the library that is loaded before the C library, where there is one that works so.

use std::{env, io, path::PathBuf, process::Command};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src/fault.c");
    println!("cargo::rustc-check-cfg=cfg(preload)");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let known = is("CARGO_CFG_TARGET_ARCH", "x86_64") || is("CARGO_CFG_TARGET_ARCH", "aarch64");
    if !(is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && known) {
        return Ok(());
    }
    let library = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("fault.so");
    let mut compiler: Command = cc::Build::new().opt_level(1).get_compiler().to_command();
    compiler.args(["-std=gnu11", "-shared", "-fPIC", "-Wall", "-Wno-nonnull-compare", "-o"]);
    let done = compiler.arg(&library).args(["src/fault.c", "-ldl", "-lpthread", "-lrt"]).status()?;
    if !done.success() {
        return Err(io::Error::other("the C compiler refused src/fault.c"));
    }
    println!("cargo::rustc-env=FAULT_LIBRARY={}", library.display());
    println!("cargo::rustc-cfg=preload");
    Ok(())
}
