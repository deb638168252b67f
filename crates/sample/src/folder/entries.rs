//! One folder's entries: each is a folder, a sample, or passed over and counted; what cannot be told is an error.

use super::files::{Files, Kind};
use crate::{DatasetError, Passed, names::escaped};
use std::{
    ffi::{OsStr, OsString},
    fmt, io,
    path::Path,
};

/// The extensions, in any case, of the files that are taken for images. Other files are passed over, and counted.
pub const EXTENSIONS: [&str; 15] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "gif", "tif", "tiff", "ppm", "pgm", "pbm", "pnm",
    "jxl",
];

/// The extensions, in any case, of the files that are taken for texts.
const TEXTS: [&str; 1] = ["txt"];

/// What the samples of a folder are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Pictures.
    Image,
    /// Plain text in UTF-8.
    Text,
}

impl Medium {
    /// The extensions, in any case, of the files that are such samples.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Medium::Image => &EXTENSIONS,
            Medium::Text => &TEXTS,
        }
    }

    /// Whether a name is that of such a sample.
    pub(crate) fn is_named(self, name: &OsStr) -> bool {
        let extension = Path::new(name).extension().and_then(OsStr::to_str);
        extension.is_some_and(|own| self.extensions().iter().any(|known| known.eq_ignore_ascii_case(own)))
    }
}

/// `image` or `text`, for messages.
impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Medium::Image => "image",
            Medium::Text => "text",
        })
    }
}

/// What systems and programs leave in folders of pictures: thumbnails, archives' second halves, bins.
const SYSTEM: [&str; 11] = [
    "@eaDir",
    "#recycle",
    "#snapshot",
    "$RECYCLE.BIN",
    "System Volume Information",
    "lost+found",
    "__MACOSX",
    "__pycache__",
    "Thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
];

/// A name that an id may be made of, or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// What is not UTF-8 is written `\xe9`.
    pub(super) text: String,
    pub(super) raw: OsString,
}

impl Name {
    fn new(raw: OsString) -> Name {
        Name { text: escaped(raw.as_encoded_bytes()), raw }
    }

    pub(super) fn is_utf8(&self) -> bool {
        self.raw.to_str().is_some()
    }
}

/// One folder's entries, sorted by name.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) folders: Vec<Name>,
    pub(super) samples: Vec<Name>,
    pub(super) passed: Passed,
}

impl Folder {
    /// # Errors
    /// A folder that cannot be read, and an entry of it of which nobody can say whether it is a folder.
    pub(super) fn list(files: &dyn Files, path: &Path) -> Result<Folder, DatasetError> {
        let mut folder = Folder::default();
        let is_sample = |name: &OsStr| files.medium().is_named(name);
        for raw in files.entries(path).map_err(|source| unreadable(path, source))? {
            if raw.as_encoded_bytes().starts_with(b".") {
                folder.passed.add_hidden();
                continue;
            }
            if let Some(known) = raw.to_str().and_then(system) {
                folder.passed.add(known);
                continue;
            }
            let at = path.join(&raw);
            match files.kind(&at) {
                Ok(Kind::Folder) => folder.folders.push(Name::new(raw)),
                Ok(Kind::Other) if is_sample(&raw) => folder.samples.push(Name::new(raw)),
                Ok(Kind::Other) => folder.passed.add(&extension(&raw)),
                Err(source) => {
                    let dangles = leads_nowhere(&source)
                        && files.is_link(&at).map_err(|source| unreadable(&at, source))?;
                    match (dangles, is_sample(&raw)) {
                        // Left for the reader to stumble over, which names it.
                        (true, true) => folder.samples.push(Name::new(raw)),
                        // It may be a class on a disk that is not there.
                        (true, false) => return Err(DatasetError::LeadsNowhere(at)),
                        (false, _) => return Err(unreadable(&at, source)),
                    }
                }
            }
        }
        folder.folders.sort_unstable();
        folder.samples.sort_unstable();
        Ok(folder)
    }

    /// Whether it holds samples, and no folder beside them.
    pub(super) fn holds_samples_only(&self) -> bool {
        self.folders.is_empty() && !self.samples.is_empty()
    }

    /// Whether it holds folders, and no sample beside them.
    pub(super) fn holds_folders_only(&self) -> bool {
        self.samples.is_empty() && !self.folders.is_empty()
    }
}

pub(super) fn unreadable(path: &Path, source: io::Error) -> DatasetError {
    DatasetError::Unreadable { path: path.to_owned(), source }
}

/// A link to nothing, or to itself.
fn leads_nowhere(error: &io::Error) -> bool {
    // ELOOP, which std has no stable name for: on Linux, and elsewhere.
    let circles = if cfg!(target_os = "linux") { 40 } else { 62 };
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(circles)
}

/// The name of `SYSTEM` that this is, in any case.
fn system(name: &str) -> Option<&'static str> {
    SYSTEM.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// In lower case, with its dot.
fn extension(name: &OsStr) -> String {
    let extension = Path::new(name).extension();
    extension.map_or_else(
        || "without extension".to_owned(),
        |e| format!(".{}", escaped(e.as_encoded_bytes()).to_lowercase()),
    )
}

/// Whether a name is that of an image.
pub(crate) fn has_image_extension(name: &OsStr) -> bool {
    Medium::Image.is_named(name)
}
