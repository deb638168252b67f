//! What a command line names as a data set, and who reads it.

mod braces;

use crate::{
    Content, DataSet, DatasetError, Medium, PackedError, Passed, TextColumns,
    archive::{self, Shard},
    cells, folder, list, manifest, shards, texts,
};
use std::{
    env,
    ffi::OsStr,
    fs,
    io::{self, Read, Seek as _},
    path::{Path, PathBuf},
    sync::Arc,
};
use store::{Packed, open_file, spool, table::Cells};

/// A data set as it was named.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// A folder, a manifest, or `-` for standard input; or several shards, by a pattern or one by one. Tables of texts are
    /// named as shards are.
    pub paths: &'a [PathBuf],
    /// What a manifest's or a list's paths, and ids with them, are relative to, if not what they are by themselves.
    pub root: Option<&'a Path>,
    /// The folder in which what can be read once only is kept meanwhile, by no name; the system's own for such files if
    /// none is given.
    pub spool: Option<&'a Path>,
    /// Whether only content is wanted: folders of any shape, files one by one, and nothing that is said of them. Labels may be
    /// empty then.
    pub bare: bool,
    /// Where the samples are texts: the columns that hold them, if they are in tables. `None` where they are pictures.
    pub texts: Option<TextColumns<'a>>,
}

/// What shards are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tar,
    Parquet,
}

impl Inputs<'_> {
    /// Whether the data set comes on standard input.
    pub fn are_piped(paths: &[PathBuf]) -> bool {
        matches!(paths, [path] if path == Path::new("-"))
    }

    /// Whether a folder holds shards, and no images.
    pub fn are_shards(folder: &Path) -> bool {
        shards_in(folder).is_some()
    }

    /// What messages call it.
    pub fn name(paths: &[PathBuf]) -> PathBuf {
        match paths {
            [] => PathBuf::new(),
            [path] => path.clone(),
            [first, ..] => format!("{} and {} more", first.display(), paths.len() - 1).into(),
        }
    }

    /// Lists it.
    pub(crate) fn open(&self) -> Result<DataSet, DatasetError> {
        let name = Inputs::name(self.paths);
        if let Some(columns) = self.texts {
            return texts::open(self, columns);
        }
        if self.bare
            && let Some(set) = self.one_by_one(Medium::Image, |folder| shards_in(folder).is_some())?
        {
            return Ok(set);
        }
        if Inputs::are_piped(self.paths) {
            return self.piped(io::stdin().lock(), &name);
        }
        let mut paths = self.expanded()?;
        if let [path] = &paths[..] {
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => match shards_in(path) {
                    Some(shards) => paths = shards,
                    None if self.bare => return folder::open_any(path, Medium::Image),
                    None => return folder::open(path, Medium::Image),
                },
                // With pictures in it, or with their paths.
                Ok(_) if kind(path) == Some(Kind::Parquet) => match Cells::open(path)? {
                    Some(_) => {}
                    None => return manifest::open(path, self.root, !self.bare),
                },
                Ok(_) if manifest::is_manifest(path) => {
                    return manifest::open(path, self.root, !self.bare);
                }
                Ok(_) if kind(path).is_some() => {}
                Ok(_) if self.bare => return Err(DatasetError::NotAPicture(path.clone())),
                Ok(_) => return Err(DatasetError::NotADataSet(path.clone())),
                Err(error) => return Err(missing(path, error)),
            }
        }
        let first = paths.first().and_then(|path| kind(path)).unwrap_or(Kind::Tar);
        if let Some(path) = paths.iter().find(|path| kind(path) != Some(first)) {
            return Err(PackedError::NotShards(path.clone()).into());
        }
        if self.root.is_some() {
            return Err(PackedError::RootOfShards(name).into());
        }
        if first == Kind::Parquet {
            let open = |path: &PathBuf| -> Result<Cells, DatasetError> {
                Ok(Cells::open(path)?.ok_or_else(|| PackedError::NoPictures { path: path.clone() })?)
            };
            return cells::open(paths.iter().map(open).collect::<Result<_, _>>()?, &name);
        }
        let shards = paths.iter().map(|path| self.shard(path)).collect::<Result<Vec<_>, _>>()?;
        self.archive(&shards, &name)
    }

    /// The paths that patterns stand for, and all others.
    pub(crate) fn expanded(&self) -> Result<Vec<PathBuf>, DatasetError> {
        let mut paths = Vec::new();
        for path in self.paths {
            paths.extend(braces::expand(path)?);
        }
        Ok(paths)
    }

    /// Files that are samples, and folders of them beside others; `None` where that is not what was named. `is_packed` says
    /// of a folder whether it holds shards or tables instead.
    pub(crate) fn one_by_one(
        &self,
        medium: Medium,
        is_packed: impl Fn(&Path) -> bool,
    ) -> Result<Option<DataSet>, DatasetError> {
        let is_folder = |path: &PathBuf| path.is_dir() && !is_packed(path);
        let is_file = |path: &PathBuf| path.file_name().is_some_and(|n| medium.is_named(n)) && path.is_file();
        let is_one = |path: &PathBuf| is_file(path) || (self.paths.len() > 1 && is_folder(path));
        if self.paths.is_empty() || !self.paths.iter().all(is_one) {
            return Ok(None);
        }
        let (mut files, mut skipped, mut passed) = (Vec::new(), Vec::new(), Passed::default());
        for path in self.paths {
            if !path.is_dir() {
                files.push(path.clone());
                continue;
            }
            let set = folder::open_any(path, medium)?;
            files.extend(set.samples.into_iter().filter_map(|sample| match sample.content {
                Content::File(file) => Some(file),
                _ => None,
            }));
            skipped.extend(set.skipped);
            passed.merge(&set.passed);
        }
        let set = list::of_files(&files, self.root)?;
        Ok(Some(DataSet { skipped, passed, ..set }))
    }

    fn archive(&self, shards: &[Shard], name: &Path) -> Result<DataSet, DatasetError> {
        if self.bare { archive::open_any(shards, name) } else { archive::open(shards, name) }
    }

    /// A list of paths, or a tar.
    fn piped(&self, mut input: impl Read, name: &Path) -> Result<DataSet, DatasetError> {
        let unreadable = |source| DatasetError::Unreadable { path: name.to_owned(), source };
        let mut begin = Vec::new();
        input.by_ref().take(512).read_to_end(&mut begin).map_err(unreadable)?;
        let is_tar = store::tar::is_tar(&begin) || store::is_gzip(&begin);
        let input = io::Cursor::new(begin).chain(input);
        if !is_tar {
            return list::open(input, list::Listing { root: self.root, bare: self.bare });
        }
        if self.root.is_some() {
            return Err(PackedError::RootOfShards(name.to_owned()).into());
        }
        self.archive(&[self.spooled(input, name)?], name)
    }

    fn shard(&self, path: &Path) -> Result<Shard, DatasetError> {
        let unreadable = |source| DatasetError::Unreadable { path: path.to_owned(), source };
        let mut file = open_file(path).map_err(|error| missing(path, error.source))?;
        let mut begin = Vec::new();
        file.by_ref().take(2).read_to_end(&mut begin).map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        if store::is_gzip(&begin) {
            return self.spooled(file, path);
        }
        Ok(Shard { packed: Arc::new(Packed::at(path)), file })
    }

    fn spooled(&self, input: impl Read, name: &Path) -> Result<Shard, DatasetError> {
        let temporary = env::temp_dir();
        let folder = self.spool.unwrap_or(&temporary);
        let failed = |source: io::Error| -> DatasetError {
            let (path, folder) = (name.to_owned(), folder.to_owned());
            match source.kind() {
                // What it is, and not where it goes.
                io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
                    DatasetError::Unreadable { path, source }
                }
                _ => PackedError::Unspooled { path, folder, source }.into(),
            }
        };
        let file = spool(input, folder).map_err(failed)?;
        let again = file.try_clone().map_err(failed)?;
        Ok(Shard { packed: Arc::new(Packed::unnamed(again, name)), file })
    }
}

/// What the shard of this name is.
fn kind(path: &Path) -> Option<Kind> {
    let name = path.file_name().and_then(OsStr::to_str)?.to_ascii_lowercase();
    let is = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    match () {
        () if is(&[".tar", ".tar.gz", ".tgz"]) => Some(Kind::Tar),
        () if is(&[".parquet"]) => Some(Kind::Parquet),
        () => None,
    }
}

/// The shards in a folder that holds some, and no images.
fn shards_in(folder: &Path) -> Option<Vec<PathBuf>> {
    shards::within(folder, kind, folder::has_image_extension)
}

fn missing(path: &Path, error: io::Error) -> DatasetError {
    match error.kind() {
        io::ErrorKind::NotFound => DatasetError::Missing(path.to_owned()),
        _ => DatasetError::Unreadable { path: path.to_owned(), source: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_a_list_or_a_tar() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.png"), "").unwrap();
        let open = |bytes: &[u8], root: Option<&Path>| {
            let inputs = Inputs { paths: &["-".into()], root, spool: None, bare: false, texts: None };
            inputs
                .piped(bytes, Path::new("-"))
                .map(|set| set.samples.len())
                .map_err(|error| error.to_string())
        };
        assert_eq!(open(b"a.png\n", Some(root.path())), Ok(1));
        let mut tar = tar::Builder::new(Vec::new());
        for name in ["a.png", "b.png"] {
            let mut header = tar::Header::new_ustar();
            header.set_size(1);
            tar.append_data(&mut header, name, &b"x"[..]).unwrap();
        }
        let tar = tar.into_inner().unwrap();
        assert_eq!(open(&tar, None), Ok(2));
        assert!(
            open(&tar, Some(root.path())).unwrap_err().contains("`-` has names of its own; --root goes with")
        );
        assert!(open(&tar[..1000], None).unwrap_err().starts_with("cannot read `-`: "));
        let message = open(b"\x1f\x8bnone", None).unwrap_err();
        assert!(message.starts_with("cannot read `-`: "), "{message}");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, &tar).unwrap();
        let packed = packed.finish().unwrap();
        assert_eq!(open(&packed, None), Ok(2));
        let message = open(&packed[..packed.len() / 2], None).unwrap_err();
        assert_eq!(message, "cannot read `-`: it ends early, within what gzip packed; get it again");
    }

    #[test]
    fn shards_may_lie_in_a_folder_data() {
        let root = tempfile::tempdir().unwrap();
        let [data, val] = ["data", "data/val"].map(|folder| root.path().join(folder));
        fs::create_dir_all(&val).unwrap();
        fs::write(root.path().join("README.md"), "").unwrap();
        assert_eq!(shards_in(root.path()), None);
        let shards = [data.join("x.parquet"), val.join("x.parquet")];
        shards.iter().for_each(|shard| fs::write(shard, "").unwrap());
        assert_eq!(
            shards_in(root.path()),
            Some({
                let mut shards = shards.to_vec();
                shards.sort();
                shards
            })
        );
        fs::create_dir(data.join("cat")).unwrap();
        assert_eq!(shards_in(root.path()), None);
    }
}
