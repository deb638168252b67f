//! How a folder that one of our tools wrote is told from other people's, before `--force` may replace it.

mod file;

pub(crate) use file::describe;
pub use file::{Columns, Ours};

use crate::bounded;
use std::{fs, path::Path};

/// Longer than any file that says what a folder is.
const MOST_BYTES: u64 = 512 << 20;

/// What every folder of one kind holds, whatever version wrote it.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// The JSON file that says what the folder is.
    pub manifest: &'static str,
    /// Whether that file's content is of our writing.
    pub recognised: fn(&serde_json::Value) -> bool,
    /// Whether a file of this name belongs to such a folder.
    pub belongs: fn(&str) -> bool,
}

impl Marks {
    /// Whether `folder` was written by us and holds nothing else.
    pub fn all_of(self, folder: &Path) -> bool {
        let belongs = |name: &str| name == self.manifest || (self.belongs)(name);
        let nothing_else = fs::read_dir(folder).is_ok_and(|mut entries| {
            entries.all(|entry| {
                entry.is_ok_and(|entry| {
                    let file = entry.file_type().is_ok_and(|kind| kind.is_file());
                    file && entry.file_name().to_str().is_some_and(belongs)
                })
            })
        });
        let manifest =
            || serde_json::from_slice(&bounded::read(&folder.join(self.manifest), MOST_BYTES).ok()?).ok();
        nothing_else && manifest().is_some_and(|manifest| (self.recognised)(&manifest))
    }
}
