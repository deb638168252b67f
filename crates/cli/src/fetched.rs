//! What is named by an address is fetched by the program `fetch`, which alone opens sockets.

use crate::UsageError;
use anyhow::{Context, Result, bail};
use published::EXTENSIONS;
use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What begins an address that `fetch` knows.
const SCHEMES: [&str; 4] = ["hf://", "torchvision://", "https://", "http://"];

/// The program of a stage: beside the one that runs, or else a stage of `headstart`, which has all of them.
fn program(stage: &str) -> Command {
    let beside = |name: &str| {
        let name = format!("{name}{}", env::consts::EXE_SUFFIX);
        env::current_exe().map(|path| path.with_file_name(&name)).unwrap_or_else(|_| PathBuf::from(&name))
    };
    let (own, all) = (beside(stage), beside("headstart"));
    if own.is_file() || !all.is_file() {
        return Command::new(own);
    }
    let mut command = Command::new(all);
    command.arg(stage);
    command
}

/// The file or folder that `named` stands for: itself, or what `fetch` makes of an address.
///
/// # Errors
/// Where `fetch` is not beside this program, or says why it failed.
pub fn fetched(named: &Path, offline: bool, quiet: bool) -> Result<PathBuf> {
    let Some(address) = named.to_str().filter(|name| SCHEMES.iter().any(|scheme| name.starts_with(scheme)))
    else {
        return match hub_name(named) {
            Some(name) => Err(UsageError(format!(
                "there is no `{name}` here; the model of that name on the Hugging Face hub is hf://{name}"
            ))
            .into()),
            None => Ok(named.to_owned()),
        };
    };
    let mut fetch = program("fetch");
    let program = PathBuf::from(fetch.get_program());
    let is_shown = io::stderr().is_terminal();
    let flags = [("--quiet", quiet), ("--offline", offline)];
    let flags = flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag);
    let output = fetch
        .args(flags)
        .arg(address)
        .stdin(Stdio::null())
        // On a terminal it draws its own progress.
        .stderr(if is_shown { Stdio::inherit() } else { Stdio::piped() })
        .output()
        .with_context(|| format!("`{address}` needs the program fetch, as `{}`", program.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        match said.lines().last() {
            Some(line) => bail!("{}", line.strip_prefix("fetch: ").unwrap_or(line)),
            None => bail!("`{address}` was not fetched; the line above says why"),
        }
    }
    // What it noted; where nobody reads it, nothing is lost.
    let _ = io::stderr().write_all(&output.stderr);
    let path = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
    match std::str::from_utf8(path) {
        Ok(path) if !path.is_empty() && !path.contains('\n') => Ok(PathBuf::from(OsString::from(path))),
        _ => bail!("fetch named no file for `{address}`; are both programs of one version?"),
    }
}

/// `ORG/NAME`, where nothing here bears that name.
fn hub_name(named: &Path) -> Option<&str> {
    let text = named.to_str()?;
    let (organisation, name) = text.split_once('/')?;
    let is_plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    // No model of the hub is called as files are.
    let is_file = name.rsplit_once('.').is_some_and(|(_, end)| end == "json" || EXTENSIONS.contains(&end));
    let is_free = !Path::new(organisation).exists();
    (is_plain(organisation) && is_plain(name) && !is_file && is_free).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_hub_are_told_from_paths() {
        let name = |text: &'static str| hub_name(Path::new(text));
        assert_eq!(name("timm/resnet50"), Some("timm/resnet50"));
        assert_eq!(name("timm/resnet50.a1_in1k"), Some("timm/resnet50.a1_in1k"));
        for path in ["src/lib", "models/w.pth", "../w", "/a/b", "a/b/c", "w", "./w", "a/"] {
            assert_eq!(name(path), None, "{path}");
        }
    }
}
