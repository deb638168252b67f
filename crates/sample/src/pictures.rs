//! The bytes of samples whose ids are known, pictures or texts: below a folder, or in whatever data set they were extracted from.

use crate::{Content, DataSet, DatasetError, Inputs, TextColumns};
use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

/// Where to look for samples.
#[derive(Clone, Debug)]
pub struct Pictures {
    path: PathBuf,
    /// By id; in a folder it is the path.
    contents: Option<HashMap<String, Content>>,
}

impl Pictures {
    /// A folder that ids are paths in, or tars, Parquet files or a manifest.
    ///
    /// # Errors
    /// Where that is no data set.
    pub fn open(path: &Path) -> Result<Pictures, DatasetError> {
        if path.is_dir() && !Inputs::are_shards(path) {
            return Ok(Pictures { path: path.to_owned(), contents: None });
        }
        let samples = DataSet::open(path)?.samples.into_iter();
        let contents = Some(samples.map(|sample| (sample.id, sample.content)).collect());
        Ok(Pictures { path: path.to_owned(), contents })
    }

    /// Texts: what extract read, tables or a folder.
    ///
    /// # Errors
    /// Where that is no data set of texts.
    pub fn of_texts(path: &Path, columns: TextColumns<'_>) -> Result<Pictures, DatasetError> {
        let paths = [path.to_owned()];
        let texts = Inputs { paths: &paths, root: None, spool: None, bare: false, texts: Some(columns) };
        let samples = DataSet::open_inputs(&texts)?.samples.into_iter();
        let contents = Some(samples.map(|sample| (sample.id, sample.content)).collect());
        Ok(Pictures { path: path.to_owned(), contents })
    }

    /// Where they were said to be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of a sample, of which there may be `most`; nothing where it is not there.
    ///
    /// # Errors
    /// Where it is there, and cannot be read.
    pub fn read(&self, id: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let file = || Content::File(self.path.join(id));
        let content = match &self.contents {
            None => file(),
            Some(contents) => match contents.get(id) {
                Some(content) => content.clone(),
                None => return Ok(None),
            },
        };
        match content.read(most) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_a_manifest_have_the_same_pictures() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("a")).unwrap();
        std::fs::write(root.path().join("a/1.png"), "one").unwrap();
        std::fs::write(root.path().join("m.csv"), "path\na/1.png\n").unwrap();
        for path in [root.path().to_owned(), root.path().join("m.csv")] {
            let pictures = Pictures::open(&path).unwrap();
            assert_eq!(pictures.path(), path);
            assert_eq!(pictures.read("a/1.png", 9).unwrap().unwrap(), b"one");
            assert!(
                pictures.read("a/2.png", 9).unwrap().is_none()
                    && pictures.read("a/1.png/x", 9).unwrap().is_none()
            );
            assert!(pictures.read("a/1.png", 2).is_err());
        }
        assert!(Pictures::open(&root.path().join("none")).is_err());
    }
}
