//! What is named by an address is fetched by the program `fetch`, which alone opens sockets.

use anyhow::{Context, Result, bail};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What begins an address that `fetch` knows.
const SCHEMES: [&str; 4] = ["hf://", "torchvision://", "https://", "http://"];

/// Where a program of ours lies: beside the one that runs.
pub fn beside(program: &str) -> PathBuf {
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::current_exe().map(|path| path.with_file_name(&name)).unwrap_or_else(|_| PathBuf::from(&name))
}

/// The file or folder that `named` stands for: itself, or what `fetch` makes of an address.
///
/// # Errors
/// Where `fetch` is not beside this program, or says why it failed.
pub fn fetched(named: &Path, offline: bool, quiet: bool) -> Result<PathBuf> {
    let Some(address) = named.to_str().filter(|name| SCHEMES.iter().any(|scheme| name.starts_with(scheme)))
    else {
        return Ok(named.to_owned());
    };
    let program = beside("fetch");
    let flags = [("--quiet", quiet), ("--offline", offline)];
    let flags = flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag);
    let output = Command::new(&program)
        .args(flags)
        .arg(address)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{address}` needs the program fetch, as `{}`", program.display()))?;
    if !output.status.success() {
        bail!("`{address}` was not fetched; the line above says why");
    }
    let path = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
    match std::str::from_utf8(path) {
        Ok(path) if !path.is_empty() && !path.contains('\n') => Ok(PathBuf::from(OsString::from(path))),
        _ => bail!("fetch named no file for `{address}`; are both programs of one version?"),
    }
}
