//! One file: from its address to its place, in as many pieces as it takes.

mod transfer;

pub(crate) use transfer::Transfer;

use crate::{digest::Digest, error::FetchError, files, lock};
use cli::Session;
use http::{Address, Answer, Client};
use std::{fs, path::Path};

/// A file of which it is known what it must be.
pub(crate) struct Download<'a> {
    /// What messages call it.
    pub(crate) name: &'a str,
    pub(crate) address: &'a Address,
    pub(crate) size: Option<u64>,
    pub(crate) digest: Option<&'a Digest>,
    /// Its place. Until it is whole it is called `.incomplete` there.
    pub(crate) target: &'a Path,
    /// What runs that download it lock; `None` for the incomplete file itself.
    pub(crate) lock: Option<&'a Path>,
    /// What an answer means that is neither the file nor worth another try.
    pub(crate) refusal: &'a dyn Fn(&Answer) -> FetchError,
}

impl Download<'_> {
    /// Bytes of the file, where it was not there already.
    ///
    /// # Errors
    /// Where it cannot be had or kept. What has come of it stays, unless it is wrong.
    pub(crate) fn run(&self, client: &Client, session: &Session) -> Result<Option<u64>, FetchError> {
        if self.target.exists() {
            return Ok(None);
        }
        files::folder_of(self.target)?;
        let incomplete = files::with_suffix(self.target, ".incomplete");
        let _held = lock::take(self.lock.unwrap_or(&incomplete), self.name, session)?;
        if self.target.exists() {
            // Ours to remove: who held the lock before has moved its own away.
            let _ = fs::remove_file(&incomplete);
            return Ok(None);
        }
        let transfer = Transfer {
            name: self.name,
            address: self.address,
            size: self.size,
            to: &incomplete,
            resumes: true,
            refusal: self.refusal,
        };
        let mut file = transfer.run(client, session)?;
        if let Some(digest) = self.digest {
            let mismatch = digest.mismatch(&mut file);
            if let Some(got) = mismatch.map_err(|source| files::failed(&incomplete, source))? {
                let _ = fs::remove_file(&incomplete);
                let (file, expected) = (self.name.to_owned(), digest.expected().to_owned());
                return Err(FetchError::Digest { file, expected, got });
            }
        }
        let size = file.metadata().map_err(|source| files::failed(&incomplete, source))?.len();
        files::settle(&incomplete, self.target)?;
        Ok(Some(size))
    }
}
