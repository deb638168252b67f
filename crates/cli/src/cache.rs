//! Where caches are.

use crate::UsageError;
use std::{env, path::PathBuf};

/// The folder of all programs' caches: `XDG_CACHE_HOME`, else `~/.cache`.
///
/// # Errors
/// [`UsageError`] where neither says where that is.
pub fn cache() -> Result<PathBuf, UsageError> {
    let home = || env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let set = env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    // As Python's libraries read it.
    let set = set.map(|path| match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    });
    set.or_else(|| Some(home()?.join(".cache"))).ok_or_else(|| {
        UsageError("no folder for caches: set HOME, or XDG_CACHE_HOME to a folder of yours".to_owned())
    })
}
