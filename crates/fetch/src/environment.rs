//! The variables that Python's libraries heed, read as they read them.

use crate::torchvision;
use cli::{UsageError, cache};
use http::Address;
use std::{
    env,
    ffi::OsString,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

const HUB: &str = "https://huggingface.co";
/// Tokens have some forty characters.
const LONGEST_TOKEN: usize = 4096;

/// The hub, or a server that speaks its protocol.
pub(crate) struct Hub {
    /// Where it is, without a slash at the end.
    pub(crate) endpoint: Address,
    /// What a request for a private or gated model says.
    pub(crate) token: Option<String>,
    /// Whether the environment forbids connections.
    pub(crate) offline: bool,
}

/// Where files are kept.
pub(crate) struct Caches {
    /// The hub's, with a folder for each model.
    pub(crate) hub: PathBuf,
    /// torch's, with a file for each set of weights.
    pub(crate) torch: PathBuf,
    /// Ours, with a file for each digest.
    pub(crate) ours: PathBuf,
    /// Where torchvision's weights come from.
    pub(crate) torchvision: Address,
}

impl Hub {
    /// # Errors
    /// [`UsageError`] where `HF_ENDPOINT` is no address, or the token none.
    pub(crate) fn of_environment() -> Result<Hub, UsageError> {
        let offline = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].into_iter().find_map(set);
        let offline = offline.is_some_and(|value| {
            ["1", "ON", "YES", "TRUE"].contains(&value.to_string_lossy().to_uppercase().as_str())
        });
        Ok(Hub { endpoint: endpoint("HF_ENDPOINT", HUB)?, token: token()?, offline })
    }
}

impl Caches {
    /// # Errors
    /// [`UsageError`] where neither `HOME` nor other variables say where caches are.
    pub(crate) fn of_environment() -> Result<Caches, UsageError> {
        let hub = ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"].into_iter().find_map(folder);
        let torch = folder("TORCH_HOME").map_or_else(|| Ok(cache()?.join("torch")), Ok)?;
        Ok(Caches {
            hub: hub.map_or_else(|| Ok(hugging_face()?.join("hub")), Ok)?,
            torch: torch.join("hub").join("checkpoints"),
            ours: cache()?.join("headstart").join("sha256"),
            torchvision: endpoint("HEADSTART_TORCHVISION_ENDPOINT", torchvision::HOST)?,
        })
    }
}

fn endpoint(variable: &str, usual: &str) -> Result<Address, UsageError> {
    let text = set(variable).map_or_else(|| usual.to_owned(), |value| value.to_string_lossy().into_owned());
    Address::parse(text.trim_end_matches('/'))
        .map_err(|why| UsageError(format!("{variable} is `{text}`: {why}")))
}

fn token() -> Result<Option<String>, UsageError> {
    let variable =
        ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"].into_iter().find_map(|name| Some((name, set(name)?)));
    let (from, text) = match variable {
        Some((name, value)) => (name.to_owned(), value.to_string_lossy().into_owned()),
        None => {
            let file = folder("HF_TOKEN_PATH").map_or_else(|| Ok(hugging_face()?.join("token")), Ok)?;
            let Some(text) = small_file(&file) else { return Ok(None) };
            (format!("`{}`", file.display()), text)
        }
    };
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.len() > LONGEST_TOKEN {
        return Err(UsageError(format!("{from} holds no token: a token is one word of letters and digits")));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A file that may be missing; what is too long for a token is cut where it shows.
fn small_file(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(LONGEST_TOKEN as u64 + 2).read_to_string(&mut text).ok()?;
    Some(text)
}

fn hugging_face() -> Result<PathBuf, UsageError> {
    folder("HF_HOME").map_or_else(|| Ok(cache()?.join("huggingface")), Ok)
}

/// A variable that is set and not empty.
fn set(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The same as a path, in which `~/` is the user's home.
fn folder(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(set(name)?);
    match (path.strip_prefix("~"), env::home_dir()) {
        (Ok(rest), Some(home)) => Some(home.join(rest)),
        _ => Some(path),
    }
}
