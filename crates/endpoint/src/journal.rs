//! A file of answers, which only grows.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | magic `HSANSWR\n` |
//! | 8..12 | format version, u32, little-endian as all |
//! | 12..16 | d, the width of a row, u32 |
//! | 16..48 | the model's identity |
//! | 48..64 | BLAKE3 of the bytes before, its first 16 bytes |
//! | then, again and again | digest of a text (32), d values of f32, BLAKE3 of both (32) |
//!
//! **Invariant:** a record counts only where its own digest holds. What a crash left of the last one is cut off.
//! **Invariant:** one run at a time has the file.

use crate::{EndpointError, JournalError, Model};
use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use store::Digest;

const MAGIC: &[u8; 8] = b"HSANSWR\n";
const VERSION: u32 = 1;
const HEADER: usize = 64;
const DIGEST: usize = 32;
/// No model's rows are wider.
const WIDEST: usize = 1 << 20;
const BUFFER: usize = 1 << 20;

/// Answers of one model, by the digests of the texts.
pub struct Journal {
    file: File,
    path: PathBuf,
    model: Model,
    /// d, once there is an answer.
    width: Option<usize>,
    /// Where each row's values begin.
    rows: HashMap<Digest, u64>,
    /// Where the next record goes.
    end: u64,
}

impl Journal {
    /// Opens the file of that model's answers in `folder`, and makes both where they are missing. `waits` is called where another
    /// run has it.
    ///
    /// # Errors
    /// Where the disk refuses, or the file is something else.
    pub fn open(folder: &Path, model: &Model, waits: impl FnOnce()) -> Result<Journal, JournalError> {
        let path = folder.join(model.file_name());
        let disk = |source: io::Error| JournalError::Disk { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(disk)?;
        let file =
            File::options().create(true).read(true).write(true).truncate(false).open(&path).map_err(disk)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                waits();
                file.lock().map_err(disk)?;
            }
            // A file system without locks is no reason to refuse work.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let mut journal = Journal {
            file,
            path: path.clone(),
            model: model.clone(),
            width: None,
            rows: HashMap::new(),
            end: 0,
        };
        match journal.load().map_err(disk)? {
            true => Ok(journal),
            false => Err(JournalError::Foreign { path, model: model.name.clone() }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// d, once there is an answer.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether there is an answer to the text of this digest.
    pub fn has(&self, text: &Digest) -> bool {
        self.rows.contains_key(text)
    }

    /// The answer to the text of this digest: (d,).
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn row(&mut self, text: &Digest) -> Result<Option<Vec<f32>>, JournalError> {
        let (Some(&at), Some(width)) = (self.rows.get(text), self.width) else { return Ok(None) };
        let mut bytes = vec![0; 4 * width];
        let read = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|source| self.failed(source))?;
        let (values, _) = bytes.as_chunks::<4>();
        Ok(Some(values.iter().map(|value| f32::from_le_bytes(*value)).collect()))
    }

    /// Keeps answers: they are on the disk when it returns.
    ///
    /// # Errors
    /// Where they are of another width, or the disk refuses; then none is kept.
    pub fn append<'a>(
        &mut self,
        answers: impl IntoIterator<Item = (Digest, &'a [f32])>,
    ) -> Result<(), EndpointError> {
        let (mut bytes, mut added) = (Vec::new(), Vec::new());
        let mut width = self.width;
        for (text, values) in answers {
            let expected = *width.get_or_insert(values.len());
            if values.len() != expected || !(1..=WIDEST).contains(&expected) {
                let (model, got) = (self.model.name.clone(), values.len());
                return Err(EndpointError::Width { model, expected, got });
            }
            if self.end == 0 && bytes.is_empty() {
                bytes.extend(self.header(expected));
            }
            let start = bytes.len();
            bytes.extend(text.as_bytes());
            added.push((text, self.end + bytes.len() as u64));
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            let check = Digest::of(&bytes[start..]);
            bytes.extend(check.as_bytes());
        }
        if let Err(source) = self.write(&bytes) {
            // A part of it may be there; what cannot be cut off now is when it is opened.
            let _ = self.file.set_len(self.end);
            return Err(self.failed(source).into());
        }
        (self.width, self.end) = (width, self.end + bytes.len() as u64);
        self.rows.extend(added);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        // The name of a file that is new.
        if self.end == 0
            && let Some(folder) = self.path.parent()
            && cfg!(unix)
        {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn header(&self, width: usize) -> Vec<u8> {
        let mut header = MAGIC.to_vec();
        header.extend(VERSION.to_le_bytes());
        header.extend((width as u32).to_le_bytes());
        header.extend(self.model.identity().as_bytes());
        let check = Digest::of(&header);
        header.extend(&check.as_bytes()[..HEADER - header.len()]);
        header
    }

    /// Finds the answers; `false` where the file is something else.
    fn load(&mut self) -> io::Result<bool> {
        let length = self.file.metadata()?.len();
        let mut reader = BufReader::with_capacity(BUFFER, &self.file);
        let mut header = Vec::new();
        (&mut reader).take(HEADER as u64).read_to_end(&mut header)?;
        if header.len() < HEADER {
            // Nothing, or the beginning of what a run was about to write.
            let ours = self.header(0);
            let (head, _) = header.split_at(header.len().min(12));
            if !ours.starts_with(head) {
                return Ok(false);
            }
            self.file.set_len(0)?;
            return Ok(true);
        }
        let number =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let width = number(12) as usize;
        if header != self.header(width) || !(1..=WIDEST).contains(&width) {
            return Ok(false);
        }
        let size = DIGEST + 4 * width + DIGEST;
        let mut record = vec![0; size];
        let records = (length - HEADER as u64) / size as u64;
        for number in 0..records {
            reader.read_exact(&mut record)?;
            let (said, check) = record.split_at(size - DIGEST);
            // One that is damaged is asked for again.
            if Digest::of(said).as_bytes()[..] == *check
                && let Some(text) = said.first_chunk()
            {
                let at = HEADER as u64 + number * size as u64 + DIGEST as u64;
                self.rows.insert(Digest::from_bytes(*text), at);
            }
        }
        drop(reader);
        (self.width, self.end) = (Some(width), HEADER as u64 + records * size as u64);
        if length > self.end {
            self.file.set_len(self.end)?;
        }
        Ok(true)
    }

    fn failed(&self, source: io::Error) -> JournalError {
        JournalError::Disk { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        Model { name: "m".to_owned(), dimensions: None }
    }

    fn open(folder: &Path) -> Journal {
        Journal::open(folder, &model(), || ()).unwrap()
    }

    /// A folder with three answers, and the file.
    fn three() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path());
        assert!(journal.is_empty() && journal.width().is_none());
        let [a, b, c] = [b"a", b"b", b"c"].map(|text| Digest::of(text));
        journal.append([(a, &[1.0, 2.0][..]), (b, &[3.0, 4.0])]).unwrap();
        journal.append([(c, &[5.0, f32::MIN_POSITIVE][..])]).unwrap();
        let path = journal.path().to_owned();
        (folder, path)
    }

    #[test]
    fn answers_come_again() {
        let (folder, path) = three();
        let mut journal = open(folder.path());
        assert_eq!((journal.len(), journal.width()), (3, Some(2)));
        assert_eq!(journal.row(&Digest::of(b"c")).unwrap(), Some(vec![5.0, f32::MIN_POSITIVE]));
        assert_eq!(journal.row(&Digest::of(b"a")).unwrap(), Some(vec![1.0, 2.0]));
        assert_eq!(journal.row(&Digest::of(b"d")).unwrap(), None);
        // Another width leaves everything as it was.
        let before = fs::read(&path).unwrap();
        let error = journal.append([(Digest::of(b"d"), &[1.0][..])]).unwrap_err();
        assert_eq!(error.to_string(), "m answers with 1 numbers for a text, expected 2");
        assert_eq!(fs::read(&path).unwrap(), before);
        journal.append([(Digest::of(b"d"), &[7.0, 8.0][..])]).unwrap();
        drop(journal);
        assert_eq!(open(folder.path()).row(&Digest::of(b"d")).unwrap(), Some(vec![7.0, 8.0]));
    }

    #[test]
    fn wherever_it_was_cut_whole_answers_stay() {
        let (folder, path) = three();
        let whole = fs::read(&path).unwrap();
        let size = 32 + 8 + 32;
        assert_eq!(whole.len(), HEADER + 3 * size);
        for end in 0..=whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let mut journal = open(folder.path());
            assert_eq!(journal.len(), end.saturating_sub(HEADER) / size, "{end}");
            let answers = [b"a", b"b", b"c"].map(|text| Digest::of(text));
            let answers = answers.into_iter().zip([[1.0, 2.0], [3.0, 4.0], [5.0, f32::MIN_POSITIVE]]);
            let missing: Vec<_> = answers.filter(|(text, _)| !journal.has(text)).collect();
            journal.append(missing.iter().map(|(text, row)| (*text, &row[..]))).unwrap();
            drop(journal);
            assert_eq!(fs::read(&path).unwrap(), whole, "{end}");
        }
    }

    #[test]
    fn what_is_damaged_is_no_answer() {
        let (folder, path) = three();
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            match Journal::open(folder.path(), &model(), || ()) {
                Ok(journal) => assert!(at >= HEADER && journal.len() == 2, "{at}"),
                Err(error) => {
                    assert!(
                        at < HEADER && error.to_string().contains("holds no answers of m"),
                        "{at}: {error}"
                    );
                }
            }
        }
        fs::write(&path, b"id,text\n1,mine\n").unwrap();
        assert!(Journal::open(folder.path(), &model(), || ()).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"id,text\n1,mine\n");
    }
}
